"""Bodies and answers of calibration sessions (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from qa.desk.schemas import AnswerView
from qa.wire import Id, ItemId, Line, Note


class ScorerView(BaseModel):
    """Somebody who takes part. Marks are there only when the session is closed, or they are one's own.

    Attributes:
        deviation: Mean distance of the shares from the expert's, 0 to 1, over items that apply to both.
        kappa: Cohen's kappa with the expert; None when nothing can be told from chance.
    """

    staff_id: str
    name: str
    is_expert: bool
    done: bool
    score: float | None
    fatal: bool | None
    deviation: float | None
    kappa: float | None
    answers: dict[str, AnswerView] | None
    comment: str


class CalibrationItem(BaseModel):
    """One item of the form, and how much its marks spread: 0 = all agree."""

    item_id: str
    title_zh: str
    title_en: str
    weight: float
    agreement: float | None


class CalibrationView(BaseModel):
    """A session. Until it is closed nobody sees another's marks.

    Attributes:
        mine: What I have to do: nothing, score, or wait for the others.
        fleiss: Fleiss' kappa of everybody who scored; None before the end or when nothing can be told.
    """

    id: str
    title: str
    call_id: str
    number: int
    business_code: str
    form_version: str
    created_at: datetime
    due_at: datetime
    closed_at: datetime | None
    takes_part: bool
    scored: bool
    fleiss: float | None
    scorers: list[ScorerView]
    items: list[CalibrationItem]


class CalibrationList(BaseModel):
    """Sessions, open ones first."""

    items: list[CalibrationView]


class CalibrationRequest(BaseModel):
    """A new session on a pre-scored call, by number."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    call_number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    expert_id: Id
    participants: Annotated[list[Id], Field(min_length=1, max_length=30)]
    due_days: Annotated[int, Field(ge=1, le=90)] = 7


class CalibrationScoreRequest(BaseModel):
    """One's marks; they can be changed until the session is closed."""

    model_config = ConfigDict(extra="forbid")

    answers: Annotated[dict[ItemId, AnswerView], Field(max_length=200)]
    comment: Note = ""
