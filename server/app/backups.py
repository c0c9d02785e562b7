"""Composition of backup, restore and drill for the command line."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from sqlmodel import col, select

from core.clock import SystemClock
from core.db import Database
from core.errors import CounterError
from core.models.recording import RecordingFile
from core.security.keys import MasterKey, load_secrets
from core.settings import Settings
from core.store import Store, open_store
from recording.catalogue.service import Catalogue
from recording.seal import HEADER_B, SealedFile, seal
from server.app import engines
from server.backup.backup import FileSealing, make_backup, read_manifest, restore_backup
from server.backup.drill import DrillReport, alarm, drill


@contextlib.contextmanager
def house_database(settings: Settings, *, make: bool = False) -> Iterator[str]:
    """The address of the house's database; the embedded one is started if it has to be.

    Raises:
        CounterError: there is none. EngineError: it does not start.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    if not make and not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        raise CounterError(f"there is no database in {settings.data_dir}; name it with --data or --database-url")
    postgres = engines.start_postgres(settings.data_dir)
    try:
        yield postgres.url
    finally:
        postgres.stop()


async def backup(settings: Settings, url: str, target_url: str) -> dict[str, Any]:
    """Make one."""
    store = open_store(settings.store_url, settings.data_dir)
    master_key = load_secrets(settings.data_dir).master_key
    return await make_backup(url, store, open_target(target_url), master_key, SEALING, SystemClock().now())


async def restore(settings: Settings, url: str, target_url: str, backup_id: str | None) -> dict[str, Any]:
    """Bring one back; the keys must be in place already."""
    target = open_target(target_url)
    manifest = await read_manifest(target, backup_id)
    store = open_store(settings.store_url, settings.data_dir)
    await restore_backup(manifest, target, url, store, load_secrets(settings.data_dir).master_key, SEALING)
    return manifest


async def rehearse(settings: Settings, url: str, target_url: str, backup_id: str | None) -> DrillReport:
    """The drill; its result is noted in the house's own database, with an alarm when it failed."""
    master_key = load_secrets(settings.data_dir).master_key
    database = Database(url, None, SystemClock())

    async def play(restored: str, store: Store) -> dict[str, Any] | None:
        return await play_one(restored, store, master_key)

    try:
        report = await drill(
            open_target(target_url), backup_id, master_key, SEALING, SystemClock().now(), _scratch, play
        )
        await alarm(database, report)
    finally:
        await database.close()
    return report


async def play_one(url: str, store: Store, master_key: MasterKey) -> dict[str, Any] | None:
    """Open and decode the newest recording of a house.

    Raises:
        CounterError: it cannot be opened, is not as it was stored, or has no picture and no sound.
    """
    database = Database(url, None, SystemClock())
    try:
        async with database.read() as session:
            query = select(RecordingFile).order_by(col(RecordingFile.created_at).desc()).limit(1)
            row = (await session.scalars(query)).first()
        if row is None:
            return None
        async with Catalogue(database, store, master_key).plain_file(row.id) as path:
            if hashlib.sha256(path.read_bytes()).hexdigest() != row.sha256:
                raise CounterError(f"recording {row.id} is not as it was stored", code="drill.recording_changed")
            frames = _decoded(path)
        if not frames:
            raise CounterError(f"recording {row.id} cannot be played", code="drill.not_playable")
        return {"file_id": row.id, "call_id": row.call_id, "sha256": row.sha256, "frames": frames}
    finally:
        await database.close()


def open_target(url: str) -> Store:
    """Where backups lie: a folder or an object store's address."""
    if "://" not in url:
        folder = Path(url).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        url = folder.as_uri()
    return open_store(url, Path())


def _decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode())


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[str]:
    postgres = engines.start_postgres(folder)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def _seal(plain: Path, sealed: Path, data_key: bytes, backup_id: str) -> str:
    with plain.open("rb") as source, sealed.open("wb") as out:
        return seal(source, plain.stat().st_size, out, data_key, backup_id).sealed_sha256


def _open(content: bytes, data_key: bytes, backup_id: str) -> bytes:
    return SealedFile(content[:HEADER_B], data_key, backup_id).open(0, content[HEADER_B:])


SEALING = FileSealing(_seal, _open)
