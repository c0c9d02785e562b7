"""Fraud alerts during calls. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class FraudState(StrEnum):
    """Life of an alert."""

    OPEN = "open"  # raised; the first assessment is due within 30 s
    ASSESSED = "assessed"  # the teller has said what it looks like; a decision is still due
    DECIDED = "decided"


class FraudOutcome(StrEnum):
    """What was decided."""

    CONTINUE = "continue"
    DELAY = "delay"
    STOP = "stop"
    REPORT = "report"  # stopped, and reported to the police


class FraudAlert(SQLModel, table=True):
    """Something said, typed or answered in a call hints at fraud.

    Attributes:
        signs: ``[{"source": "speech"|"chat"|"answers"|"person", "key", "label_zh", "label_en", "party", "words",
            "at_s"}]``; a sign is there once.
        proposal: What the house proposes: delay or stop.
        assess_by: First assessment due. late: It came later, or not at all.
        told: The reason as told to the customer.
    """

    __tablename__ = "fraud_alert"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    version: int = 1
    state: str = Field(index=True)
    signs: list[dict[str, object]] = json_field(list)
    proposal: str
    raised_at: datetime = utc_field(index=True)
    assess_by: datetime = utc_field()
    assessed_at: datetime | None = utc_field(nullable=True)
    assessed_by: str | None = Field(default=None, foreign_key="staff.id")
    assessment: str | None = None
    late: bool = False
    outcome: str | None = None
    told: str | None = None
    delay_h: int | None = None
    decided_at: datetime | None = utc_field(nullable=True)
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decision_reason: str | None = None
