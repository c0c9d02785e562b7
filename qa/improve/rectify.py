"""The round of a rectification (整改): demand → proof → check again, until it is effective. Pure."""

from datetime import datetime

from core.errors import ConflictError
from core.models.improvement import RectificationState as S

MOVES: dict[tuple[S, str], S] = {
    (S.OPEN, "prove"): S.PROVEN,
    (S.PROVEN, "accept"): S.EFFECTIVE,
    (S.PROVEN, "return"): S.OPEN,
}


def move(state: str, action: str) -> S:
    """The state after an action. ConflictError ``rectification.wrong_state``."""
    after = MOVES.get((S(state), action))
    if after is None:
        raise ConflictError(
            f"a rectification that is {state} does not allow {action}", code="rectification.wrong_state", state=state
        )
    return after


def is_overdue(state: str, due_at: datetime, now: datetime) -> bool:
    """Whether the teller is late with proof. The inspector's check does not count against the teller."""
    return state == S.OPEN and due_at < now
