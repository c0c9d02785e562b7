"""Bodies and answers of the backup room (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class BackupRunView(BaseModel):
    """One backup or rehearsal. Sizes in bytes; `copied_b` is what had to go over the wire."""

    id: str
    kind: Literal["backup", "drill"]
    state: Literal["waiting", "running", "done", "failed"]
    due_at: datetime
    asked_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    backup_id: str | None
    rows: int | None
    objects: int | None
    size_b: int | None
    copied_b: int | None
    played: bool | None
    error: str | None


class BackupsView(BaseModel):
    """The plan and what came of it. Without a target nothing is made by the clock.

    Attributes:
        at: Time of day at the bank.
        last_backup_at / last_drill_at: When the newest good one ended.
    """

    target: str | None
    at: str
    keep: int
    drill_days: int
    next_at: datetime | None
    last_backup_at: datetime | None
    last_drill_at: datetime | None
    runs: list[BackupRunView]


class BackupRequest(BaseModel):
    """Do it now."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["backup", "drill"]
