"""Dual review and authorisation levels. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class AuthorisationLevel(SQLModel, table=True):
    """Up to which risk a member of staff may decide, 1 to 5. Nobody without a row may decide anything."""

    __tablename__ = "authorisation_level"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    level: int
    set_by: str
    at: datetime = utc_field()


class ReviewRuleRow(SQLModel, table=True):
    """One row of the rule table, as `server.counter.review.rules.ReviewRule`."""

    __tablename__ = "review_rule"

    position: int = Field(primary_key=True)
    content: dict[str, object] = json_field()


class ReviewState(StrEnum):
    """Life of a request for a second person."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"  # the business ends
    RETURNED = "returned"  # the teller has to correct something and asks anew
    EXPIRED = "expired"  # nobody decided in time
    WITHDRAWN = "withdrawn"  # the business has moved on without it


class ReviewRequest(SQLModel, table=True):
    """A question to a second person about one step of a business.

    Attributes:
        case_version: The business's version that was shown; a decision about another one is refused.
        sealed_shown: Everything the second person sees, encrypted. shown_sha256: Of its canonical JSON.
        level: Needed by who decides. written_reason: An approval has to say why.
        escalated_at: When everybody in charge was called because nobody had decided.
    """

    __tablename__ = "review_request"

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="business_case.id", index=True)
    step_key: str
    attempt: int
    case_version: int
    call_id: str = Field(foreign_key="call.id", index=True)
    teller_id: str = Field(foreign_key="staff.id")
    business_code: str
    amount_fen: int = Field(default=0, sa_type=BigInteger)
    level: int
    written_reason: bool
    reasons: list[str] = json_field(list)
    sealed_shown: bytes
    shown_sha256: str
    state: str = Field(index=True)
    requested_at: datetime = utc_field(index=True)
    escalate_at: datetime = utc_field()
    due_at: datetime = utc_field()
    escalated_at: datetime | None = utc_field(nullable=True)
    decided_at: datetime | None = utc_field(nullable=True)
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decision_reason: str | None = None
