"""Bodies and answers about findings and transcripts (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

EvidenceId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
VerdictName = Literal["confirmed", "rejected"]


class VerdictRequest(BaseModel):
    """An inspector's word on a finding; null takes it back."""

    model_config = ConfigDict(extra="forbid")

    verdict: VerdictName | None


class VerdictView(BaseModel):
    """The verdict on a finding."""

    finding_id: str
    verdict: VerdictName | None
    verdict_by: str | None
    verdict_at: datetime | None


class CorrectionRequest(BaseModel):
    """What was really said. `version` is the one that was read; 0 for a segment nobody corrected."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
    # PostgreSQL text cannot hold NUL.
    text: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$", strip_whitespace=True)]


class CorrectionView(BaseModel):
    """An inspector's text beside the machine's."""

    segment_id: str
    text: str
    corrected_by: str
    corrected_at: datetime
    version: int


class CallCorrections(BaseModel):
    """All corrections of a call, and how wrong the machine was there: character errors by characters said."""

    items: list[CorrectionView]
    character_errors: int
    characters: int


class PartyVoiceView(BaseModel):
    """How one side spoke. Times in seconds; `share` of all that was spoken, 0–1; `chars_per_s` the pace.

    `answer_s` and `longest_answer_s`: pause before its answers, median and longest. `upset`, `pleased`: where words of
    feeling were said. `level_db`: median loudness in dBFS, null if not measured; `raised`: where the voice was raised
    above it.
    """

    talk_s: float
    share: float
    chars_per_s: float | None
    answer_s: float | None
    longest_answer_s: float | None
    interruptions: int
    upset: list[float]
    pleased: list[float]
    level_db: float | None
    raised: list[float]


class SilenceView(BaseModel):
    """Nobody spoke."""

    start_s: float
    end_s: float


class CallVoiceView(BaseModel):
    """How a call sounded, by its transcript, and how it ended (``core.models.call.EndReason``)."""

    teller: PartyVoiceView
    customer: PartyVoiceView
    silences: list[SilenceView]
    end_reason: str | None
