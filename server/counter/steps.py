"""The steps of a case as a pure state machine: no step skipped, what has ended stays ended.

Steps run strictly in order. One step at most is open (active or waiting); every step before it is done or not
needed, every step after it is pending. A case ends when its last step is done, when a step stops it, or when it is
cancelled. `go_back` reopens an earlier step: everything done from there on is undone first, newest first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.errors import ConflictError
from core.models.case import CaseState, StepState

OPEN = frozenset({StepState.ACTIVE, StepState.WAITING})
PASSED = frozenset({StepState.DONE, StepState.NOT_NEEDED})


@dataclass(frozen=True, slots=True)
class Track:
    """The case as the machine sees it.

    Attributes:
        keys: Steps in order. states: Their states, in the same order.
    """

    keys: tuple[str, ...]
    states: tuple[StepState, ...]
    case: CaseState = CaseState.RUNNING

    @classmethod
    def fresh(cls, keys: Iterable[str]) -> "Track":
        """Before the first step. ValueError when there is none or a key is there twice."""
        names = tuple(keys)
        if not names or len(set(names)) != len(names):
            raise ValueError("a flow has at least one step, each with its own key")
        return cls(names, (StepState.PENDING,) * len(names))

    @property
    def open_key(self) -> str | None:
        """The step that is open, if one is."""
        return next((key for key, state in zip(self.keys, self.states, strict=True) if state in OPEN), None)

    @property
    def next_key(self) -> str | None:
        """The step to begin now: the first pending one, when none is open and the case runs."""
        if self.case is not CaseState.RUNNING or self.open_key is not None:
            return None
        return next(
            (key for key, state in zip(self.keys, self.states, strict=True) if state is StepState.PENDING), None
        )

    def state_of(self, key: str) -> StepState:
        """State of one step. ConflictError ``step.unknown``."""
        if key not in self.keys:
            raise ConflictError("this business has no such step", code="step.unknown")
        return self.states[self.keys.index(key)]

    def begin(self, key: str) -> "Track":
        """Open the next step. ConflictError ``step.not_next`` for any other."""
        self._require_running()
        if key != self.next_key:
            raise ConflictError("the steps before this one are not done", code="step.not_next", step=key)
        return self._with(key, StepState.ACTIVE)

    def settle(self, key: str, to: StepState) -> "Track":
        """Move the open step: it goes on, waits, or is over. The case follows.

        Raises:
            ConflictError: ``case.ended``, ``step.not_open`` unless the step is the open one.
            ValueError: `to` is no state an open step can reach.
        """
        self._require_running()
        if self.state_of(key) not in OPEN:
            raise ConflictError("this step is not open", code="step.not_open", step=key)
        if to not in OPEN | PASSED | {StepState.STOPPED}:
            raise ValueError(f"an open step does not become {to}")
        moved = self._with(key, to)
        if to is StepState.STOPPED:
            return replace(moved, case=CaseState.STOPPED)
        if all(state in PASSED for state in moved.states):
            return replace(moved, case=CaseState.DONE)
        return moved

    def to_undo(self, key: str | None = None) -> Sequence[str]:
        """Steps that are done from `key` on (None: from the first), newest first: what going back undoes."""
        start = 0 if key is None else self.keys.index(key)
        pairs = list(zip(self.keys, self.states, strict=True))[start:]
        return [name for name, state in reversed(pairs) if state is StepState.DONE]

    def go_back(self, key: str) -> "Track":
        """Everything from `key` on is pending again; the caller undoes `to_undo(key)` first.

        Raises:
            ConflictError: ``case.ended``, ``step.not_done`` unless the step is done and the case runs.
        """
        self._require_running()
        if self.state_of(key) is not StepState.DONE:
            raise ConflictError("only a step that is done can be opened again", code="step.not_done", step=key)
        index = self.keys.index(key)
        pending = (StepState.PENDING,) * (len(self.keys) - index)
        return replace(self, states=self.states[:index] + pending)

    def give_up(self, case: CaseState = CaseState.CANCELLED) -> "Track":
        """End the case before its last step: what is open goes back to pending. ConflictError ``case.ended``."""
        self._require_running()
        closed = tuple(StepState.PENDING if state in OPEN else state for state in self.states)
        return replace(self, states=closed, case=case)

    def rolled_back(self, keys: Iterable[str]) -> "Track":
        """After the end: mark what was undone."""
        undone = set(keys)
        pairs = zip(self.keys, self.states, strict=True)
        return replace(self, states=tuple(StepState.ROLLED_BACK if key in undone else state for key, state in pairs))

    def _with(self, key: str, to: StepState) -> "Track":
        index = self.keys.index(key)
        return replace(self, states=(*self.states[:index], to, *self.states[index + 1 :]))

    def _require_running(self) -> None:
        if self.case is not CaseState.RUNNING:
            raise ConflictError("this business has ended", code="case.ended", state=self.case.value)
