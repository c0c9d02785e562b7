"""The step machine: whatever is asked of it, no step is skipped and what has ended stays ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError
from core.models.case import CaseState, StepState
from server.counter.steps import OPEN, PASSED, Track

KEYS = ("form", "identity", "fee", "confirm")
ASKED = st.tuples(
    st.sampled_from(["begin", "settle", "go_back", "give_up"]),
    st.sampled_from((*KEYS, "nothing")),
    st.sampled_from(StepState),
)


def ask(track: Track, what: str, key: str, state: StepState) -> Track:
    """The track after the request; the same when it is refused."""
    try:
        if what == "settle":
            return track.settle(key, state)
        return track.give_up() if what == "give_up" else getattr(track, what)(key)
    except (ConflictError, ValueError):
        return track


def assert_in_order(track: Track) -> None:
    """Passed steps, then at most one that is open or stopped, then pending ones only."""
    states = list(track.states)
    while states and states[0] in PASSED:
        states.pop(0)
    if states and states[0] in OPEN | {StepState.STOPPED}:
        states.pop(0)
    assert all(state is StepState.PENDING for state in states), track


@given(st.lists(ASKED, max_size=60))
def test_no_step_is_ever_skipped(asked: list[tuple[str, str, StepState]]) -> None:
    track = Track.fresh(KEYS)
    for what, key, state in asked:
        before, track = track, ask(track, what, key, state)
        assert_in_order(track)
        if before.case is not CaseState.RUNNING:
            assert track == before
        assert (track.case is CaseState.DONE) == all(each in PASSED for each in track.states)
        assert (track.case is CaseState.STOPPED) == (StepState.STOPPED in track.states)


@given(st.integers(0, len(KEYS) - 1), st.integers(0, len(KEYS) - 1))
def test_going_back_undoes_newest_first(done: int, target: int) -> None:
    track = Track.fresh(KEYS)
    for key in KEYS[:done]:
        track = track.begin(key).settle(key, StepState.DONE)
    if target >= done:
        with pytest.raises(ConflictError) as refused:
            track.go_back(KEYS[target])
        assert refused.value.code == "step.not_done"
        return
    assert list(track.to_undo(KEYS[target])) == list(reversed(KEYS[target:done]))
    track = track.go_back(KEYS[target])
    assert track.next_key == KEYS[target]
    assert track.states[target:] == (StepState.PENDING,) * (len(KEYS) - target)


def test_giving_up_and_what_was_undone() -> None:
    track = Track.fresh(KEYS).begin("form").settle("form", StepState.DONE).begin("identity")
    track = track.give_up()
    assert track.open_key is None
    assert track.next_key is None
    assert track.rolled_back(["form"]).states[0] is StepState.ROLLED_BACK
    with pytest.raises(ConflictError) as refused:
        track.begin("identity")
    assert refused.value.code == "case.ended"


@pytest.mark.parametrize("keys", [(), ("form", "form")])
def test_a_flow_needs_steps_with_their_own_keys(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="own key"):
        Track.fresh(keys)
