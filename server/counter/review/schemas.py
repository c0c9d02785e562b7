"""Bodies and answers of the review desk."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class ReviewRow(BaseModel):
    """A request in the list. `mine`: this person may decide it now; `why_not`: stable code when not."""

    id: str
    call_id: str
    call_number: int
    teller_name: str
    business_code: str
    business_name_zh: str
    business_name_en: str
    amount_fen: int
    level: int
    state: str
    requested_at: datetime
    due_at: datetime
    escalated: bool
    decided_at: datetime | None
    decided_by_name: str | None
    decision_reason: str | None
    mine: bool
    why_not: str | None


class ReviewList(BaseModel):
    """Waiting ones first. `level`: of the person who asks."""

    items: list[ReviewRow]
    level: int


class ReviewDetail(ReviewRow):
    """Everything the second person has to see. A decision names `case_version` and `shown_sha256`.

    Attributes:
        shown: ``{"summary", "identity", "bank", "questions", "alerts", "customer_class", "reasons"}``.
    """

    case_version: int
    shown_sha256: str
    written_reason: bool
    reasons: list[str]
    shown: dict[str, Any]


class ReviewDecisionRequest(BaseModel):
    """Yes, no, or back for correction; about exactly what was shown."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision: Literal["approve", "refuse", "return"]
    case_version: int
    shown_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$", strip_whitespace=True)] = ""
