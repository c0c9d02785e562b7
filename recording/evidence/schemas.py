"""Bodies and answers of evidence packages and viewings (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from recording.export.schemas import Purpose

CallId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
Words = Annotated[str, StringConstraints(max_length=60, strip_whitespace=True, pattern=r"^[^\x00]*$")]
PageNumber = Annotated[int, Field(ge=1, le=10_000)]
Day = Annotated[date | None, Field()]
CallNumber = Annotated[int | None, Field(ge=0, le=2**31 - 1)]


class EvidenceRequest(BaseModel):
    """Why somebody needs everything that is known of a call."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class EvidenceView(BaseModel):
    """How far a package is. `url` is there while it can be fetched."""

    export_id: str
    call_id: str
    call_number: int
    purpose: str
    state: Literal["waiting", "running", "ready", "failed", "expired"]
    progress: float
    error: str | None
    size_b: int | None
    sha256: str | None
    manifest_sha256: str | None
    created_at: datetime
    expires_at: datetime | None
    url: str | None


class EvidenceList(BaseModel):
    """The own packages, newest first."""

    items: list[EvidenceView]


class EvidenceCall(BaseModel):
    """A finished call as it is looked for. `teller_name` is empty when nobody took it."""

    call_id: str
    number: int
    business_code: str
    teller_name: str
    teller_number: str
    queued_at: datetime
    ended_at: datetime
    end_reason: str | None
    recording_state: str | None
    recording_verdict: str | None


class EvidenceCallPage(BaseModel):
    """Finished calls, newest first."""

    items: list[EvidenceCall]
    total: int
    page: int
    page_size: int


class ViewingRequest(BaseModel):
    """Why somebody wants to look at a recording."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class ViewingFile(BaseModel):
    """A file that can be looked at under this viewing."""

    party: Literal["customer", "teller"]
    track: Literal["main", "screen"]
    offset_s: float
    duration_s: float
    url: str


class ViewingView(BaseModel):
    """A viewing; its addresses work for the viewer alone, until `expires_at`. `watermark` stands over the pictures."""

    viewing_id: str
    call_id: str
    call_number: int
    watermark: str
    expires_at: datetime
    files: list[ViewingFile]
