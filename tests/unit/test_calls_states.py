"""The life of a call: what the table allows and what it never allows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError
from core.models.call import CallState
from server.calls.states import ENDED, MOVES, RUNNING, WAITING, require_move, state_after_end

ATTEMPTS = st.lists(st.sampled_from(CallState), max_size=30)


def walk(attempts: list[CallState]) -> list[CallState]:
    """The states a call passes through when these moves are tried one after the other."""
    trace = [CallState.QUEUED]
    for to in attempts:
        try:
            require_move(trace[-1], to)
        except ConflictError:
            continue
        trace.append(to)
    return trace


def test_every_state_is_in_the_table_and_in_one_class() -> None:
    assert set(MOVES) == set(CallState)
    assert set(CallState) == WAITING | RUNNING | ENDED
    assert not WAITING & RUNNING
    assert not RUNNING & ENDED
    assert not WAITING & ENDED


@pytest.mark.parametrize(
    "trace",
    [
        ["offered", "accepted", "connected", "wrap_up", "closed"],
        ["offered", "queued", "offered", "accepted", "wrap_up", "closed"],
        ["closed"],
        ["offered", "closed"],
    ],
)
def test_legal_traces(trace: list[str]) -> None:
    assert walk([CallState(state) for state in trace]) == [CallState.QUEUED, *trace]


@given(ATTEMPTS)
def test_whatever_is_tried_an_ended_call_never_lives_again(attempts: list[CallState]) -> None:
    trace = walk(attempts)
    ended = [state in ENDED for state in trace]
    assert ended == sorted(ended)


@given(ATTEMPTS)
def test_every_teller_is_rung_or_handed_the_call_and_files_a_disposition_at_its_end(attempts: list[CallState]) -> None:
    for before, after in pairwise(walk(attempts)):
        if after is CallState.ACCEPTED:
            assert before in {CallState.OFFERED, CallState.CONNECTED}
        if after in {CallState.CONNECTED, CallState.WRAP_UP}:
            assert before in RUNNING
        if after is CallState.CLOSED:  # by its teller, or while it waits for one
            assert before in WAITING | {CallState.WRAP_UP}


@given(ATTEMPTS)
def test_a_call_can_end_from_wherever_it_is_and_only_once(attempts: list[CallState]) -> None:
    state = walk(attempts)[-1]
    if state in ENDED:
        with pytest.raises(ConflictError) as refused:
            state_after_end(state)
        assert refused.value.code == "call.illegal_move"
    else:
        require_move(state, state_after_end(state))
        assert state_after_end(state) in ENDED
