"""Backups and rehearsals as they were done. Writer: server.backup."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class BackupKind(StrEnum):
    """What is done."""

    BACKUP = "backup"
    DRILL = "drill"


class BackupState(StrEnum):
    """Progress of it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BackupRun(SQLModel, table=True):
    """One backup, or one rehearsal of a restore.

    Attributes:
        due_at: The time of the plan it belongs to, so that each is done once; or when a person asked for it.
        asked_by: Who asked; None: the plan. backup_id: What was made or rehearsed.
        facts: What came of it: rows, objects, bytes copied, backups removed; what was played.
        error: In words, what went wrong the last time.
    """

    __tablename__ = "backup_run"
    __table_args__ = (UniqueConstraint("kind", "due_at"),)

    id: str = Field(primary_key=True)
    kind: str
    due_at: datetime = utc_field(index=True)
    asked_by: str | None = Field(default=None, foreign_key="staff.id")
    state: str = Field(index=True)
    attempts: int = 0
    started_at: datetime | None = utc_field(nullable=True)
    finished_at: datetime | None = utc_field(nullable=True)
    backup_id: str | None = None
    facts: dict[str, object] = json_field()
    error: str | None = None
