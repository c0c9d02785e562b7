"""Messages to customers. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class NoticeChannel(StrEnum):
    """How a message travels."""

    IN_APP = "in_app"
    EMAIL = "email"
    SMS = "sms"


class NoticeState(StrEnum):
    """Progress of a message."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # refused, or given up after the last attempt; a person was alarmed and may try again


class NoticeMessage(SQLModel, table=True):
    """One message over one channel.

    Attributes:
        sealed_address: E-mail address or phone number, encrypted with the master key; None in-app.
        masked_address: What people may see of it.
        round: Which sending this is; a retry by a person begins a new one. attempts: Within the round.
        error: Code of the last failure.
    """

    __tablename__ = "notice_message"

    id: str = Field(primary_key=True)
    kind: str
    channel: str
    visit_id: str | None = Field(default=None, foreign_key="visit.id", index=True)
    call_id: str | None = Field(default=None, foreign_key="call.id", index=True)
    subject_id: str | None = Field(default=None, index=True)
    sealed_address: bytes | None = None
    masked_address: str = ""
    title: str
    text: str
    state: str = Field(index=True)
    round: int = 1
    attempts: int = 0
    error: str | None = None
    created_at: datetime = utc_field(index=True)
    sent_at: datetime | None = utc_field(nullable=True)
