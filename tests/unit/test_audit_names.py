"""Every action that the code writes to the audit log has a name in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from core.ports.guests import GuestMode
from server.audit.names import FAMILIES, NAMES, actions_called, name_of
from server.counter.banking.schemas import PostingDecisionRequest
from server.counter.fraud.schemas import FraudDecisionRequest
from server.counter.review.schemas import ReviewDecisionRequest

ROOT = Path(__file__).parents[2]
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
WORDS = {
    "call.": get_args(GuestMode),
    "fraud.": get_args(FraudDecisionRequest.model_fields["outcome"].annotation),
    "posting.": get_args(PostingDecisionRequest.model_fields["decision"].annotation),
    "review.": get_args(ReviewDecisionRequest.model_fields["decision"].annotation),
}
"""What stands behind the dot where the code puts it together."""


def constants(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and ACTION.fullmatch(each.value):
            yield each.value


def actions_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "audit"):
            continue
        if not node.args:
            continue
        (first, *_) = node.args
        if isinstance(first, ast.JoinedStr):
            assert isinstance(first.values[0], ast.Constant)
            prefix = str(first.values[0].value)
            yield from (prefix + word for word in WORDS.get(prefix, ("",)))
        elif isinstance(first, ast.Name):
            assigned = [each.value for each in ast.walk(tree) if isinstance(each, ast.Assign)]
            found = [action for value in assigned for action in constants(value)]
            assert found, ast.unparse(node)
            yield from found
        else:
            yield from constants(first)


def test_every_action_has_both_names() -> None:
    found: set[str] = set()
    for package in ("core", "server", "signaling", "recording", "qa"):
        for path in (ROOT / package).rglob("*.py"):
            found |= set(actions_in(ast.parse(path.read_text())))
    assert len(found) > 150
    assert sorted(action for action in found if not all(name_of(action))) == [], "name them in server/audit/names.py"
    assert sorted(NAMES.keys() - found) == [], "nobody writes these"
    assert all(zh and en and re.search(r"[\u4e00-\u9fff]", zh) for zh, en in [*NAMES.values(), *FAMILIES.values()])


def test_an_action_is_found_by_its_name() -> None:
    assert "sign.signature" in actions_called("签字")
    assert "sign.signature" in actions_called("Signed")
    assert name_of("step.photo_taken") == FAMILIES["step."]
    assert name_of("nothing.known") == ("", "")
