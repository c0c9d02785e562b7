"""Bodies and answers of the operations room (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class ProcessView(BaseModel):
    """A live process.

    Attributes:
        release: Version of the software; two are there during a rolling upgrade.
        disk_free_b / disk_b: Of the data folder's file system, bytes.
        load: Calls a media node carries. draining: It takes no new ones.
    """

    model_config = ConfigDict(extra="ignore")

    kind: Literal["edge", "media", "worker"]
    name: str
    host: str = ""
    started_at: datetime | None = None
    release: str = ""
    disk_free_b: int | None = None
    disk_b: int | None = None
    load: int | None = None
    draining: bool = False


class DrainRequest(BaseModel):
    """Take no new calls (or take them again)."""

    model_config = ConfigDict(extra="forbid")

    on: bool
