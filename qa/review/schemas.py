"""Bodies and answers of release, acknowledgement and appeal (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.desk.schemas import AnswerView, EvaluationStateName, FindingView, FormView, SegmentView, StepView
from qa.wire import ItemId, Note, Share, Version, Words

AppealStateName = Literal["with_supervisor", "with_lead", "decided"]


class MyEvaluationRow(BaseModel):
    """One of a teller's own evaluations."""

    evaluation_id: str
    call_id: str
    number: int
    business_code: str
    ended_at: datetime
    state: EvaluationStateName
    score: float
    max_score: float
    fatal: bool
    passed: bool
    released_at: datetime | None
    appeal_until: datetime | None


class MyEvaluationList(BaseModel):
    """A teller's evaluations, newest first. `open_tasks`: rectifications that wait for proof."""

    items: list[MyEvaluationRow]
    average: float | None
    open_tasks: int


class AppealItemView(BaseModel):
    """One item under appeal: the teller's reason, the supervisor's opinion, the verdict."""

    item_id: str
    title_zh: str
    title_en: str
    given: AnswerView
    reason: str
    supported: bool | None
    supervisor_note: str
    upheld: bool | None
    fraction: float | None
    lead_note: str


class AppealView(BaseModel):
    """An appeal with its history."""

    appeal_id: str
    evaluation_id: str
    call_id: str
    number: int
    business_code: str
    teller_name: str
    team: str | None
    inspector_name: str | None
    supervisor_name: str | None
    lead_name: str | None
    state: AppealStateName
    score: float
    created_at: datetime
    due_at: datetime
    overdue: bool
    note: str
    items: list[AppealItemView]


class AppealList(BaseModel):
    """Appeals, those that wait first."""

    items: list[AppealView]


class CoachingView(BaseModel):
    """A word from an inspector about a moment of the call."""

    id: str
    call_id: str
    number: int
    teller_name: str
    author_name: str
    at_s: float | None
    text: str
    created_at: datetime
    read_at: datetime | None


class MyEvaluation(MyEvaluationRow):
    """All that a teller sees of an evaluation: form, marks with comments, what was said, appeal, coaching."""

    version: int
    inspector_name: str | None
    comment: str
    form: FormView
    answers: dict[str, AnswerView]
    findings: list[FindingView]
    segments: list[SegmentView]
    steps: list[StepView]
    appeal: AppealView | None
    coaching: list[CoachingView]


class AppealedItem(BaseModel):
    """An item and why its mark is wrong."""

    model_config = ConfigDict(extra="forbid")

    item_id: ItemId
    reason: Words


class AcknowledgeRequest(BaseModel):
    """The teller has read it and does not appeal."""

    model_config = ConfigDict(extra="forbid")

    version: Version


class AppealRequest(BaseModel):
    """The teller's appeal."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    items: Annotated[list[AppealedItem], Field(min_length=1, max_length=50)]


class OpinionOnItem(BaseModel):
    """The supervisor's opinion on one item."""

    model_config = ConfigDict(extra="forbid")

    item_id: ItemId
    supported: bool
    note: Note = ""


class OpinionRequest(BaseModel):
    """The supervisor's opinion; the appeal goes to the QA lead with it."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[OpinionOnItem], Field(min_length=1, max_length=50)]


class VerdictOnItem(BaseModel):
    """The last word on one item; `fraction` is its new share when the appeal is upheld (None: does not apply)."""

    model_config = ConfigDict(extra="forbid")

    item_id: ItemId
    upheld: bool
    fraction: Share | None = None
    note: Note = ""


class AppealVerdictRequest(BaseModel):
    """The QA lead's verdict on every item."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[VerdictOnItem], Field(min_length=1, max_length=50)]
    note: Words
