"""Answers of the message lists."""

from datetime import datetime

from pydantic import BaseModel


class OwnNotice(BaseModel):
    """A message on the customer's own pages."""

    id: str
    kind: str
    title: str
    text: str
    created_at: datetime


class NoticeRow(BaseModel):
    """A message as the people in charge see it: where it went and how, never what it says."""

    id: str
    kind: str
    channel: str
    to: str
    call_id: str | None
    state: str
    attempts: int
    error: str | None
    created_at: datetime
    sent_at: datetime | None


class NoticeList(BaseModel):
    """Newest first; how many failed in all."""

    items: list[NoticeRow]
    failed: int
