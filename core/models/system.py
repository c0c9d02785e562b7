"""The house's own books: outbox, deliveries, audit, alarms. Writers: core.db, core.jobs, core.audit, core.alarms."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, BigInteger, Column, Identity, Text
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class OutboxEvent(SQLModel, table=True):
    """A committed fact. `relayed_at` is set once its deliveries exist."""

    __tablename__ = "outbox_event"

    seq: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: str = Field(unique=True)
    type: str
    call_id: str | None = Field(default=None, index=True)
    payload: str
    at: datetime = utc_field()
    relayed_at: datetime | None = utc_field(nullable=True, index=True)


class DeliveryState(StrEnum):
    """Progress of one fact to one handler."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # gave up after the last attempt; a person was alarmed and may retry


class EventDelivery(SQLModel, table=True):
    """One fact on its way to one handler. Handlers run at least once; DONE rows are never run again.

    Attributes:
        due_at: When the relay sends it (again). lease_until: A worker is at it and renews this.
    """

    __tablename__ = "event_delivery"

    event_id: str = Field(primary_key=True, foreign_key="outbox_event.event_id")
    handler: str = Field(primary_key=True)
    state: str = Field(index=True)
    attempts: int = 0
    error: str | None = None
    due_at: datetime = utc_field(index=True)
    lease_until: datetime | None = utc_field(nullable=True)
    updated_at: datetime = utc_field()


class AuditEntry(SQLModel, table=True):
    """Append-only, chained by SHA-256: ``hash = sha256(prev_hash + canonical JSON of the entry)``."""

    __tablename__ = "audit_entry"

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = utc_field(index=True)
    actor: str = Field(index=True)
    action: str = Field(index=True)
    object_type: str
    object_id: str = Field(index=True)
    detail: dict[str, object] = json_field()
    prev_hash: str
    hash: str


class AuditPending(SQLModel, table=True):
    """Entries of a transaction that is not committed yet; its commit chains them and removes the row.

    Attributes:
        entries: Each as canonical JSON: time, actor, action, type and id of the object, detail.
    """

    __tablename__ = "audit_pending"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    entries: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class Alarm(SQLModel, table=True):
    """Something failed that a person has to see."""

    id: str = Field(primary_key=True)
    kind: str
    call_id: str | None = None
    message: str
    fields: dict[str, object] = json_field()
    raised_at: datetime = utc_field(index=True)
    cleared_at: datetime | None = utc_field(nullable=True)
