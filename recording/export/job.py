"""The heavy part of an export, as one plain function that runs in a process of its own."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from recording.export.compose import Source, compose
from recording.seal import Sealed, seal

PROGRESS_NAME = "progress"


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What to make. `work`: Folder for the sealed result and the progress; the plain result never gets a name."""

    export_id: str
    sources: tuple[Source, ...]
    duration_s: float
    watermark: str
    data_key: bytes
    work: Path


def run_export(plan: ExportPlan) -> tuple[Path, Sealed]:
    """Compose and seal. Returns where the sealed file lies.

    Raises:
        OSError: the disk refuses. av.error.FFmpegError: a recording cannot be decoded.
    """
    path = plan.work / "export.sealed"
    with tempfile.TemporaryFile(dir=plan.work) as plain:
        compose(list(plan.sources), plan.duration_s, plan.watermark, plain, plan.work / PROGRESS_NAME)
        size_b = plain.seek(0, os.SEEK_END)
        plain.seek(0)
        with path.open("wb") as target:
            return path, seal(plain, size_b, target, plan.data_key, plan.export_id)
