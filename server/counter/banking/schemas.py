"""Bodies and answers of the reconciliation list."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Words = Annotated[str, StringConstraints(min_length=5, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]


class PostingStepView(BaseModel):
    """One request. `code`: why the core system refused it."""

    seq: int
    kind: str
    state: str
    code: str | None
    at: datetime


class PostingView(BaseModel):
    """A transaction with the core banking system; numbers and names masked.

    Attributes:
        version: To be named by every decision.
        may: What this person may decide now.
    """

    id: str
    version: int
    case_id: str
    call_id: str
    call_number: int
    teller_name: str
    business_code: str
    state: str
    reason: str | None
    amount_fen: int
    fee_fen: int
    masked: str
    steps: list[PostingStepView]
    created_at: datetime
    ended_at: datetime | None
    settled_reason: str | None
    may: list[Literal["retry", "undo", "settle"]]


class PostingList(BaseModel):
    """Unclear ones first, then the newest. `open`: how many wait for a person."""

    items: list[PostingView]
    open: int


class PostingDecisionRequest(BaseModel):
    """What is to be done with an unclear transaction, and why, in the person's own words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int
    decision: Literal["retry", "undo", "settle"]
    reason: Words
