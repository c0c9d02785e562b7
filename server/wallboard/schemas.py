"""Bodies and answers of the alarm endpoints (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.\-]+$")]


class FailedJob(BaseModel):
    """Names a delivery that gave up; sent back to retry it."""

    model_config = ConfigDict(extra="forbid")

    event_id: Name
    handler: Name


class AlarmView(BaseModel):
    """Something failed that a person has to see. `job` is set for ``job.failed``."""

    id: str
    kind: str
    call_id: str | None
    message: str
    raised_at: datetime
    cleared_at: datetime | None
    job: FailedJob | None = None
