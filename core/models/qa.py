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
    """Where an evaluation stands."""

    PENDING = "pending"  # pre-scored by the machine, no inspector yet
    SUBMITTED = "submitted"


class Evaluation(SQLModel, table=True):
    """The scoring of one call: the machine's pre-score apart from the inspector's score.

    Attributes:
        auto_answers / answers: ``{item_id: {"fraction": "0..1" or null for not applicable}}``.
        auto_score / score / max_score: Points, two decimals.
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
    created_at: datetime = utc_field()
    submitted_at: datetime | None = utc_field(nullable=True)
    version: int = 1
