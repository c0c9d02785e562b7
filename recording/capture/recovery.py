"""What a killed media process left behind is completed at the next start."""

import asyncio
from collections.abc import Set
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import IntegrityError

from core.errors import ConflictError
from recording.capture.journal import journals_in
from recording.capture.ledger import Ending, Ledger
from recording.capture.meta import Meta, MetaError, read_meta

log = structlog.get_logger(__name__)


async def recover(ledger: Ledger, journal_path: Path, node_id: str, running: Set[str]) -> int:
    """Mark the recordings of this node whose process is gone as captured and interrupted, so that they are finalized.

    Rows that were never committed are made from the sidecar. Rows without journals become FAILED. Idempotent.

    Args:
        running: Ids of calls that are being recorded by this very process.
    """
    found = await asyncio.to_thread(_scan, journal_path, node_id, running)
    completed = 0
    for meta, last_write in found:
        try:
            completed += await ledger.stopped(meta, Ending(last_write, interrupted=True))
            log.info("recording recovered", call_id=meta.call_id, recording_id=meta.recording_id)
        except ConflictError:
            continue  # finalized or failed already; its job removes the journals
        except IntegrityError:
            log.error("journals of an unknown call", call_id=meta.call_id)
            await ledger.failed(meta.recording_id, meta.call_id, "journals of an unknown call", "recording.failed")
    for recording_id, call_id in await ledger.left_behind(node_id, {meta.recording_id for meta, _ in found}):
        if call_id not in running:
            await ledger.lost(recording_id)
    return completed


def _scan(journal_path: Path, node_id: str, running: Set[str]) -> list[tuple[Meta, datetime]]:
    """Sidecar and time of the last write of every call folder of this node."""
    found = []
    for folder in sorted(journal_path.iterdir()) if journal_path.is_dir() else []:
        if not folder.is_dir() or folder.name in running:
            continue
        try:
            meta = read_meta(folder)
        except MetaError as error:
            log.error("journal folder skipped", folder=folder.name, error=str(error))
            continue
        if meta.node_id != node_id:
            continue
        times = [path.stat().st_mtime for path in journals_in(folder)] or [folder.stat().st_mtime]
        found.append((meta, datetime.fromtimestamp(max(times), UTC)))
    return found
