"""Every refusal at the counter, read from the code: ``python -m server.app.refusals > docs/refusals.md``."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core import errors
from core.ports import notices

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("server/counter", "signaling/counter.py")
PRECONDITIONS = "server.counter.preconditions"  # its constants are the codes its callers refuse with
OUTCOMES = {"Returned": "sent back", "Stopped": "stopped", "NotNeeded": "left out"}

HEAD = """# Every refusal at the counter

Made from the code by `python -m server.app.refusals`; a test keeps it true. A refused request changes nothing. With a
status the code is the answer to the request; without one it is the `reason` of a step that was sent back or left out,
or of a business that was stopped. `…` stands for a part that varies.

| code | status | where |
|---|---|---|
"""


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One code, what it comes as, and the module that says it."""

    code: str
    status: str
    module: str


def statuses() -> dict[str, tuple[str, str]]:
    """Error classes by name: their own code, their HTTP status."""
    found = {}
    for module in (errors, notices):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, errors.CounterError):
                found[name] = (value.code, str(value.http_status))
    return found


def refusals() -> list[Refusal]:
    """All of them, sorted."""
    found: set[Refusal] = set()
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            constants = _constants(tree)
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found |= {Refusal(code, status, module) for code, status in _said(tree, constants)}
            if module == PRECONDITIONS:
                found |= {Refusal(code, "409", module) for code in constants.values() if code.startswith("step.")}
    return sorted(found)


def table() -> str:
    """The page: one line for a code and status, with every module that says it."""
    places: dict[tuple[str, str], list[str]] = {}
    for each in refusals():
        places.setdefault((each.code, each.status), []).append(f"`{each.module}`")
    return HEAD + "".join(f"| `{code}` | {status} | {', '.join(where)} |\n" for (code, status), where in places.items())


def _said(tree: ast.Module, constants: dict[str, str]) -> Iterator[tuple[str, str]]:
    known = statuses()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = node.func.id
        if name in known:
            own, status = known[name]
            given = next((word.value for word in node.keywords if word.arg == "code"), None)
            for code in [own] if given is None else _codes(given, constants):
                yield code, status
        elif name in OUTCOMES and node.args:
            for code in _codes(node.args[0], constants):
                yield code, OUTCOMES[name]


def _codes(node: ast.expr, constants: dict[str, str]) -> list[str]:
    """The codes an expression may be; none where it is handed on from elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if name in constants:
            return [constants[name]]
        case ast.IfExp():
            return _codes(node.body, constants) + _codes(node.orelse, constants)
        case ast.BoolOp():
            return [code for value in node.values for code in _codes(value, constants)]
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _codes(inner, constants)
        case ast.JoinedStr():
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
    return []


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names of the module that stand for one text."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                for name, value in zip(names, values, strict=False):
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                        found[name.id] = value.value
    return found


if __name__ == "__main__":
    print(table(), end="")
