"""The step engine: every change of a case goes through here, one unit of work each.

Whoever calls gives a loaded, locked case and a unit of work; the pure machine (`server.counter.steps`) says what is
legal, the step's kind what comes of it.
"""

from typing import Any

import structlog
from pydantic import ValidationError

from core.alarms import raise_alarm
from core.db import UnitOfWork
from core.errors import ConflictError, DeniedError
from core.events import CaseEnded, CaseStepChanged
from core.http import bad_input_from
from core.models.call import Call
from core.models.case import CaseState, StepState
from server.counter.book import CaseBook, call_s, track_of
from server.counter.flows import Doer
from server.counter.kind import (
    CaseData,
    Done,
    Json,
    NotNeeded,
    Outcome,
    Returned,
    Stay,
    Step,
    StepData,
    StepKind,
    Stopped,
    Waiting,
)
from server.counter.kinds import Kinds
from server.counter.preconditions import IDENTITY_TOO_LOW, blocked_by

log = structlog.get_logger(__name__)

STATES: dict[type[Any], StepState] = {
    Stay: StepState.ACTIVE,
    Returned: StepState.ACTIVE,
    Waiting: StepState.WAITING,
    Done: StepState.DONE,
    NotNeeded: StepState.NOT_NEEDED,
    Stopped: StepState.STOPPED,
}
REOPENED = "step.reopened"


class Engine:
    """Moves cases. Used inside a unit of work with the case locked by `CaseBook.load(lock=True)`."""

    def __init__(self, kinds: Kinds, book: CaseBook) -> None:
        self.kinds = kinds
        self.book = book

    # --- what people do ------------------------------------------------------------------------------------------

    async def act(
        self, work: UnitOfWork, case: CaseData, key: str, version: int | None, action: str, doer: Doer, inputs: Any
    ) -> None:
        """Somebody does something in the open step.

        Args:
            version: That the doer has seen; None for what the house itself hands in, e.g. an upload that took a while.

        Raises:
            ConflictError: ``case.stale``, ``case.ended``, ``step.unknown``, ``step.not_open``, ``step.unknown_action``,
                or why steps are blocked. DeniedError: ``step.not_yours``. BadInputError: ``input.invalid``.
        """
        if version is not None:
            self.require_version(case, version)
        run = _Run(work, case)
        state = run.track.state_of(key)
        # Settling as it is says whether the step is open at all.
        run.track.settle(key, state if state in (StepState.ACTIVE, StepState.WAITING) else StepState.ACTIVE)
        this = case.step(key)
        kind = self.kind_of(this)
        known = kind.actions.get(action)
        if known is None:
            raise ConflictError("this step has no such action", code="step.unknown_action")
        if state is StepState.WAITING and not known.while_waiting:
            raise ConflictError("this step waits for an answer", code="step.waiting", reason=this.row.reason)
        if doer not in known.doers:
            raise DeniedError("this is for somebody else to do", code="step.not_yours")
        run.require_unblocked()
        try:
            handed_in = known.inputs.model_validate(inputs)
        except ValidationError as error:
            raise bad_input_from(error) from None
        if state is StepState.ACTIVE:
            this.row.attempts += 1  # what is done while it waits belongs to the same attempt
        this.row.by = work.actor.name
        outcome = await kind.act(self._step(run, this), action, doer, handed_in)
        await self._apply(run, this, outcome, action)
        await self._advance(run)
        self._close(run)

    async def resume(self, work: UnitOfWork, case: CaseData, key: str, attempt: int, answer: Json) -> bool:
        """An answer from outside. False, and nothing changes, when nobody waits for it any more.

        Args:
            attempt: Of the step when the question was asked (`CaseStepChanged.attempt`); older ones' answers are stale.
        """
        this = case.step(key)
        waits = case.row.state == CaseState.RUNNING and this.row.state == StepState.WAITING
        if not waits or this.row.attempts != attempt:
            return False
        run = _Run(work, case)
        await self._apply(run, this, await self.kind_of(this).resume(self._step(run, this), answer), "resume")
        await self._advance(run)
        self._close(run)
        return True

    async def begin(self, work: UnitOfWork, case: CaseData) -> None:
        """The first step of a new case. ConflictError when steps are blocked."""
        run = _Run(work, case)
        run.require_unblocked()
        await self._advance(run)
        self._close(run)

    async def advance(self, work: UnitOfWork, case: CaseData) -> bool:
        """Begin the next step if it was held back and no longer is. Whether something has changed."""
        run = _Run(work, case)
        before = run.track
        await self._advance(run)
        if run.track == before:
            return False
        self._close(run)
        return True

    async def back(self, work: UnitOfWork, case: CaseData, key: str, version: int, note: str) -> None:
        """Open an earlier step again, undoing what was done since.

        Raises:
            ConflictError: ``case.stale``, ``case.ended``, ``step.not_done``, ``step.final``, or why steps are blocked.
        """
        self.require_version(case, version)
        run = _Run(work, case)
        moved = run.track.go_back(key)
        run.require_unblocked()
        for name in run.track.to_undo(key):
            await self._undo(run, case.step(name))
        for step in case.steps[moved.keys.index(key) :]:
            step.row.state, step.row.reason, step.row.note = StepState.PENDING, None, ""
            step.row.ended_at = None
            step.row.attempts += 1  # answers to what was asked before are stale
        target = case.step(key)
        target.row.reason, target.row.note = REOPENED, note
        run.track = moved
        work.audit("case.back", "case", case.row.id, call_id=case.row.call_id, step=key)
        await self._advance(run)
        target.row.reason, target.row.note = target.row.reason or REOPENED, target.row.note or note
        self._close(run)

    async def give_up(self, work: UnitOfWork, case: CaseData, reason: str, *, forced: bool = False) -> None:
        """End the case before its last step; what was done is undone, newest first.

        Args:
            forced: The call is over: what cannot be undone stays done and a person is alarmed, instead of a refusal.

        Raises:
            ConflictError: ``case.ended``, ``step.final``.
        """
        run = _Run(work, case)
        open_key = run.track.open_key
        undo = run.track.to_undo()
        run.track = run.track.give_up()
        if open_key is not None:
            step = case.step(open_key)
            step.row.state, step.row.attempts = StepState.PENDING, step.row.attempts + 1
        await self._undo_all(run, undo, forced)
        self._end(run, CaseState.CANCELLED, reason)
        self._close(run)

    # --- inside --------------------------------------------------------------------------------------------------

    def kind_of(self, step: StepData) -> StepKind:
        """The kind of a step."""
        return self.kinds[step.row.kind]

    def step_for(
        self, work: UnitOfWork, case: CaseData, call: Call, this: StepData, call_s: float | None = None
    ) -> Step:
        """What a kind is told of one step."""
        config = self.kind_of(this).config.model_validate(this.spec.config)
        return Step(work, case, this, call, config, work.clock.now(), call_s)

    def require_version(self, case: CaseData, version: int) -> None:
        """ConflictError ``case.stale`` unless the actor has seen the newest version."""
        if case.row.version != version:
            raise ConflictError("this business has moved on", code="case.stale", version=case.row.version)

    def _step(self, run: "_Run", this: StepData) -> Step:
        return self.step_for(run.work, run.case, run.case.scene.call, this, run.call_s)

    async def _advance(self, run: "_Run") -> None:
        """Begin steps until one waits for somebody, one is held back, or the case is over."""
        while (key := run.track.next_key) is not None:
            this = run.case.step(key)
            if run.blocked is not None or identity_missing(run.case) is not None:
                return
            run.track = run.track.begin(key)
            this.row.state, this.row.began_at = StepState.ACTIVE, run.work.clock.now()
            await self._apply(run, this, await self.kind_of(this).begin(self._step(run, this)), "begin")

    async def _apply(self, run: "_Run", this: StepData, outcome: Outcome, action: str) -> None:
        state, before = STATES[type(outcome)], this.row.state
        run.track = run.track.settle(this.row.key, state)
        if not isinstance(outcome, NotNeeded):
            this.result = this.result if outcome.result is None else outcome.result
            this.inputs = this.inputs if outcome.inputs is None else outcome.inputs
        row = this.row
        row.state = state
        row.reason = getattr(outcome, "reason", None) or None
        row.note = getattr(outcome, "note", "")
        if state in (StepState.DONE, StepState.NOT_NEEDED, StepState.STOPPED):
            row.ended_at = run.work.clock.now()
        run.work.audit(
            f"step.{action}",
            "case",
            run.case.row.id,
            call_id=run.case.row.call_id,
            step=row.key,
            kind=row.kind,
            before=before,
            after=state.value,
            reason=row.reason,
        )
        self._tell(run, this)
        if isinstance(outcome, Stopped):
            await self._undo_all(run, run.track.to_undo(), True)
            self._end(run, CaseState.STOPPED, outcome.reason)
        elif run.track.case is CaseState.DONE:
            self._end(run, CaseState.DONE, None)

    async def _undo(self, run: "_Run", this: StepData) -> None:
        await self.kind_of(this).undo(self._step(run, this))
        run.work.audit("step.undo", "case", run.case.row.id, call_id=run.case.row.call_id, step=this.row.key)

    async def _undo_all(self, run: "_Run", keys: Any, forced: bool) -> None:
        undone = []
        for key in keys:
            try:
                await self._undo(run, run.case.step(key))
            except ConflictError as error:
                if not forced or error.code != "step.final":
                    raise
                raise_alarm(
                    run.work,
                    "case.unfinished",
                    f"{run.case.row.business_code} ended after step {key}, which cannot be undone",
                    run.case.row.call_id,
                    case_id=run.case.row.id,
                    step=key,
                )
                break
            undone.append(key)
        for key in undone:
            run.case.step(key).row.state = StepState.ROLLED_BACK
        run.track = run.track.rolled_back(undone)

    def _end(self, run: "_Run", state: CaseState, reason: str | None) -> None:
        row = run.case.row
        row.state, row.end_reason, row.ended_at = state, reason, run.work.clock.now()
        run.work.audit("case.end", "case", row.id, call_id=row.call_id, outcome=state.value, reason=reason)
        run.work.emit(
            CaseEnded(
                at=run.work.clock.now(),
                call_id=row.call_id,
                call_s=run.call_s,
                case_id=row.id,
                business_code=row.business_code,
                outcome=state.value,
                reason=reason,
            )
        )

    def _tell(self, run: "_Run", this: StepData) -> None:
        row = this.row
        run.work.emit(
            CaseStepChanged(
                at=run.work.clock.now(),
                call_id=run.case.row.call_id,
                call_s=run.call_s,
                case_id=run.case.row.id,
                step=row.key,
                kind=row.kind,
                state=row.state,
                reason=row.reason,
                attempt=row.attempts,
            )
        )

    def _close(self, run: "_Run") -> None:
        run.case.row.version += 1
        self.book.seal(run.case)


def identity_missing(case: CaseData) -> str | None:
    """``step.identity_too_low`` when the next step needs a better established identity than the case has."""
    key = track_of(case).next_key
    if key is None or case.row.identity_level >= case.step(key).spec.identity:
        return None
    return IDENTITY_TOO_LOW


class _Run:
    """One unit of work on one case."""

    def __init__(self, work: UnitOfWork, case: CaseData) -> None:
        self.work = work
        self.case = case
        self.track = track_of(case)

    @property
    def call_s(self) -> float | None:
        """Now, on the call's time line."""
        return call_s(self.case.scene.recording, self.work.clock.now())

    @property
    def blocked(self) -> str | None:
        """Why steps are blocked."""
        return blocked_by(self.case.scene.circumstances(self.work.clock.now()))

    def require_unblocked(self) -> None:
        """ConflictError with the reason when steps are blocked."""
        reason = self.blocked
        if reason is not None:
            raise ConflictError("no business step can be done now", code=reason)
