"""Rectifications, coaching notes and best cases: the use cases."""

from datetime import timedelta

from sqlmodel import col, select

from core.alarms import raise_alarm
from core.db import Database, UnitOfWork
from core.errors import BadInputError, NotFoundError
from core.events import RectificationChanged
from core.ids import new_id
from core.models.call import Call
from core.models.improvement import (
    BestCase,
    CoachingNote,
    Rectification,
    RectificationState,
    RectificationStep,
)
from core.models.qa import Finding
from core.redaction import redact
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call
from qa.improve.rectify import move
from qa.improve.schemas import BestCaseRequest, CheckRequest, CoachingRequest, ProofRequest, RectificationRequest
from qa.review.change import stale
from qa.shown import covered
from qa.transcripts import call_transcript


class ImproveService:
    """What is asked of tellers, and what is offered to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, actor: Actor, request: RectificationRequest) -> str:
        """Ask the teller of a call to put something right; returns the id.

        Raises:
            NotFoundError: ``call.not_found``, ``finding.not_found``. DeniedError: as for opening the call.
        """
        async with self._database.unit_of_work(actor) as work:
            call = await access_qa_call(work.session, actor, request.call_id)
            if request.finding_id is not None:
                finding = await work.session.get(Finding, request.finding_id)
                if finding is None or finding.call_id != call.id:
                    raise NotFoundError("there is no such finding of this call", code="finding.not_found")
            now = work.clock.now()
            row = Rectification(
                id=new_id("rect"),
                **request.model_dump(exclude={"due_days"}),
                teller_id=call.teller_id or "",
                created_by=actor.staff_id or "",
                state=RectificationState.OPEN,
                due_at=now + timedelta(days=request.due_days),
                created_at=now,
            )
            work.session.add(row)
            await work.session.flush()
            _note(work, row, "opened", request.demand)
            return row.id

    async def prove(self, actor: Actor, rectification_id: str, request: ProofRequest) -> None:
        """The teller says what was done and names a later call that shows it.

        Raises:
            NotFoundError: ``rectification.not_found``, also for somebody else's. ConflictError:
            ``rectification.wrong_state``, ``rectification.stale``. BadInputError: ``rectification.proof_call`` when
            the call is not the teller's own or not later than the one complained of.
        """
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, rectification_id, request.version)
            if row.teller_id != actor.staff_id:
                raise NotFoundError("there is no such rectification of yours", code="rectification.not_found")
            row.state = move(row.state, "prove")
            proof = await self._proof_call(work, row, request.call_number) if request.call_number else None
            _note(work, row, "proven", request.text, proof)

    async def _proof_call(self, work: UnitOfWork, row: Rectification, number: int) -> str:
        first = await work.session.get_one(Call, row.call_id)
        proof = (await work.session.scalars(select(Call).where(col(Call.number) == number))).first()
        if proof is None or proof.teller_id != row.teller_id or proof.queued_at <= first.queued_at:
            raise BadInputError("proof is a later call of your own", code="rectification.proof_call")
        return proof.id

    async def check(self, actor: Actor, rectification_id: str, request: CheckRequest) -> None:
        """Look at the proof: effective, or another round with a new date.

        Raises:
            NotFoundError: ``rectification.not_found``. ConflictError: ``rectification.wrong_state``,
            ``rectification.stale``. DeniedError: as for opening the call (nobody checks own work).
        """
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, rectification_id, request.version)
            await access_qa_call(work.session, actor, row.call_id)
            row.state = move(row.state, "accept" if request.effective else "return")
            if request.effective:
                row.closed_at = work.clock.now()
            else:
                row.round, row.escalated_at = row.round + 1, None
                row.due_at = work.clock.now() + timedelta(days=request.due_days)
            _note(work, row, "effective" if request.effective else "returned", request.note)

    async def escalate(self, work: UnitOfWork) -> int:
        """Raise an alarm for each overdue rectification, once per round; returns how many. For the house's clock."""
        now = work.clock.now()
        query = select(Rectification).where(
            col(Rectification.state) == RectificationState.OPEN,
            col(Rectification.due_at) < now,
            col(Rectification.escalated_at).is_(None),
        )
        late = (await work.session.scalars(query.with_for_update(skip_locked=True).limit(200))).all()
        for row in late:
            row.escalated_at = now
            raise_alarm(
                work,
                "rectification.overdue",
                f"the rectification “{row.title}” is overdue",
                row.call_id,
                rectification_id=row.id,
                teller_id=row.teller_id,
            )
            _note(work, row, "overdue", "")
        return len(late)

    async def coach(self, actor: Actor, request: CoachingRequest) -> None:
        """Write to the teller of a call. NotFoundError, DeniedError: as for opening the call."""
        async with self._database.unit_of_work(actor) as work:
            call = await access_qa_call(work.session, actor, request.call_id)
            row = CoachingNote(
                id=new_id("coach"),
                **request.model_dump(),
                teller_id=call.teller_id or "",
                author_id=actor.staff_id or "",
                created_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("coaching.write", "coaching_note", row.id, call_id=call.id)

    async def read_note(self, actor: Actor, note_id: str) -> None:
        """The teller has read it. NotFoundError ``coaching.not_found``, also for somebody else's."""
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(CoachingNote, note_id, with_for_update=True)
            if row is None or row.teller_id != actor.staff_id:
                raise NotFoundError("there is no such note to you", code="coaching.not_found")
            if row.read_at is None:
                row.read_at = work.clock.now()
                work.audit("coaching.read", "coaching_note", row.id)

    async def add_case(self, actor: Actor, request: BestCaseRequest) -> None:
        """Put a stretch of a call into the library; all staff read it, so customers' numbers are covered.

        Raises:
            NotFoundError, DeniedError: as for opening the call. BadInputError: ``case.empty`` when nothing was said
            in that stretch.
        """
        async with self._database.unit_of_work(actor) as work:
            call = await access_qa_call(work.session, actor, request.call_id)
            transcript = await call_transcript(work.session, call.id)
            texts = covered(transcript.rows)
            lines = [
                {"party": row.party, "start_s": row.start_s, "text": texts[row.id]}
                for row in transcript.rows
                if row.end_s > request.from_s and row.start_s < request.to_s
            ]
            if not lines:
                raise BadInputError("nothing was said in this stretch", code="case.empty")
            row = BestCase(
                id=new_id("case"),
                **request.model_dump() | {"title": redact(request.title), "lesson": redact(request.lesson)},
                business_code=call.business_code,
                lines=lines,
                added_by=actor.staff_id or "",
                created_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("case.add", "best_case", row.id, call_id=call.id, title=row.title)

    async def withdraw_case(self, actor: Actor, case_id: str) -> None:
        """Take a case out of the library. NotFoundError ``case.not_found``."""
        actor.require(Permission.QA_VIEW)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(BestCase, case_id, with_for_update=True)
            if row is None or row.withdrawn_at is not None:
                raise NotFoundError("there is no such case", code="case.not_found")
            row.withdrawn_at = work.clock.now()
            work.audit("case.withdraw", "best_case", row.id)


async def _locked(work: UnitOfWork, rectification_id: str, version: int) -> Rectification:
    row = await work.session.get(Rectification, rectification_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such rectification", code="rectification.not_found")
    if row.version != version:
        raise stale("rectification.stale", row.version)
    return row


def _note(work: UnitOfWork, row: Rectification, change: str, text: str, proof_call_id: str | None = None) -> None:
    """History, audit and fact of one change."""
    row.version += 1
    work.session.add(
        RectificationStep(
            id=new_id("rstep"),
            rectification_id=row.id,
            at=work.clock.now(),
            staff_id=work.actor.staff_id,
            action=change,
            text=text,
            proof_call_id=proof_call_id,
        )
    )
    work.audit(f"rectification.{change}", "rectification", row.id, call_id=row.call_id, round=row.round)
    fact = {"rectification_id": row.id, "teller_id": row.teller_id, "change": change}
    work.emit(RectificationChanged.model_validate({"at": work.clock.now(), "call_id": row.call_id, **fact}))
