"""Bodies and answers of rectifications, coaching and best cases (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.review.schemas import CoachingView
from qa.wire import NO_NUL, Id, ItemId, Line, Note, Seconds, Version, Words

FileName = Annotated[str, Field(max_length=255, pattern=NO_NUL)]
DefectName = Literal["entry_error", "operation", "verification", "other"]
Days = Annotated[int, Field(ge=1, le=90, strict=True)]


class RectificationStepView(BaseModel):
    """One entry of a rectification's history."""

    at: datetime
    name: str | None
    action: Literal["opened", "proven", "returned", "effective", "overdue"]
    text: str
    proof_call_id: str | None


class ProofFileView(BaseModel):
    """A file that proves a rectification. `round`: of which round; only those of the last one can be taken back."""

    id: str
    name: str
    content_type: Literal["image/jpeg", "image/png", "application/pdf"]
    pages: int
    size_b: int
    round: int
    added_at: datetime


class RectificationView(BaseModel):
    """A task to put something right. `mine_to_check`: I may look at the proof."""

    id: str
    version: int
    call_id: str
    number: int
    business_code: str
    title: str
    demand: str
    category: DefectName
    teller_name: str
    team: str | None
    created_by_name: str
    state: Literal["open", "proven", "effective"]
    round: int
    due_at: datetime
    overdue: bool
    created_at: datetime
    closed_at: datetime | None
    mine_to_check: bool
    steps: list[RectificationStepView]
    files: list[ProofFileView]


class RectificationList(BaseModel):
    """Rectifications, those that wait first."""

    items: list[RectificationView]


class RectificationRequest(BaseModel):
    """What has to be put right, by the teller of the call."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id
    finding_id: Id | None = None
    item_id: ItemId | None = None
    title: Line
    demand: Words
    category: DefectName
    due_days: Days


class ProofRequest(BaseModel):
    """The teller's proof: what was done, and a later call that shows it, by number."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    text: Words
    call_number: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class CheckRequest(BaseModel):
    """The second look. When it is not effective, the teller has `due_days` for another proof."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    effective: bool
    note: Note = ""
    due_days: Days = 7


class CoachingRequest(BaseModel):
    """A word to the teller about a moment of the call."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id
    at_s: Seconds | None = None
    text: Words


class CoachingList(BaseModel):
    """Coaching notes, newest first."""

    items: list[CoachingView]


class CaseLine(BaseModel):
    """What was said in a best case."""

    party: Literal["customer", "teller"]
    start_s: float
    text: str


class BestCaseView(BaseModel):
    """A stretch of a call to learn from. `can_play`: the reader may open the recording."""

    id: str
    call_id: str
    number: int
    business_code: str
    title: str
    lesson: str
    from_s: float
    to_s: float
    lines: list[CaseLine]
    added_by_name: str
    created_at: datetime
    can_play: bool
    can_withdraw: bool


class BestCaseList(BaseModel):
    """The library, newest first."""

    items: list[BestCaseView]


class BestCaseRequest(BaseModel):
    """Put a stretch of a call into the library; its words are kept as they stand now."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id
    title: Line
    lesson: Words
    from_s: Seconds
    to_s: Seconds
