"""What follows an evaluation: appeals, rectifications, coaching, best cases, calibration. Writer: qa."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class AppealState(StrEnum):
    """Who has to speak next."""

    WITH_SUPERVISOR = "with_supervisor"
    WITH_LEAD = "with_lead"
    DECIDED = "decided"


class Appeal(SQLModel, table=True):
    """A teller's appeal against items of an evaluation; one per evaluation."""

    id: str = Field(primary_key=True)
    evaluation_id: str = Field(foreign_key="evaluation.id", unique=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    teller_id: str = Field(foreign_key="staff.id", index=True)
    state: str = Field(index=True)
    supervisor_id: str | None = Field(default=None, foreign_key="staff.id")
    lead_id: str | None = Field(default=None, foreign_key="staff.id")
    note: str = ""
    created_at: datetime = utc_field()
    supported_at: datetime | None = utc_field(nullable=True)
    decided_at: datetime | None = utc_field(nullable=True)
    due_at: datetime = utc_field()


class AppealItem(SQLModel, table=True):
    """One item under appeal.

    Attributes:
        supported: The supervisor's opinion. upheld: The final verdict; then `fraction` is the item's new share
            (None: does not apply).
    """

    __tablename__ = "appeal_item"

    appeal_id: str = Field(primary_key=True, foreign_key="appeal.id")
    item_id: str = Field(primary_key=True)
    reason: str
    supported: bool | None = None
    supervisor_note: str = ""
    upheld: bool | None = None
    fraction: Decimal | None = Field(default=None, max_digits=5, decimal_places=4)
    lead_note: str = ""


class RectificationState(StrEnum):
    """Progress of a rectification; it goes round until it is effective."""

    OPEN = "open"  # the teller owes proof
    PROVEN = "proven"  # proof is there, the inspector checks again
    EFFECTIVE = "effective"


class Rectification(SQLModel, table=True):
    """A task to put right what an evaluation or a finding showed (整改).

    Attributes:
        round: 1, and one more for each proof that was not good enough.
        escalated_at: When it was overdue and an alarm was raised, once per round.
    """

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    finding_id: str | None = Field(default=None, foreign_key="finding.id")
    item_id: str | None = None
    title: str
    demand: str
    category: str
    teller_id: str = Field(foreign_key="staff.id", index=True)
    created_by: str = Field(foreign_key="staff.id")
    state: str = Field(index=True)
    round: int = 1
    due_at: datetime = utc_field(index=True)
    created_at: datetime = utc_field()
    closed_at: datetime | None = utc_field(nullable=True)
    escalated_at: datetime | None = utc_field(nullable=True)
    version: int = 1


class RectificationStep(SQLModel, table=True):
    """One entry of a rectification's history. `proof_call_id`: a later call that shows the improvement."""

    __tablename__ = "rectification_step"

    id: str = Field(primary_key=True)
    rectification_id: str = Field(foreign_key="rectification.id", index=True)
    at: datetime = utc_field()
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    action: str
    text: str = ""
    proof_call_id: str | None = Field(default=None, foreign_key="call.id")


class RectificationFile(SQLModel, table=True):
    """A file that proves a rectification; its object is sealed under a key of its own, wrapped by the master key."""

    __tablename__ = "rectification_file"

    id: str = Field(primary_key=True)
    rectification_id: str = Field(foreign_key="rectification.id", index=True)
    round: int
    name: str
    content_type: str
    pages: int
    size_b: int
    sha256: str
    object_key: str
    wrapped_key: bytes
    added_at: datetime = utc_field()


class CoachingNote(SQLModel, table=True):
    """A word from an inspector to a teller about a moment of a call; no points, only help."""

    __tablename__ = "coaching_note"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    teller_id: str = Field(foreign_key="staff.id", index=True)
    author_id: str = Field(foreign_key="staff.id")
    at_s: float | None
    text: str
    created_at: datetime = utc_field()
    read_at: datetime | None = utc_field(nullable=True)


class BestCase(SQLModel, table=True):
    """A stretch of a call from which others can learn; its words are kept as they were shown then."""

    __tablename__ = "best_case"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    business_code: str
    title: str
    lesson: str
    from_s: float
    to_s: float
    lines: list[dict[str, object]] = json_field(list)
    added_by: str = Field(foreign_key="staff.id")
    created_at: datetime = utc_field()
    withdrawn_at: datetime | None = utc_field(nullable=True)


class CalibrationSession(SQLModel, table=True):
    """Several inspectors score the same call without seeing each other's marks.

    Attributes:
        expert_id: Whose marks count as right; participants: the others who score.
        closed_at: From then on everybody who took part sees the result.
    """

    __tablename__ = "calibration_session"

    id: str = Field(primary_key=True)
    title: str
    call_id: str = Field(foreign_key="call.id", index=True)
    form_version: str
    expert_id: str = Field(foreign_key="staff.id")
    participants: list[str] = json_field(list)
    created_by: str = Field(foreign_key="staff.id")
    created_at: datetime = utc_field()
    due_at: datetime = utc_field()
    closed_at: datetime | None = utc_field(nullable=True)


class CalibrationScore(SQLModel, table=True):
    """One person's marks in a calibration session."""

    __tablename__ = "calibration_score"

    session_id: str = Field(primary_key=True, foreign_key="calibration_session.id")
    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    answers: dict[str, object] = json_field()
    score: Decimal = Field(max_digits=6, decimal_places=2)
    fatal: bool
    comment: str = ""
    submitted_at: datetime = utc_field()
