"""The saga as pure rules: what to do next, and how far a posting has come. No clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.models.posting import PostingState as State
from core.models.posting import PostingStepState as StepState

OPEN = frozenset({State.RUNNING, State.UNDOING})
OVER = frozenset({State.DONE, State.ROLLED_BACK, State.SETTLED})
_MAY_BE_BOOKED = frozenset({StepState.SENT, StepState.DONE, StepState.UNDO_SENT})


@dataclass(frozen=True, slots=True)
class Send:
    """Send (again) request number `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Send (again) the reversal of request number `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class End:
    """The posting has come to this."""

    state: Literal[State.DONE, State.ROLLED_BACK, State.RECONCILE]


@dataclass(frozen=True, slots=True)
class TurnBack:
    """A request was refused: what was booked before is undone, newest first."""


Move = Send | Undo | End | TurnBack


def next_move(state: State, steps: Sequence[StepState]) -> Move | None:
    """What to do now; None when the posting is over or waits for a person.

    A request that was sent and not answered is sent again: the core system books it once. It is never skipped, and
    nothing is undone before every answer is known, except by a person's order (state UNDOING), whose reversal also
    withdraws what never arrived.
    """
    if state is State.RUNNING:
        for index, step in enumerate(steps):
            if step in (StepState.PENDING, StepState.SENT):
                return Send(index)
            if step is StepState.REFUSED:
                return TurnBack()
        return End(State.DONE)
    if state is State.UNDOING:
        for index in reversed(range(len(steps))):
            if steps[index] is StepState.STUCK:
                return End(State.RECONCILE)
            if steps[index] in _MAY_BE_BOOKED:
                return Undo(index)
        return End(State.ROLLED_BACK)
    return None


def resumed_state(steps: Sequence[StepState]) -> State:
    """Where a posting on the reconciliation list goes on: it is undone once undoing has begun, done otherwise."""
    begun = {StepState.UNDO_SENT, StepState.UNDONE, StepState.STUCK, StepState.REFUSED}
    return State.UNDOING if begun.intersection(steps) else State.RUNNING
