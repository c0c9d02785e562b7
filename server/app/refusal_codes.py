"""Every refusal in docs/refusal-codes.md, read from the code by ``./dev gen``."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "server", "signaling", "recording", "qa")
PRECONDITIONS = "server/counter/preconditions.py"  # its constants are the codes its callers refuse with
OUTCOMES = {"Returned": "sent back", "Stopped": "stopped", "NotNeeded": "left out"}
"""What a step kind answers when a step or a business does not go on, and the page's word for it."""

_HEAD = """# Refusals

What is refused is answered over HTTP with the status below and `{"error": {"code", "message", "retryable", "fields"}}`,
over sockets with `{"ok": false, "error": {…}}`, on the command line with exit code 2 and the code in brackets. Codes
are stable; pages translate them. Nothing has changed when something was refused. `…` stands for a part that varies.
Made from the code by `./dev gen`.

| code | HTTP | try again | said where, in what words |
|---|---|---|---|
"""
_OUTCOMES_HEAD = """
## At the counter: how steps and businesses end

These are not answers to requests. They are the `reason` of a step that was sent back to be corrected or left out, and
the `end_reason` of a business that was stopped.

| code | what happens | said where |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of errors: its code, status and whether trying again may help."""

    code: str
    status: int
    retryable: bool


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One answer to a request: `code`, HTTP `status`, whether trying again may help, and where it is said how."""

    code: str
    status: int
    retryable: bool
    place: str


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """How a step or business ends: `code`, what happens, and where it is said."""

    code: str
    what: str
    place: str


def table() -> str:
    """The document."""
    rows: dict[tuple[str, int, bool], list[str]] = {}
    for each in refusals():
        rows.setdefault((each.code, each.status, each.retryable), []).append(each.place)
    ends: dict[tuple[str, str], list[str]] = {}
    for end in endings():
        ends.setdefault((end.code, end.what), []).append(end.place)
    told = [
        f"| `{code}` | {status} | {'yes' if retryable else 'no'} | {'; '.join(places)} |"
        for (code, status, retryable), places in rows.items()
    ]
    ended = [f"| `{code}` | {what} | {', '.join(places)} |" for (code, what), places in ends.items()]
    return _HEAD + "\n".join(told) + "\n" + _OUTCOMES_HEAD + "\n".join(ended) + "\n"


def refusals() -> list[Refusal]:
    """Every code a request can be answered with, sorted."""
    kinds, found = _kinds(list(_trees().values())), set[Refusal]()
    for path, tree in _trees().items():
        known = _known(tree)
        for call, name in _calls(tree):
            if name not in kinds:
                continue
            kind, words = kinds[name], _text(call.args[0]) if call.args else None
            given = next((word.value for word in call.keywords if word.arg == "code"), None)
            place = f"`{path.parent}`" + (f": {words}" if words else "")
            for code in [kind.code] if given is None else _codes(given, known):
                found.add(Refusal(code, kind.status, kind.retryable, place))
        if str(path) == PRECONDITIONS:
            codes = {code for values in known.values() for code in values if code.startswith("step.")}
            found |= {Refusal(code, 409, False, f"`{path.parent}`: no business step can be done now") for code in codes}
    return sorted(found)


def endings() -> list[Ending]:
    """Every reason a step or business ends with, sorted."""
    found = set[Ending]()
    for path, tree in _trees().items():
        if not str(path).startswith("server/counter/"):
            continue
        known = _known(tree)
        for call, name in _calls(tree):
            if name in OUTCOMES and call.args:
                place = f"`{path}`"
                found |= {Ending(code, OUTCOMES[name], place) for code in _codes(call.args[0], known) if code}
    return sorted(found)


@lru_cache(maxsize=1)
def _trees() -> dict[Path, ast.Module]:
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id


def _kinds(trees: list[ast.Module]) -> dict[str, _Kind]:
    """All subclasses of CounterError, found by name until there are no more."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    kinds = {"CounterError": _Kind("internal", 500, False)}
    while True:
        before = len(kinds)
        for node in classes:
            base = next((b.id for b in node.bases if isinstance(b, ast.Name) and b.id in kinds), None)
            if base is not None and node.name not in kinds:
                kinds[node.name] = _own(node, kinds[base])
        if len(kinds) == before:
            return kinds


def _own(node: ast.ClassDef, base: _Kind) -> _Kind:
    said = {
        target.id: item.value.value
        for item in node.body
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
        for target in item.targets
        if isinstance(target, ast.Name)
    }
    return _Kind(
        str(said.get("code", base.code)),
        int(str(said.get("http_status", base.status))),
        bool(said.get("retryable", base.retryable)),
    )


def _known(tree: ast.Module) -> dict[str, list[str]]:
    """Names that stand for codes: constants of the module, and what its own functions return."""
    known: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                for name, value in zip(names, values, strict=False):
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                        known[name.id] = [value.value]
    returned = {
        node.name: [
            code
            for inner in ast.walk(node)
            if isinstance(inner, ast.Return) and inner.value is not None
            for code in _codes(inner.value, known)
            if "." in code
        ]
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    for inner in ast.walk(tree):
        called = inner.value if isinstance(inner, ast.Assign) else None
        if isinstance(inner, ast.Assign) and isinstance(called, ast.Call) and isinstance(called.func, ast.Name):
            for target in inner.targets:
                if isinstance(target, ast.Name) and target.id not in known:
                    known[target.id] = returned.get(called.func.id, [])
    return known


def _codes(node: ast.expr, known: dict[str, list[str]]) -> list[str]:
    """The codes an expression may be; none where it is handed on from elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name):
            return known.get(name, [])
        case ast.IfExp():
            return _codes(node.body, known) + _codes(node.orelse, known)
        case ast.BoolOp():
            return [code for value in node.values for code in _codes(value, known)]
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _codes(inner, known)
        case ast.JoinedStr():
            return [_text(node) or ""]
    return []


def _text(node: ast.expr) -> str | None:
    """A literal; what an f-string puts in is an ellipsis. None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("|", "\\|").replace("\n", " ")
    if isinstance(node, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(parts).replace("|", "\\|")
    return None


if __name__ == "__main__":
    print(table(), end="")
