"""Recordings, their playable files and exports. Writer: recording."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class RecordingState(StrEnum):
    """Explicit states: a recording can never fail silently."""

    CAPTURING = "capturing"
    CAPTURED = "captured"  # journals complete, waiting to be finalized
    FINALIZED = "finalized"
    FAILED = "failed"
    DELETED = "deleted"  # its time was over: files and key are gone, see its tombstone


class Recording(SQLModel, table=True):
    """The recording of one call (both parties).

    Attributes:
        started_at: Time zero of the call's time line (all ``…_s`` of segments and findings count from here).
        wrapped_key: The recording's data key, wrapped by the master key.
        gaps: Marked gaps: ``[{"party", "from_s", "to_s", "reason"}]``.
        interrupted: Capture ended with its process, not with the call.
        manifest_key: Object key of the manifest (segments, gaps, SHA-256 links).
        verdict: Of the automatic file check: ``pass``, ``findings`` or ``fail``; None before it is finalized.
        file_check: ``{"reasons": [{"code", "level", "party", "values"}], "measured": {party or screen: {…}}}``.
    """

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", unique=True)
    state: str = Field(index=True)
    node_id: str
    wrapped_key: bytes
    started_at: datetime = utc_field()
    stopped_at: datetime | None = utc_field(nullable=True)
    interrupted: bool = False
    gaps: list[dict[str, object]] = json_field(list)
    error: str | None = None
    manifest_key: str | None = None
    manifest_sha256: str | None = None
    verdict: str | None = Field(default=None, index=True)
    file_check: dict[str, Any] = json_field(dict)


class RecordingFile(SQLModel, table=True):
    """A party's playable file in the object store (encrypted there).

    Attributes:
        track: ``main`` for voice and camera, ``screen`` for what the party shared (pictures only).
        spans: From when to when there is something in it, in call seconds: ``[{"from_s", "to_s"}]``.
        offset_s: Where the file's first frame lies on the call's time line.
        sha256: Of the playable (decrypted) bytes. size_b: their length.
        thumbnails: ``[{"at_s", "width", "height", "start_b", "end_b"}]``, JPEGs in the object `thumbnails_key`.
    """

    __tablename__ = "recording_file"

    id: str = Field(primary_key=True)
    recording_id: str = Field(foreign_key="recording.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    track: str = "main"
    object_key: str
    offset_s: float = 0.0
    duration_s: float
    video_codec: str | None
    audio_codec: str | None
    width: int | None = None
    height: int | None = None
    size_b: int
    sha256: str
    peaks: list[float] = json_field(list)
    spans: list[dict[str, float]] = json_field(list)
    thumbnails: list[dict[str, Any]] = json_field(list)
    thumbnails_key: str | None = None
    created_at: datetime = utc_field()


class ExportState(StrEnum):
    """Progress of an export."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class RecordingExport(SQLModel, table=True):
    """A side-by-side copy that somebody asked for, with the reason and a watermark burnt in.

    Attributes:
        requested_by: Id of the member of staff; nobody else may fetch it. purpose: In that person's own words.
        watermark: Text in the picture.
        progress: 0 to 1.
        object_key: Encrypted in the store under the recording's key. sha256: Of the decrypted bytes.
    """

    __tablename__ = "recording_export"

    id: str = Field(primary_key=True)
    recording_id: str = Field(foreign_key="recording.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    requested_by: str = Field(foreign_key="staff.id")
    purpose: str
    watermark: str
    state: str
    progress: float = 0.0
    error: str | None = None
    object_key: str | None = None
    size_b: int | None = None
    sha256: str | None = None
    created_at: datetime = utc_field()
    finished_at: datetime | None = utc_field(nullable=True)
