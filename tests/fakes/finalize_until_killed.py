"""A worker in miniature: finalizes one recording, unless it is killed.

Usage: ``finalize_until_killed.py DATABASE_URL DATA_FOLDER CALL_ID RECORDING_ID``.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from capture_house import MASTER_KEY

from core.clock import SystemClock
from core.db import Database
from core.events import RecordingStopped
from core.store import open_store
from recording.finalize.service import Finalizer


async def _finalize(url: str, data_folder: str, call_id: str, recording_id: str) -> None:
    folder = Path(data_folder)
    database = Database(url, None, SystemClock())
    finalizer = Finalizer(database, open_store(None, folder), folder / "journals", MASTER_KEY)
    print("ready", flush=True)
    stopped = RecordingStopped(at=datetime.now(UTC), call_id=call_id, recording_id=recording_id, interrupted=False)
    await finalizer.on_stopped(stopped)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_finalize(*sys.argv[1:]))
