"""Script checks, findings and evaluations. Writer: qa (compliance, scoring, desk)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class ComplianceCheck(SQLModel, table=True):
    """One authoritative check of a finished call, with the rule-set version that judged it."""

    __tablename__ = "compliance_check"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    rule_set_version: str
    checked_at: datetime = utc_field()


class FindingVerdict(StrEnum):
    """What an inspector says of a finding."""

    CONFIRMED = "confirmed"  # it is as the machine says
    REJECTED = "rejected"  # a false hit, or a node that was said after all


class Finding(SQLModel, table=True):
    """A stored `core.ports.compliance.RuleFinding`, and an inspector's verdict on it (`FindingVerdict`)."""

    id: str = Field(primary_key=True)
    check_id: str = Field(foreign_key="compliance_check.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    rule_id: str = Field(index=True)
    kind: str
    severity: str
    label_zh: str
    label_en: str
    party: str | None
    at_s: float | None
    end_s: float | None
    score: float
    evidence: str
    phrase: str
    verdict: str | None = None
    verdict_by: str | None = Field(default=None, foreign_key="staff.id")
    verdict_at: datetime | None = utc_field(nullable=True)


class EvaluationState(StrEnum):
    """Where an evaluation stands. Legal moves are the table in `qa.review.states`."""

    PENDING = "pending"  # pre-scored by the machine, no inspector's score yet
    SUBMITTED = "submitted"  # scored; the teller does not see it yet
    RELEASED = "released"  # the teller sees it and may appeal
    ACKNOWLEDGED = "acknowledged"
    APPEALED = "appealed"
    FINAL = "final"  # after the verdict, or when the time to appeal is over


class Evaluation(SQLModel, table=True):
    """The scoring of one call: the machine's pre-score apart from the inspector's score.

    Attributes:
        auto_answers / answers: ``{item_id: {"fraction": "0..1" or null for not applicable, "comment": text}}``.
        auto_score / score / max_score: Points, two decimals.
        draft: What the inspector has typed but not submitted: ``{"answers", "comment", "by"}``; empty without a draft.
        released_at … final_at: When it went its way to the teller.
        version: Incremented by every change; saves are compare-and-set on it.
    """

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", unique=True)
    form_version: str
    state: str = Field(index=True)
    auto_answers: dict[str, object] = json_field()
    auto_score: Decimal = Field(max_digits=6, decimal_places=2)
    auto_fatal: bool = False
    max_score: Decimal = Field(max_digits=6, decimal_places=2)
    answers: dict[str, object] = json_field()
    score: Decimal | None = Field(default=None, max_digits=6, decimal_places=2)
    fatal: bool | None = None
    inspector_id: str | None = Field(default=None, foreign_key="staff.id")
    comment: str = ""
    draft: dict[str, object] = json_field()
    created_at: datetime = utc_field()
    submitted_at: datetime | None = utc_field(nullable=True)
    released_at: datetime | None = utc_field(nullable=True)
    acknowledged_at: datetime | None = utc_field(nullable=True)
    final_at: datetime | None = utc_field(nullable=True)
    version: int = 1


class EvaluationStep(SQLModel, table=True):
    """One step of an evaluation's history, kept for ever: who did what, and the points before and after."""

    __tablename__ = "evaluation_step"

    id: str = Field(primary_key=True)
    evaluation_id: str = Field(foreign_key="evaluation.id", index=True)
    at: datetime = utc_field()
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    action: str
    score_before: Decimal | None = Field(default=None, max_digits=6, decimal_places=2)
    score_after: Decimal | None = Field(default=None, max_digits=6, decimal_places=2)
    note: str = ""


class Defect(SQLModel, table=True):
    """An item of a submitted evaluation that lost points, by the taxonomy of defects. Rewritten with the answers.

    Attributes:
        category: entry_error, operation, verification or other.
        lost: Points (percent of the form) the item lost.
    """

    evaluation_id: str = Field(primary_key=True, foreign_key="evaluation.id")
    item_id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    category: str = Field(index=True)
    title_zh: str
    title_en: str
    fatal: bool
    lost: Decimal = Field(max_digits=6, decimal_places=2)


class FormState(StrEnum):
    """Life of a form's version."""

    DRAFT = "draft"  # may be edited
    ACTIVE = "active"  # judges new calls; never changed again
    RETIRED = "retired"  # judged calls in its time


class EvaluationForm(SQLModel, table=True):
    """One version of an evaluation form, edited in the pages. Writer: qa.scoring.

    Attributes:
        form_version: As stored with evaluations, e.g. ``counter_form-2``.
        content: The form as `qa.scoring.form.Form` reads it.
        revision: Incremented by every save of a draft.
    """

    __tablename__ = "evaluation_form"

    form_version: str = Field(primary_key=True)
    form_id: str = Field(index=True)
    version: int
    state: str
    content: dict[str, object] = json_field()
    revision: int = 1
    edited_by: str | None = Field(default=None, foreign_key="staff.id")
    edited_at: datetime = utc_field()
    activated_by: str | None = Field(default=None, foreign_key="staff.id")
    activated_at: datetime | None = utc_field(nullable=True)
