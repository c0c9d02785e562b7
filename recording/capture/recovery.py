"""What a killed media process left behind is completed at the next start."""

import asyncio
import shutil
from collections.abc import Set
from dataclasses import dataclass
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

    Rows that were never committed are made from the sidecar; a lost or damaged sidecar is made up for by the row. Rows
    without journals become FAILED, journals of nobody raise an alarm. Idempotent.

    Args:
        running: Ids of calls that are being recorded by this very process.
    """
    found = await asyncio.to_thread(_scan, journal_path, running)
    entered = {meta.call_id: meta for meta in await ledger.left_behind(node_id) if meta.call_id not in running}
    completed = 0
    for folder in found:
        meta = folder.meta or entered.get(folder.call_id)
        entered.pop(folder.call_id, None)
        if meta is None:
            log.error("journals without identity", call_id=folder.call_id)
            await ledger.alarm(folder.call_id, "Recording: journals without a readable sidecar were found")
        elif meta.node_id == node_id:
            completed += await _complete(ledger, meta, folder.last_write)
    for meta in entered.values():
        await ledger.lost(meta.recording_id)
    return completed


async def _complete(ledger: Ledger, meta: Meta, last_write: datetime) -> bool:
    try:
        changed = await ledger.stopped(meta, Ending(last_write, interrupted=True))
    except ConflictError:
        return False  # finalized or failed already; its job removes the journals
    except IntegrityError:
        log.error("journals of an unknown call", call_id=meta.call_id)
        await ledger.alarm(meta.call_id, "Recording: journals of an unknown call were found")
        return False
    if changed:
        log.info("recording recovered", call_id=meta.call_id, recording_id=meta.recording_id)
    return changed


@dataclass(frozen=True, slots=True)
class _Found:
    """A call's folder. `meta` is None when the sidecar is missing or damaged."""

    call_id: str
    meta: Meta | None
    last_write: datetime


def _scan(journal_path: Path, running: Set[str]) -> list[_Found]:
    found = []
    for folder in sorted(journal_path.iterdir()) if journal_path.is_dir() else []:
        if not folder.is_dir() or folder.name in running:
            continue
        journals = journals_in(folder)
        meta: Meta | None = None
        try:
            meta = read_meta(folder)
        except MetaError as error:
            if not journals:  # killed while it made the folder: nothing was recorded
                shutil.rmtree(folder, ignore_errors=True)
                continue
            log.error("sidecar unreadable", folder=folder.name, error=str(error))
        newest = max(path.stat().st_mtime for path in journals or [folder])
        found.append(_Found(folder.name, meta, datetime.fromtimestamp(newest, UTC)))
    return found
