"""Follow-up and complaint tickets. Writer: server.tickets."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class TicketKind(StrEnum):
    """Where a ticket comes from."""

    LOW_RATING = "low_rating"
    COMPLAINT = "complaint"


class TicketState(StrEnum):
    """Life of a ticket."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Ticket(SQLModel, table=True):
    """One story told once, with the department that answers it and the time by which it must.

    Attributes:
        number: Running number told to the customer.
        department: ``operations``, ``quality``, ``product`` or ``technology``.
        teller_id: Whose work it is about; that person never sees, moves or answers it.
        opened_by: ``visit:…``, ``staff:…`` or ``system:…``.
        see_by / seen_at: By when the department must have opened it (15 minutes), and when it did.
        answer_by: When the answer to the customer is due.
        escalated_at: Somebody above was alarmed because one of the times had passed.
        answer: What the customer reads.
    """

    __table_args__ = (
        Index("ux_ticket_low_rating", "call_id", unique=True, postgresql_where=text("kind = 'low_rating'")),
    )

    id: str = Field(primary_key=True)
    number: int = Field(unique=True)
    kind: str
    state: str = Field(index=True)
    department: str = Field(index=True)
    visit_id: str | None = Field(default=None, foreign_key="visit.id", index=True)
    call_id: str | None = Field(default=None, foreign_key="call.id")
    teller_id: str | None = Field(default=None, foreign_key="staff.id", index=True)
    subject: str
    story: str
    opened_by: str
    opened_at: datetime = utc_field(index=True)
    see_by: datetime = utc_field()
    seen_at: datetime | None = utc_field(nullable=True)
    seen_by: str | None = Field(default=None, foreign_key="staff.id")
    answer_by: datetime = utc_field()
    escalated_at: datetime | None = utc_field(nullable=True)
    answer: str = ""
    answered_by: str | None = Field(default=None, foreign_key="staff.id")
    answered_at: datetime | None = utc_field(nullable=True)
    closed_at: datetime | None = utc_field(nullable=True)
    version: int = 1


class TicketStep(SQLModel, table=True):
    """What happened to a ticket; append-only."""

    __tablename__ = "ticket_step"

    id: str = Field(primary_key=True)
    ticket_id: str = Field(foreign_key="ticket.id", index=True)
    at: datetime = utc_field()
    by: str
    what: str  # opened, seen, note, moved, escalated, answered, closed
    text: str = ""
