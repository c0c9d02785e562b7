"""Script rule sets. Writer: qa (rules)."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class RuleSetState(StrEnum):
    """Life of a rule set: only a draft can be edited, only one is active."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACTIVE = "active"
    REJECTED = "rejected"
    RETIRED = "retired"


class RuleSetRow(SQLModel, table=True):
    """One version of the script rules.

    Attributes:
        number: Running number; part of the version that findings name.
        digest: SHA-256 of the parsed content.
        content: The rules as YAML text.
        author_id: None for the rules that come with the release.
        decided_by: Who approved or rejected it; never the author.
        version: Incremented by every change; edits are compare-and-set on it.
    """

    __tablename__ = "rule_set"

    id: str = Field(primary_key=True)
    number: int = Field(unique=True)
    digest: str
    content: str
    state: str = Field(index=True)
    note: str = ""
    author_id: str | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = utc_field()
    changed_at: datetime = utc_field()
    submitted_at: datetime | None = utc_field(nullable=True)
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = utc_field(nullable=True)
    decision_note: str = ""
    activated_at: datetime | None = utc_field(nullable=True)
    version: int = 1
