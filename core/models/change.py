"""Changes of what the counter works by, decided by a second person. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class ChangeState(StrEnum):
    """Life of a change."""

    WAITING = "waiting"
    APPROVED = "approved"  # in force since then
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by its author


class ControlledChange(SQLModel, table=True):
    """Something an administrator wants to be otherwise: a business, the review rules, an authorisation level.

    Attributes:
        kind: As `server.counter.changes.subjects`. subject: Which one: a business's code, a member of staff, ``all``.
        content: What shall be in force, checked when it was handed in and once more when it is approved.
        before: What was in force when it was handed in. based_on: The version of that; 0 for something new.
        decided_by: Never the author, never whom it is about.
    """

    __tablename__ = "controlled_change"
    # Two waiting changes of one thing would each undo what the other one says.
    __table_args__ = (
        Index(
            "ux_controlled_change_waiting", "kind", "subject", unique=True, postgresql_where=text("state = 'waiting'")
        ),
    )

    id: str = Field(primary_key=True)
    kind: str
    subject: str = Field(index=True)
    content: dict[str, Any] = json_field()
    before: dict[str, Any] = json_field()
    based_on: int
    note: str
    state: str = Field(index=True)
    author_id: str = Field(foreign_key="staff.id")
    proposed_at: datetime = utc_field(index=True)
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = utc_field(nullable=True)
    decision_note: str = ""
