"""The drill: restores a backup into a scratch place and proves that it can be worked with."""

import asyncio
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from core.db import CONNECT
from core.errors import CounterError
from core.security.keys import MasterKey
from core.store import Store, open_store
from server.backup import dump
from server.backup.backup import DRILLS, FileSealing, read_manifest, restore_backup

Scratch = Callable[[Path], AbstractContextManager[str]]
"""Starts an empty database in a folder; gives its address."""

Play = Callable[[str, Store], Awaitable[dict[str, Any] | None]]
"""Plays one recording of a restored house: what was decoded; None when it has none. CounterError when it cannot."""


@dataclass(slots=True)
class DrillReport:
    """What the drill found.

    Attributes:
        played: File, SHA-256 and number of decoded pictures; None when the backup holds no recording.
        problems: Empty when the backup can be relied on.
    """

    backup_id: str
    begun_at: str
    taken_at: str = ""
    took_s: float = 0.0
    tables: int = 0
    rows: int = 0
    objects: int = 0
    played: dict[str, Any] | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is missing."""
        return not self.problems

    def words(self) -> str:
        """For people."""
        head = "恢复演练通过 · DRILL PASSED" if self.good else "恢复演练失败 · DRILL FAILED"
        lines = [
            head,
            f"备份 · backup: {self.backup_id} ({self.taken_at})",
            f"演练 · drill: {self.begun_at}, {self.took_s:.1f} s",
            f"数据 · restored: {self.rows} rows in {self.tables} tables, {self.objects} objects",
            f"回放 · played: {json.dumps(self.played) if self.played else '备份中没有录像 · no recording in it'}",
            *(f"✗ {problem}" for problem in self.problems),
        ]
        return "\n".join(lines) + "\n"


async def drill(
    target: Store,
    backup_id: str | None,
    master_key: MasterKey,
    sealing: FileSealing,
    now: datetime,
    scratch: Scratch,
    play: Play,
) -> DrillReport:
    """Restore, compare, play, and write the report beside the backups. Nothing of the house in service is touched."""
    begun = time.monotonic()
    report = DrillReport(backup_id or "", now.isoformat())
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="ac-drill-"))
    try:
        manifest = await read_manifest(target, backup_id)
        report.backup_id, report.taken_at = manifest["id"], manifest["taken_at"]
        store = open_store(None, folder)
        with scratch(folder) as url:
            await restore_backup(manifest, target, url, store, master_key, sealing)
            await _compare(report, manifest, url, store)
            report.played = await play(url, store)
    except CounterError as error:
        report.problems.append(f"{error} ({error.code})")
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)
    report.took_s = round(time.monotonic() - begun, 2)
    name = f"{DRILLS}/drill-{now:%Y%m%dT%H%M%SZ}"
    await target.put(f"{name}.json", json.dumps({"good": report.good, **asdict(report)}, ensure_ascii=False).encode())
    await target.put(f"{name}.txt", report.words().encode())
    return report


async def _compare(report: DrillReport, manifest: dict[str, Any], url: str, store: Store) -> None:
    engine = create_async_engine(url, connect_args=CONNECT)
    async with engine.connect() as connection:
        rows = await dump.count_rows(connection)
    await engine.dispose()
    report.tables, report.rows = len(rows), sum(rows.values())
    for table in sorted(rows.keys() | manifest["rows"].keys()):
        if rows.get(table) != manifest["rows"].get(table):
            report.problems.append(f"{table}: {rows.get(table)} rows restored, {manifest['rows'].get(table)} backed up")
    for key, known in manifest["objects"].items():
        digest = hashlib.sha256()
        async for piece in store.stream(key):
            digest.update(piece)
        report.objects += 1
        if digest.hexdigest() != known["sha256"]:
            report.problems.append(f"{key} differs")
