"""Bodies and answers of exports (they become the pages' TypeScript types)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Purpose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=500, pattern=r"^[^\x00]*$")]


class ExportRequest(BaseModel):
    """Why somebody needs a copy."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class ExportView(BaseModel):
    """How far an export is. `url` is there when it is ready."""

    export_id: str
    state: Literal["waiting", "running", "ready", "failed"]
    progress: float
    error: str | None
    size_b: int | None
    sha256: str | None
    url: str | None


class NewestExport(BaseModel):
    """What one has asked for last of a call, if anything."""

    export: ExportView | None
