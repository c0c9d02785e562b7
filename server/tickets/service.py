"""Opening, answering and closing tickets."""

from typing import Any

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError
from core.events import CallRated, TicketAnswered, TicketOpened
from core.figures.definitions import LOW_STARS
from core.ids import new_id
from core.models.call import Call, Rating
from core.models.ticket import Ticket, TicketKind, TicketState, TicketStep
from core.models.visit import Visit
from core.ports.notices import Notice, Notices, Recipient
from core.rate_limit import RateLimiter
from core.security.actor import Actor, system_actor
from server.tickets import rules
from server.tickets.schemas import (
    OwnTicket,
    TicketAnswerRequest,
    TicketDetail,
    TicketMoveRequest,
    TicketOpenRequest,
    TicketRow,
)
from server.tickets.views import detail, own_view, row_view

SHOWN = 200
COMPLAINTS_PER_HOUR = 5
_NUMBER_LOCK = 0x7469636B  # pg advisory lock: "tick"
_ANSWERED = {
    "zh-CN": ("您反映的问题已有答复", "工单 {number} 已答复：{answer}"),
    "en": ("Your complaint has been answered", "Ticket {number}: {answer}"),
}


class TicketService:
    """The only writer of `Ticket` and `TicketStep`."""

    def __init__(self, database: Database, notices: Notices | None = None, limiter: RateLimiter | None = None) -> None:
        """`notices` tells customers of answers; workers, which only open tickets, need none."""
        self._database = database
        self._notices = notices
        self._limiter = limiter

    # --- opening ------------------------------------------------------------------------------------------------

    async def on_rated(self, fact: CallRated) -> None:
        """A low rating is followed up; one ticket per call, however often this is told."""
        if fact.stars > LOW_STARS:
            return
        async with self._database.unit_of_work(system_actor("tickets")) as work:
            call = await work.session.get_one(Call, fact.call_id, with_for_update=True)
            there = select(Ticket.id).where(
                col(Ticket.call_id) == call.id, col(Ticket.kind) == TicketKind.LOW_RATING.value
            )
            if (await work.session.scalars(there)).first() is not None:
                return
            rating = await work.session.get_one(Rating, call.id)
            story = rating.comment or "、".join(rating.tags) or "客户未留言。"
            await self._open(
                work,
                kind=TicketKind.LOW_RATING,
                department="operations",
                subject=f"来电 {call.number} 评价 {rating.stars} 星",
                story=story,
                call=call,
            )

    async def complain(self, actor: Actor, story: str) -> OwnTicket:
        """A customer complains about the visit; the story is told once.

        Raises:
            NotFoundError: ``visit.not_found``. RateLimitedError: too many at once.
        """
        visit_id = actor.visit_id or ""
        if self._limiter is not None:
            await self._limiter.hit(f"complaint:{visit_id}", COMPLAINTS_PER_HOUR, 3600)
        async with self._database.unit_of_work(actor) as work:
            if await work.session.get(Visit, visit_id) is None:
                raise NotFoundError("there is no such visit", code="visit.not_found")
            last = select(Call).where(col(Call.visit_id) == visit_id).order_by(col(Call.number).desc()).limit(1)
            call = (await work.session.scalars(last)).first()
            ticket = await self._open(
                work,
                kind=TicketKind.COMPLAINT,
                department="quality",
                subject=f"客户投诉（来电 {call.number}）" if call else "客户投诉",
                story=story,
                call=call,
                visit_id=visit_id,
            )
        return own_view(ticket)

    async def open_for_customer(self, actor: Actor, request: TicketOpenRequest) -> OwnTicket:
        """Staff writes down what a customer said.

        Raises:
            NotFoundError: ``call.not_found``.
        """
        async with self._database.unit_of_work(actor) as work:
            call = None
            if request.call_id is not None:
                call = await work.session.get(Call, request.call_id)
                if call is None or not ("teller" not in actor.roles or call.teller_id == actor.staff_id):
                    raise NotFoundError("there is no such call", code="call.not_found")
            ticket = await self._open(
                work,
                kind=TicketKind.COMPLAINT,
                department=request.department,
                subject=request.subject,
                story=request.story,
                call=call,
            )
        return own_view(ticket)

    async def _open(
        self,
        work: UnitOfWork,
        *,
        kind: TicketKind,
        department: str,
        subject: str,
        story: str,
        call: Call | None,
        visit_id: str | None = None,
    ) -> Ticket:
        now = work.clock.now()
        due = rules.due(kind.value, now)
        ticket = Ticket(
            id=new_id("ticket"),
            number=await _next_number(work.session),
            kind=kind.value,
            state=TicketState.OPEN,
            department=department,
            visit_id=visit_id or (call.visit_id if call else None),
            call_id=call.id if call else None,
            teller_id=call.teller_id if call else None,
            subject=subject,
            story=story,
            opened_by=work.actor.name,
            opened_at=now,
            see_by=due.see_by,
            answer_by=due.answer_by,
        )
        work.session.add(ticket)
        await work.session.flush()
        _step(work, ticket, "opened")
        work.emit(TicketOpened(at=now, ticket_id=ticket.id, kind=kind.value, department=department))
        work.audit("ticket.open", "ticket", ticket.id, kind=kind.value, department=department, call=ticket.call_id)
        return ticket

    # --- looking ------------------------------------------------------------------------------------------------

    async def tickets(self, actor: Actor, state: str | None, limit: int = SHOWN) -> list[TicketRow]:
        """At most `limit` tickets of the actor's departments; never ones about the own work.

        Unanswered ones first, the first due at the top; then those answered, the newest answer at the top.
        """
        query = (
            select(Ticket)
            .where(
                col(Ticket.department).in_(rules.departments_of(actor.roles)),
                col(Ticket.teller_id).is_distinct_from(actor.staff_id),
            )
            .order_by(col(Ticket.answered_at).desc().nulls_first(), col(Ticket.answer_by), col(Ticket.number))
            .limit(limit)
        )
        if state is not None:
            query = query.where(col(Ticket.state) == state)
        now = self._database.clock.now()
        async with self._database.read() as session:
            return [row_view(ticket, now) for ticket in (await session.scalars(query)).all()]

    async def look(self, actor: Actor, ticket_id: str) -> TicketDetail:
        """The whole story; the first look by the department is noted.

        Raises:
            NotFoundError: ``ticket.not_found``, also for those about the own work.
        """
        async with self._database.unit_of_work(actor) as work:
            ticket = await _locked(work, actor, ticket_id)
            if ticket.seen_at is None:
                ticket.seen_at, ticket.seen_by = work.clock.now(), actor.staff_id
                _step(work, ticket, "seen")
            work.audit("ticket.view", "ticket", ticket.id)
        return await self._detail(actor, ticket)

    async def own(self, actor: Actor) -> list[OwnTicket]:
        """What this visit complained about, or this member of staff opened."""
        mine = col(Ticket.opened_by) == actor.name
        query = select(Ticket).where(mine).order_by(col(Ticket.number).desc()).limit(50)
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        # A teller who wrote a complaint down does not read the answer to one about the own work.
        return [
            own_view(row, hide_answer=actor.staff_id is not None and row.teller_id == actor.staff_id) for row in rows
        ]

    # --- working ------------------------------------------------------------------------------------------------

    async def note(self, actor: Actor, ticket_id: str, words: str) -> TicketDetail:
        """A word to colleagues. NotFoundError ``ticket.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            ticket = await _locked(work, actor, ticket_id)
            _step(work, ticket, "note", words)
            work.audit("ticket.note", "ticket", ticket.id)
        return await self._detail(actor, ticket)

    async def move(self, actor: Actor, ticket_id: str, request: TicketMoveRequest) -> TicketRow:
        """Hand it to another department, which has to look at it anew; the answer stays due when it was.

        Raises:
            NotFoundError: ``ticket.not_found``. ConflictError: ``ticket.stale``, ``ticket.not_open``.
        """
        async with self._database.unit_of_work(actor) as work:
            ticket = await _locked(work, actor, ticket_id, request.version)
            _require(ticket, TicketState.OPEN)
            now = work.clock.now()
            before, ticket.department = ticket.department, request.department
            ticket.seen_at = ticket.seen_by = None
            ticket.see_by = rules.due(ticket.kind, now).see_by
            ticket.escalated_at = None
            _step(work, ticket, "moved", f"{before} → {request.department}: {request.reason}")
            work.audit("ticket.move", "ticket", ticket.id, before=before, after=request.department)
        return row_view(ticket, now)

    async def answer(self, actor: Actor, ticket_id: str, request: TicketAnswerRequest) -> TicketDetail:
        """Answer the customer.

        Raises:
            NotFoundError: ``ticket.not_found``. ConflictError: ``ticket.stale``, ``ticket.not_open``.
            DeniedError: ``ticket.own``: who opened it does not answer it.
        """
        async with self._database.unit_of_work(actor) as work:
            ticket = await _locked(work, actor, ticket_id, request.version)
            _require_judge(actor, ticket)
            _require(ticket, TicketState.OPEN)
            now = work.clock.now()
            ticket.state, ticket.answer = TicketState.ANSWERED, request.answer
            ticket.answered_by, ticket.answered_at = actor.staff_id, now
            _step(work, ticket, "answered", request.answer)
            work.emit(TicketAnswered(at=now, ticket_id=ticket.id))
            work.audit("ticket.answer", "ticket", ticket.id, answer=request.answer)
            await self._tell_customer(work, ticket)
        return await self._detail(actor, ticket)

    async def _tell_customer(self, work: UnitOfWork, ticket: Ticket) -> None:
        if self._notices is None or ticket.visit_id is None:
            return
        visit = await work.session.get_one(Visit, ticket.visit_id)
        title, words = _ANSWERED["en" if visit.language == "en" else "zh-CN"]
        notice = Notice(
            kind="ticket.answered",
            title=title,
            text=words.format(number=ticket.number, answer=ticket.answer),
            recipient=Recipient(visit_id=ticket.visit_id),
            call_id=ticket.call_id,
            subject_id=ticket.id,
        )
        await self._notices.queue(work, notice)

    async def close(self, actor: Actor, ticket_id: str, version: int) -> TicketDetail:
        """Nothing is left to do. As `answer`; ConflictError ``ticket.not_answered`` before there is an answer."""
        async with self._database.unit_of_work(actor) as work:
            ticket = await _locked(work, actor, ticket_id, version)
            _require_judge(actor, ticket)
            if ticket.state != TicketState.ANSWERED:
                raise ConflictError("answer the customer first", code="ticket.not_answered")
            ticket.state, ticket.closed_at = TicketState.CLOSED, work.clock.now()
            _step(work, ticket, "closed")
            work.audit("ticket.close", "ticket", ticket.id)
        return await self._detail(actor, ticket)

    async def escalate_overdue(self) -> list[str]:
        """Alarm for tickets nobody saw or answered in time; each once. Returns their ids."""
        async with self._database.unit_of_work(system_actor("tickets")) as work:
            now = work.clock.now()
            unseen = (col(Ticket.seen_at).is_(None)) & (col(Ticket.see_by) < now)
            unanswered = (col(Ticket.answered_at).is_(None)) & (col(Ticket.answer_by) < now)
            query = select(Ticket).where(col(Ticket.escalated_at).is_(None), unseen | unanswered)
            late = (await work.session.scalars(query.limit(SHOWN).with_for_update(skip_locked=True))).all()
            for ticket in late:
                ticket.escalated_at = now
                what = "seen" if ticket.seen_at is None else "answered"
                _step(work, ticket, "escalated", what)
                message = f"ticket {ticket.number} of {ticket.department} was not {what} in time"
                raise_alarm(work, "ticket.overdue", message, ticket.call_id, ticket=ticket.id)
                work.audit("ticket.escalate", "ticket", ticket.id, what=what)
        return [ticket.id for ticket in late]

    async def _detail(self, actor: Actor, ticket: Ticket) -> TicketDetail:
        async with self._database.read() as session:
            return await detail(session, ticket, self._database.clock.now(), actor.name)


async def _next_number(session: AsyncSession) -> int:
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _NUMBER_LOCK})
    return ((await session.scalars(select(func.max(Ticket.number)))).first() or 0) + 1


async def _locked(work: UnitOfWork, actor: Actor, ticket_id: str, version: int | None = None) -> Ticket:
    """A ticket the actor works on. With a version: for a change that needs the newest state to be known."""
    ticket = await work.session.get(Ticket, ticket_id, with_for_update=True)
    staff_id = actor.staff_id or ""
    if ticket is None or not rules.may_see(staff_id, actor.roles, ticket.teller_id, ticket.department):
        raise NotFoundError("there is no such ticket", code="ticket.not_found")
    if version is not None:
        if ticket.version != version:
            raise ConflictError("somebody else has changed it", code="ticket.stale")
        ticket.version += 1
    return ticket


def _require(ticket: Ticket, state: TicketState) -> None:
    if ticket.state != state:
        raise ConflictError("the ticket is not open any more", code="ticket.not_open")


def _require_judge(actor: Actor, ticket: Ticket) -> None:
    if not rules.may_judge(actor.staff_id or "", ticket.opened_by):
        raise DeniedError("who opened a ticket does not judge it", code="ticket.own")


def _step(work: UnitOfWork, ticket: Ticket, what: str, words: str = "") -> None:
    row: dict[str, Any] = {"id": new_id("step"), "ticket_id": ticket.id, "at": work.clock.now()}
    work.session.add(TicketStep(**row, by=work.actor.name, what=what, text=words))
