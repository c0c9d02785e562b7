"""What supervisors are asked for and what they switch: help requests and emergencies. Writer: server.wallboard."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class HelpRequest(SQLModel, table=True):
    """A teller asks for a supervisor, or a call has run over its time limit and the house asks.

    Attributes:
        kind: ``help`` (asked by the teller) or ``overtime`` (asked by the house, once per call).
        answered_by: The supervisor who took it.
    """

    __tablename__ = "help_request"
    __table_args__ = (
        Index("ux_help_request_overtime", "call_id", unique=True, postgresql_where=text("kind = 'overtime'")),
    )

    id: str = Field(primary_key=True)
    kind: str
    teller_id: str = Field(foreign_key="staff.id", index=True)
    call_id: str | None = Field(default=None, foreign_key="call.id")
    message: str = ""
    at: datetime = utc_field(index=True)
    answered_by: str | None = Field(default=None, foreign_key="staff.id")
    answered_at: datetime | None = utc_field(nullable=True)


class Emergency(SQLModel, table=True):
    """The emergency switch: thrown, what it did, and what was learnt. A drill is logged and touches no customer.

    Attributes:
        event_class: ``system``, ``network``, ``power``, ``security`` or ``staff``.
        stop_entry: Nobody joins a queue while it lasts.
        moved_calls: Waiting calls that were sent away with their place kept.
        review: What went well and what did not, written when it ends.
    """

    id: str = Field(primary_key=True)
    event_class: str
    drill: bool
    notice_zh: str
    notice_en: str
    stop_entry: bool
    moved_calls: int = 0
    started_by: str = Field(foreign_key="staff.id")
    started_at: datetime = utc_field(index=True)
    ended_by: str | None = Field(default=None, foreign_key="staff.id")
    ended_at: datetime | None = utc_field(nullable=True)
    review: str = ""
