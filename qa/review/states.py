"""The way of an evaluation: the table of legal moves, and who may judge whom. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import ConflictError, DeniedError
from core.models.qa import EvaluationState as S

APPEAL_DAYS = 7
"""Days after the release in which a teller may appeal."""

MOVES: dict[S, dict[str, S]] = {
    S.PENDING: {"submit": S.SUBMITTED},
    S.SUBMITTED: {"submit": S.SUBMITTED, "release": S.RELEASED},
    S.RELEASED: {"acknowledge": S.ACKNOWLEDGED, "appeal": S.APPEALED, "lapse": S.FINAL},
    S.ACKNOWLEDGED: {"lapse": S.FINAL},
    S.APPEALED: {"decide": S.FINAL},
    S.FINAL: {},
}


def move(state: str, action: str) -> S:
    """The state after an action.

    Raises:
        ConflictError: ``evaluation.wrong_state``; `state` says where it stands.
    """
    after = MOVES[S(state)].get(action)
    if after is None:
        raise ConflictError(
            f"an evaluation that is {state} cannot {action}", code="evaluation.wrong_state", state=state
        )
    return after


def appeal_until(released_at: datetime) -> datetime:
    """Last instant to appeal."""
    return released_at + timedelta(days=APPEAL_DAYS)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who had a part in a case. Ids of staff; None where nobody had."""

    teller_id: str | None
    inspector_id: str | None
    supervisor_id: str | None = None


def assert_independent(judge_id: str | None, parties: Parties) -> None:
    """Nobody judges own work, an own score, or an appeal on which he has already given an opinion.

    Raises:
        DeniedError: ``appeal.own_part``.
    """
    if judge_id is None or judge_id in (parties.teller_id, parties.inspector_id, parties.supervisor_id):
        raise DeniedError("whoever had a part in a case does not judge it", code="appeal.own_part")
