"""HTTP payloads of the calls room."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

StageState = Literal["waiting", "running", "done", "failed", "not_transcribed"]


class RatingRequest(BaseModel):
    """The customer's verdict."""

    model_config = ConfigDict(extra="forbid")

    stars: Annotated[int, Field(ge=1, le=5)]
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(max_length=10)] = []
    comment: Annotated[str, Field(max_length=2000)] = ""


class ResultStages(BaseModel):
    """How far the work after a call is. `recording` is ``none`` when an ended call was not recorded at all."""

    recording: StageState | Literal["none"]
    transcript: StageState
    compliance: StageState
    score: StageState


class ResultRecording(BaseModel):
    """One playable file."""

    party: str
    track: str
    file_id: str
    duration_s: float
    video_codec: str | None
    audio_codec: str | None
    sha256: str


class ResultSegment(BaseModel):
    """One sentence of the final transcript."""

    party: str
    start_s: float
    end_s: float
    text: str


class ResultFinding(BaseModel):
    """One finding of the script check; `id` is the rule's id."""

    id: str
    kind: str
    party: str | None
    at_s: float | None
    score: float
    evidence: str
    phrase: str


class ResultScore(BaseModel):
    """The automatic pre-score, in points."""

    auto: float
    max: float


class ResultEngines(BaseModel):
    """Which recogniser made the transcripts; None before there is one."""

    live: str | None
    final: str | None


class CallResult(BaseModel):
    """Progress and outcome of a finished call. A customer gets the progress only."""

    call_id: str
    state: str
    ended: bool
    end_reason: str | None
    stages: ResultStages
    error: str | None
    recordings: list[ResultRecording]
    transcript: list[ResultSegment]
    findings: list[ResultFinding]
    score: ResultScore | None
    engines: ResultEngines
