"""Evidence packages and viewings of recordings. Writer: recording."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class PackageState(StrEnum):
    """Progress of an evidence package."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"  # removed from the store; ask for a new one


class EvidenceExport(SQLModel, table=True):
    """One package with everything that is known of a call, made because somebody asked for it.

    Attributes:
        requested_by: Id of the member of staff; nobody else may fetch it. purpose: In that person's own words.
        progress: 0 to 1. error: Code of what went wrong.
        wrapped_key: Key of the sealed package, wrapped by the master key.
        sha256 / size_b: Of the plain package. manifest_sha256: Of the manifest inside it, which is signed.
        expires_at: From then on it cannot be fetched any more; the next pass removes it from the store.
    """

    __tablename__ = "evidence_export"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    requested_by: str = Field(foreign_key="staff.id", index=True)
    purpose: str
    state: str
    progress: float = 0.0
    error: str | None = None
    object_key: str | None = None
    wrapped_key: bytes | None = None
    size_b: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    manifest_sha256: str | None = None
    created_at: datetime = utc_field(index=True)
    finished_at: datetime | None = utc_field(nullable=True)
    expires_at: datetime | None = utc_field(nullable=True)


class RecordingViewing(SQLModel, table=True):
    """Somebody who may look at a recording but not keep it said why, and looks under a watermark for a while."""

    __tablename__ = "recording_viewing"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    staff_id: str = Field(foreign_key="staff.id")
    purpose: str
    watermark: str
    at: datetime = utc_field()
    expires_at: datetime = utc_field()
