"""When the customer's camera is asked for letters: only while a step of a running business wants pictures."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from signaling.counter import wants_sharp


def view(state: str, *steps: tuple[str, dict[str, Any]]) -> Any:
    return SimpleNamespace(state=state, steps=[SimpleNamespace(state=each, details=details) for each, details in steps])


@pytest.mark.parametrize(
    ("seen", "sharp"),
    [
        (view("running", ("done", {"sharp": True}), ("active", {"sharp": True})), True),
        (view("running", ("waiting", {"sharp": True})), True),
        (view("running", ("active", {"sharp": False})), False),
        (view("running", ("done", {"sharp": True}), ("active", {})), False),
        (view("stopped", ("active", {"sharp": True})), False),
        (view("running"), False),
    ],
)
def test_wants_sharp(seen: Any, sharp: bool) -> None:
    assert wants_sharp(cast(Any, seen)) is sharp
