"""Times booked and callbacks asked for. Writer: server.booking."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class Appointment(SQLModel, table=True):
    """A time at the counter.

    Attributes:
        code: What the customer shows or types: eight digits, unique.
        state: ``booked``, ``checked_in``, ``cancelled`` or ``missed``.
        contact: Phone number or address, sealed with the master key; only `contact_masked` is ever shown.
        visit_id: Of the check-in.
    """

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    business_code: str = Field(foreign_key="business.code", index=True)
    starts_at: datetime = utc_field(index=True)
    ends_at: datetime = utc_field()
    language: str
    contact: bytes
    contact_masked: str
    state: str
    created_at: datetime = utc_field()
    reminded_at: datetime | None = utc_field(nullable=True)
    checked_in_at: datetime | None = utc_field(nullable=True)
    visit_id: str | None = Field(default=None, foreign_key="visit.id", index=True)


class Callback(SQLModel, table=True):
    """A customer who left the queue to be called back, and keeps the place.

    Attributes:
        call_id: The call that waited. queued_at / priority: Its place.
        state: ``waiting``, ``called`` (the customer was told to come), ``returned``, ``expired`` or ``cancelled``.
        code: In the link that brings the customer back.
    """

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    call_id: str = Field(foreign_key="call.id", unique=True)
    visit_id: str = Field(foreign_key="visit.id")
    business_code: str = Field(foreign_key="business.code")
    skill_group: str = Field(index=True)
    queued_at: datetime = utc_field()
    priority: int = 0
    language: str
    contact: bytes
    contact_masked: str
    state: str = Field(index=True)
    created_at: datetime = utc_field()
    called_at: datetime | None = utc_field(nullable=True)
    returned_visit_id: str | None = Field(default=None, foreign_key="visit.id", index=True)
