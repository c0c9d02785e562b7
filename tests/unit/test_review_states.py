"""The way of an evaluation as a table, the round of a rectification, and who may judge whom."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError, DeniedError
from core.models.improvement import RectificationState
from core.models.qa import EvaluationState
from qa.improve import rectify
from qa.review.states import MOVES, Parties, appeal_until, assert_independent, move

ACTIONS = sorted({action for moves in MOVES.values() for action in moves})


@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_whatever_is_tried_a_final_evaluation_stays_final_and_nothing_goes_back(actions: list[str]) -> None:
    order = list(EvaluationState)
    state = EvaluationState.PENDING
    for action in actions:
        try:
            after = move(state, action)
        except ConflictError:
            continue
        assert state is not EvaluationState.FINAL
        assert order.index(after) >= order.index(state)
        state = after


def test_a_refusal_says_where_it_stands() -> None:
    with pytest.raises(ConflictError) as refused:
        move("final", "release")
    assert (refused.value.code, refused.value.fields) == ("evaluation.wrong_state", {"state": "final"})


def test_every_state_is_reached_and_only_final_ends() -> None:
    reached = {after for moves in MOVES.values() for after in moves.values()} | {EvaluationState.PENDING}
    assert reached == set(EvaluationState)
    assert [state for state, moves in MOVES.items() if not moves] == [EvaluationState.FINAL]


@given(st.lists(st.sampled_from(["prove", "accept", "return"]), max_size=12))
def test_a_rectification_is_effective_only_after_a_proof_that_was_accepted(actions: list[str]) -> None:
    state, done = RectificationState.OPEN, []
    for action in actions:
        try:
            state = rectify.move(state, action)
        except ConflictError:
            continue
        done.append(action)
    if state is RectificationState.EFFECTIVE:
        assert done[-2:] == ["prove", "accept"]
    assert (state is RectificationState.PROVEN) == (done[-1:] == ["prove"])


@pytest.mark.parametrize("judge", [None, "teller", "inspector", "supervisor"])
def test_nobody_with_a_part_judges(judge: str | None) -> None:
    parties = Parties("teller", "inspector", "supervisor")
    with pytest.raises(DeniedError) as refused:
        assert_independent(judge, parties)
    assert refused.value.code == "appeal.own_part"
    assert_independent("lead", parties)


def test_the_teller_has_a_week() -> None:
    released = datetime(2026, 11, 1, tzinfo=UTC)
    assert appeal_until(released) - released == timedelta(days=7)
    assert rectify.is_overdue("open", released, released + timedelta(seconds=1))
    assert not rectify.is_overdue("proven", released, released + timedelta(days=30))
