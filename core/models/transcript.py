"""Transcripts (writer: qa.stt), inspectors' corrections and the search index (writer: qa.search)."""

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
    """One utterance. Times in seconds on the call's line. words: ``[[start_s, end_s, text], …]``; level_db in dBFS."""

    __tablename__ = "transcript_segment"

    id: str = Field(primary_key=True)
    transcript_id: str = Field(foreign_key="transcript.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    start_s: float
    end_s: float
    text: str
    words: list[list[object]] = json_field(list)
    level_db: float | None = None


class TranscriptCorrection(SQLModel, table=True):
    """What an inspector heard instead. The machine's text stays as it is; the newest correction counts."""

    __tablename__ = "transcript_correction"

    segment_id: str = Field(primary_key=True, foreign_key="transcript_segment.id", ondelete="CASCADE")
    call_id: str = Field(foreign_key="call.id", index=True)
    text: str
    corrected_by: str = Field(foreign_key="staff.id")
    corrected_at: datetime = utc_field()
    version: int = 1


class SearchSegment(SQLModel, table=True):
    """One utterance of a final transcript as search finds it.

    Attributes:
        said_at: When it was said.
        text: As shown: the inspector's correction where there is one, else the machine's text.
        grams / pinyin: The text in letters, one code of three per character, and as toneless syllables; both have a
            trigram index, which PostgreSQL cannot use for fewer than three letters.
    """

    __tablename__ = "search_segment"

    segment_id: str = Field(primary_key=True, foreign_key="transcript_segment.id", ondelete="CASCADE")
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    business_code: str
    said_at: datetime = utc_field(index=True)
    start_s: float
    end_s: float
    text: str
    grams: str
    pinyin: str
