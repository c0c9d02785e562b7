"""Transcripts. Writer: qa (stt)."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class TranscriptKind(StrEnum):
    """Live segments are shown during the call; final ones come from the recorded file."""

    LIVE = "live"
    FINAL = "final"


class TranscriptState(StrEnum):
    """How far a side's transcript is."""

    RUNNING = "running"
    READY = "ready"
    NOT_TRANSCRIBED = "not_transcribed"  # no engine was there; done later when one is
    FAILED = "failed"


class Transcript(SQLModel, table=True):
    """One side of one call, live or final."""

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    kind: str
    state: str = Field(index=True)
    engine: str = ""
    error: str | None = None
    created_at: datetime = utc_field()
    updated_at: datetime = utc_field()


class TranscriptSegment(SQLModel, table=True):
    """One utterance. Times in seconds on the call's time line. words: ``[[start_s, end_s, text], …]``."""

    __tablename__ = "transcript_segment"

    id: str = Field(primary_key=True)
    transcript_id: str = Field(foreign_key="transcript.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    start_s: float
    end_s: float
    text: str
    words: list[list[object]] = json_field(list)
