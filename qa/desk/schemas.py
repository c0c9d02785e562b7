"""Bodies and answers of the QA desk (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from qa.wire import NO_NUL, Id, ItemId, Note, Share, Version

CallId = Id
BusinessFilter = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z_]*$")]
FlagFilter = Annotated[str, StringConstraints(max_length=100, pattern=r"^([a-z]+(:[a-z0-9_]+)?)?$")]
PageNumber = Annotated[int, Field(ge=1, le=100_000)]
EvaluationStateName = Literal["pending", "submitted", "released", "acknowledged", "appealed", "final"]
EvaluationFilter = Literal["", "waiting", "pending", "submitted", "released", "acknowledged", "appealed", "final"]
TranscriptStateName = Literal["waiting", "running", "ready", "not_transcribed", "failed"]
PartyName = Literal["customer", "teller"]


class QaCallRow(BaseModel):
    """One line of the list. `flags` name what to look at: ``missing:fee_notice``, ``forbidden:promise_return`` …

    Attributes:
        channel: ``text``: a consultation in writing, where there is nothing to record.
        recording_state: None when nothing was recorded.
        recording_verdict: Of the automatic file check; None before it.
        evaluation_state: None while there is no pre-score.
        score: The inspector's points; None before the evaluation is submitted.
    """

    call_id: str
    number: int
    business_code: str
    channel: Literal["video", "text"]
    teller_name: str
    ended_at: datetime
    duration_s: float
    end_reason: str | None
    recording_state: Literal["capturing", "captured", "finalized", "failed"] | None
    recording_verdict: Literal["pass", "findings", "fail"] | None
    transcript_state: TranscriptStateName
    auto_score: float | None
    max_score: float | None
    score: float | None
    fatal: bool | None
    evaluation_state: EvaluationStateName | None
    flags: list[str]


class QaCallPage(BaseModel):
    """One page of the list, newest first. Pages count from 1."""

    items: list[QaCallRow]
    total: int
    page: int
    page_size: int


class GapView(BaseModel):
    """A part of the call that is not in the recording."""

    party: str | None = None
    from_s: float
    to_s: float | None = None
    reason: str = ""


class CheckReasonView(BaseModel):
    """One remark of the automatic file check; `code` is translated by the page, `values` are for its text."""

    code: str
    level: Literal["fail", "finding", "note"]
    party: PartyName | None
    values: dict[str, float | str]


class RecordingView(BaseModel):
    """State of the recording; `started_at` is time zero of every ``…_s``."""

    state: str
    error: str | None
    started_at: datetime
    gaps: list[GapView]
    interrupted: bool
    reasons: list[CheckReasonView]


class ThumbnailView(BaseModel):
    """A small picture; `at_s` counts on the call's time line."""

    at_s: float
    url: str
    width: int
    height: int


class SpanView(BaseModel):
    """A part of the call's time line."""

    from_s: float
    to_s: float


class FileView(BaseModel):
    """A party's playable file. `offset_s` is where its first frame lies on the call's time line.

    ``screen`` is what the party shared: pictures only, with something to see during `spans` (call seconds).
    """

    file_id: str
    party: PartyName
    track: Literal["main", "screen"]
    url: str
    duration_s: float
    offset_s: float
    video_codec: str | None
    audio_codec: str | None
    width: int | None
    height: int | None
    size_b: int
    sha256: str
    peaks: list[float]
    spans: list[SpanView]
    thumbnails: list[ThumbnailView]


class SegmentView(BaseModel):
    """One utterance. `kind` is ``live`` while the final transcript is not there."""

    id: str
    party: PartyName
    start_s: float
    end_s: float
    text: str
    kind: Literal["live", "final"]


class FindingView(BaseModel):
    """One result of the script check, with its evidence."""

    id: str
    rule_id: str
    kind: Literal["present", "missing", "forbidden", "danger", "complaint"]
    severity: Literal["info", "minor", "major", "fatal"]
    label_zh: str
    label_en: str
    party: PartyName | None
    at_s: float | None
    end_s: float | None
    score: float
    evidence: str
    phrase: str
    verdict: Literal["confirmed", "rejected"] | None = None


class ConditionView(BaseModel):
    """The item is asked only when an earlier item was answered like this."""

    item: str
    answered: Literal["full", "deducted", "zero", "not_applicable"]


class FormItemView(BaseModel):
    """One thing to judge.

    Attributes:
        weight: Percent of the form; of a bonus item the points it may add.
        points: In how many steps it is judged.
        fatal: Failing it takes points beyond its own; `fatal_scope` says which.
        comment: When a comment is owed.
    """

    id: str
    title_zh: str
    title_en: str
    hint_zh: str = ""
    hint_en: str = ""
    weight: float
    points: int = 2
    bonus: bool = False
    fatal: bool
    fatal_scope: Literal["none", "section", "form"] = "none"
    may_skip: bool = True
    comment: Literal["never", "deduction", "always"] = "never"
    when: ConditionView | None = None


class FormSectionView(BaseModel):
    """Items that belong together."""

    id: str
    title_zh: str
    title_en: str
    items: list[FormItemView]


class FormView(BaseModel):
    """The form the call is judged by. From `pass_mark` points on a call has passed."""

    version: str
    title_zh: str = ""
    title_en: str = ""
    pass_mark: float = 80
    sections: list[FormSectionView]


class AnswerView(BaseModel):
    """Judgement of one item: share of its points, None when it does not apply to this call."""

    model_config = ConfigDict(extra="forbid")

    fraction: Share | None
    comment: Annotated[str, StringConstraints(max_length=1000, pattern=NO_NUL)] = ""


class DraftView(BaseModel):
    """What an inspector has typed but not submitted."""

    answers: dict[str, AnswerView]
    comment: str
    by: str


class StepView(BaseModel):
    """One step of the history."""

    at: datetime
    name: str | None
    action: str
    score_before: float | None
    score_after: float | None
    note: str


class TaskNote(BaseModel):
    """The inspection that is open for this call, if any; `mine`: I am the one to do it."""

    task_id: str
    inspector_name: str | None
    mine: bool
    due_at: datetime
    reason: str


class EvaluationView(BaseModel):
    """Machine's pre-score and inspector's score, apart. `version` goes back with the next save."""

    id: str
    version: int
    state: EvaluationStateName
    auto_answers: dict[str, AnswerView]
    auto_score: float
    auto_fatal: bool
    max_score: float
    answers: dict[str, AnswerView]
    score: float | None
    fatal: bool | None
    inspector_name: str | None
    comment: str
    draft: DraftView | None = None
    submitted_at: datetime | None
    released_at: datetime | None = None


class RatingView(BaseModel):
    """The customer's verdict."""

    stars: int
    comment: str


class HoldView(BaseModel):
    """A stretch in which the customer was on hold; the recording went on."""

    from_s: float
    to_s: float


CompanyKind = Literal["monitor", "whisper", "barge", "expert", "handover"]


class CompanyView(BaseModel):
    """Somebody else of the staff in the call for a while, or the moment it went from one teller to the next.

    Attributes:
        name: Who; of a hand-over ``from → to``.
    """

    kind: CompanyKind
    name: str
    from_s: float
    to_s: float


class ChatLine(BaseModel):
    """Something written in the call; of a picture only that there was one."""

    party: Literal["customer", "teller"]
    kind: Literal["text", "image"]
    text: str
    at: datetime


class QaCallDetail(QaCallRow):
    """Everything an inspector needs to judge one call."""

    recording: RecordingView | None
    holds: list[HoldView]
    company: list[CompanyView]
    files: list[FileView]
    segments: list[SegmentView]
    chat: list[ChatLine]
    findings: list[FindingView]
    form: FormView
    evaluation: EvaluationView | None
    steps: list[StepView]
    task: TaskNote | None
    rating: RatingView | None
    disposition: str | None
    note: str | None


class EvaluationRequest(BaseModel):
    """The inspector's judgement: an answer for every item of the form."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    answers: Annotated[dict[ItemId, AnswerView], Field(max_length=200)]
    comment: Annotated[str, StringConstraints(max_length=4000, pattern=NO_NUL)]


class DraftRequest(EvaluationRequest):
    """What is typed so far; items may be missing."""


class ReleaseRequest(BaseModel):
    """Let the teller see the evaluation."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    note: Note = ""


class TaskRow(QaCallRow):
    """One call in an inspector's queue."""

    task_id: str
    reason: str
    due_at: datetime
    overdue: bool
    inspector_id: str | None
    inspector_name: str | None
    drafted: bool


class TaskList(BaseModel):
    """The queue, most urgent first. `done_today` counts what this inspector finished since midnight UTC."""

    items: list[TaskRow]
    done_today: int
