"""Other systems of the bank: their keys, bookings and webhooks. Writer: server.open."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class ApiKey(SQLModel, table=True):
    """What another system shows to be let in.

    Attributes:
        name: Which system it is, for people. sha256: Of the whole key; the key itself is shown once and kept nowhere.
        scopes: Of `core.security.permissions.SCOPES`.
        last_used_at: To the minute.
    """

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    name: str
    sha256: str = Field(unique=True)
    scopes: list[str] = json_field(list)
    created_by: str
    created_at: datetime = utc_field()
    expires_at: datetime = utc_field()
    last_used_at: datetime | None = utc_field(nullable=True)
    revoked_at: datetime | None = utc_field(nullable=True)


class EntryPass(SQLModel, table=True):
    """Another system sends a customer it knows: a single-use link that says of which class the customer is.

    Attributes:
        token_sha256: Of the link's secret. customer_class: As in `Call`.
        visit_id: The visit that used it.
    """

    __tablename__ = "entry_pass"

    id: str = Field(primary_key=True)
    token_sha256: str = Field(unique=True)
    key_id: str = Field(foreign_key="api_key.id")
    business_code: str = Field(foreign_key="business.code")
    customer_class: str
    created_at: datetime = utc_field()
    expires_at: datetime = utc_field()
    visit_id: str | None = Field(default=None, foreign_key="visit.id", unique=True)


class OpenBooking(SQLModel, table=True):
    """An appointment another system made. `reference`: its own name for it, unique within the system."""

    __tablename__ = "open_booking"
    __table_args__ = (UniqueConstraint("key_id", "reference"),)

    id: str = Field(primary_key=True)
    key_id: str = Field(foreign_key="api_key.id", index=True)
    reference: str
    appointment_id: str = Field(foreign_key="appointment.id", unique=True)
    created_at: datetime = utc_field()


class Webhook(SQLModel, table=True):
    """Where a system wants to be told. It is told of what its key may see, and nothing else.

    Attributes:
        sealed_secret: Signs every message; encrypted with the master key.
        events: Public names, see `server.open.messages.EVENTS`.
    """

    id: str = Field(primary_key=True)
    key_id: str = Field(foreign_key="api_key.id", index=True)
    url: str
    sealed_secret: bytes
    events: list[str] = json_field(list)
    enabled: bool = True
    created_by: str
    created_at: datetime = utc_field()


class WebhookState(StrEnum):
    """Progress of a message."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up; a person was alarmed and may send it again


class WebhookDelivery(SQLModel, table=True):
    """One fact on its way to one webhook.

    Attributes:
        body: What is sent, byte for byte the same each time.
        round: Which sending; a person's replay begins a new one. attempts: Within the round.
        status: HTTP status of the last answer. error: Code of the last failure.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (UniqueConstraint("webhook_id", "event_id"),)

    id: str = Field(primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id", index=True)
    event_id: str
    event: str
    call_id: str = Field(foreign_key="call.id", index=True)
    body: str
    state: str = Field(index=True)
    round: int = 1
    attempts: int = 0
    status: int | None = None
    error: str | None = None
    created_at: datetime = utc_field(index=True)
    sent_at: datetime | None = utc_field(nullable=True)
