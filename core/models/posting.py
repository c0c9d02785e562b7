"""Postings to the core banking system: what was asked, what was answered, what is unclear. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class PostingState(StrEnum):
    """Life of a posting. Legal moves are in `server.counter.banking.plan`."""

    RUNNING = "running"
    UNDOING = "undoing"
    DONE = "done"
    ROLLED_BACK = "rolled_back"
    RECONCILE = "reconcile"  # unclear after all attempts: on the list of the supervisors
    SETTLED = "settled"  # cleared up by a person outside the house, with a written reason


class PostingStepState(StrEnum):
    """Life of one request of a posting."""

    PENDING = "pending"
    SENT = "sent"  # may be booked: the answer is not known
    DONE = "done"
    REFUSED = "refused"
    UNDO_SENT = "undo_sent"
    UNDONE = "undone"
    STUCK = "stuck"  # the core system refuses to undo it


class Posting(SQLModel, table=True):
    """One transaction of several requests that is done as a whole or undone as a whole.

    Attributes:
        case_id / step_key / attempt: The step of a business that waits for it.
        sealed_plan: The requests' contents (names, account numbers), encrypted.
        masked: What people may see of it: ``尾号 4567 → 尾号 4321``.
        reason: Code of what stopped it. attempts: Runs since the last answer of the core system.
        settled_by / settled_reason: Who cleared it up, and how, in that person's words.
    """

    id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    step_key: str
    attempt: int
    call_id: str = Field(foreign_key="call.id", index=True)
    business_code: str
    state: str = Field(index=True)
    version: int = 1
    amount_fen: int = Field(default=0, sa_type=BigInteger)
    fee_fen: int = Field(default=0, sa_type=BigInteger)
    sealed_plan: bytes
    masked: str = ""
    reason: str | None = None
    attempts: int = 0
    settled_by: str | None = None
    settled_reason: str | None = None
    created_at: datetime = utc_field(index=True)
    ended_at: datetime | None = utc_field(nullable=True)


class PostingStep(SQLModel, table=True):
    """One request of a posting, in order. `undo_round`: a refused reversal is asked for anew under another id."""

    __tablename__ = "posting_step"

    posting_id: str = Field(primary_key=True, foreign_key="posting.id")
    seq: int = Field(primary_key=True)
    request_id: str = Field(unique=True)
    kind: str
    state: str
    code: str | None = None
    undo_round: int = 0
    at: datetime = utc_field()
