"""The table of refusals in docs/refusal-codes.md, read from the code by ``./dev gen``."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "server", "signaling", "recording", "qa")
_HEAD = """# Refusals

What is refused is answered over HTTP with the status below and `{"error": {"code", "message", "retryable", "fields"}}`,
over sockets with `{"ok": false, "error": {…}}`, on the command line with exit code 2 and the code in brackets. Codes
are stable; pages translate them. Nothing has changed when something was refused. Made from
the code by `./dev gen`.

| code | HTTP | try again | said where, in what words |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of errors: its code, status and whether trying again may help."""

    code: str
    status: int
    retryable: bool


def table() -> str:
    """The document."""
    trees = {
        path.relative_to(ROOT): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    kinds = _kinds(list(trees.values()))
    rows: dict[str, tuple[int, bool, set[str]]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                kind = kinds[node.func.id]
                code = next((_text(word.value) for word in node.keywords if word.arg == "code"), kind.code)
                words = _text(node.args[0]) if node.args else None
                if code is not None:
                    place = f"`{path.parent}`" + (f": {words}" if words else "")
                    rows.setdefault(code, (kind.status, kind.retryable, set()))[2].add(place)
    lines = [
        f"| `{code}` | {status} | {'yes' if retryable else 'no'} | {'; '.join(sorted(places))} |"
        for code, (status, retryable, places) in sorted(rows.items())
    ]
    return _HEAD + "\n".join(lines) + "\n"


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


def _text(node: ast.expr) -> str | None:
    """A literal; what an f-string puts in is an ellipsis. None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("|", "\\|").replace("\n", " ")
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values).replace(
            "|", "\\|"
        )
    return None


if __name__ == "__main__":
    print(table(), end="")
