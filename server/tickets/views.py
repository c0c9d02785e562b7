"""Tickets as they are shown."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.call import Call, Rating
from core.models.staff import Staff
from core.models.ticket import Ticket, TicketStep
from server.tickets.rules import is_overdue
from server.tickets.schemas import OwnTicket, TicketDetail, TicketRow, TicketStepView


def row_view(ticket: Ticket, now: datetime) -> TicketRow:
    """A ticket in a list."""
    return TicketRow.model_validate(_row(ticket, now))


def _row(ticket: Ticket, now: datetime) -> dict[str, object]:
    row = {name: getattr(ticket, name) for name in TicketRow.model_fields if name != "overdue"}
    seen, answered = ticket.seen_at is not None, ticket.answered_at is not None
    return row | {"overdue": is_overdue(ticket.see_by, seen, ticket.answer_by, answered, now)}


def own_view(ticket: Ticket, hide_answer: bool = False) -> OwnTicket:
    """A ticket as who opened it sees it."""
    view = OwnTicket.model_validate(ticket, from_attributes=True)
    return view.model_copy(update={"answer": ""}) if hide_answer else view


async def detail(session: AsyncSession, ticket: Ticket, now: datetime, reader: str) -> TicketDetail:
    """The whole story with the names of people."""
    steps = select(TicketStep).where(col(TicketStep.ticket_id) == ticket.id)
    history = (await session.scalars(steps.order_by(col(TicketStep.at), col(TicketStep.id)))).all()
    call = await session.get(Call, ticket.call_id) if ticket.call_id else None
    rating = await session.get(Rating, ticket.call_id) if ticket.call_id else None
    teller = await session.get(Staff, ticket.teller_id) if ticket.teller_id else None
    names = await _names(session, {step.by for step in history} | {ticket.opened_by})
    return TicketDetail.model_validate(
        {
            **_row(ticket, now),
            "story": ticket.story,
            "answer": ticket.answer,
            "call_id": ticket.call_id,
            "call_number": call.number if call else None,
            "business_code": call.business_code if call else None,
            "teller_name": teller.display_name if teller else None,
            "stars": rating.stars if rating else None,
            "opened_by": names[ticket.opened_by],
            "mine": ticket.opened_by == reader,
            "version": ticket.version,
            "steps": [
                TicketStepView(at=step.at, by=names[step.by], what=step.what, text=step.text) for step in history
            ],
        }
    )


async def _names(session: AsyncSession, actors: set[str]) -> dict[str, str]:
    """Names of staff; customers and the house are named by what they are."""
    ids = {actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")}
    named = select(Staff.id, Staff.display_name).where(col(Staff.id).in_(ids))
    names = {f"staff:{staff_id}": name for staff_id, name in (await session.execute(named)).all()}
    return {actor: names.get(actor, actor.partition(":")[0]) for actor in actors}
