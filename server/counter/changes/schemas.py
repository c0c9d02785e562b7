"""Bodies and answers of changes that a second person decides (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from server.counter.schemas import BusinessFields

ChangeKindName = Literal["flow", "review_rules", "authorisation"]
ChangeStateName = Literal["waiting", "approved", "rejected", "withdrawn"]
_Note = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]*$", strip_whitespace=True)]
_Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ChangeRow(BaseModel):
    """A change in the list. `may_decide`: this person may now; `why_not`: stable code when not."""

    id: str
    kind: ChangeKindName
    subject: str
    name_zh: str
    name_en: str
    note: str
    state: ChangeStateName
    author_name: str
    mine: bool
    proposed_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None
    decision_note: str
    may_decide: bool
    why_not: str | None


class ChangeDetail(ChangeRow):
    """What was in force, and what shall be. `stale`: something else has come into force since it was handed in."""

    before: dict[str, Any]
    after: dict[str, Any]
    stale: bool


class FlowRequest(BaseModel):
    """A business as it shall be. `based_on`: the newest version its editor has seen, 0 for a new business."""

    model_config = ConfigDict(extra="forbid", strict=True)

    business: BusinessFields
    flow: dict[str, Any]
    note: _Note
    based_on: _Version


class ReviewRulesRequest(BaseModel):
    """The whole rule table as it shall be, in order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: Annotated[list[dict[str, Any]], Field(max_length=200)]
    note: _Note
    based_on: _Version


class ReviewRulesView(BaseModel):
    """The rule table as it counts now. `version` grows with every change that was approved."""

    version: int
    rules: list[dict[str, Any]]


class AuthorisationRequest(BaseModel):
    """A supervisor's level as it shall be; 0 takes it away. `based_on`: the level the editor has seen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    level: Annotated[int, Field(ge=0, le=5)]
    note: _Note
    based_on: _Version


class AuthorisationRow(BaseModel):
    """A supervisor's level in force."""

    staff_id: str
    display_name: str
    staff_number: str
    team: str | None
    level: int
    set_at: datetime | None


class ChangeDecisionRequest(BaseModel):
    """Yes or no. A no says why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    approve: bool
    note: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$", strip_whitespace=True)] = ""
