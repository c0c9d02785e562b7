"""Composition of backup, restore and drill: for the command line, for workers, for the page."""

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import time
from pathlib import Path
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

import av
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from core.clock import SystemClock
from core.db import CONNECT, Database
from core.errors import CounterError, UnavailableError
from core.http import RouteTable
from core.jobs import Subscription
from core.models.recording import RecordingFile
from core.security.actor import system_actor
from core.security.keys import MasterKey, load_secrets
from core.security.seal import load_seal
from core.settings import Settings
from core.store import Store, open_store
from recording.catalogue.service import Catalogue
from recording.retention import ledger
from recording.seal import HEADER_B, SealedFile, seal
from server.app import engines, schema
from server.app.connections import Connections
from server.backup.backup import FileSealing, finish, make_backup, read_manifest, restore_backup
from server.backup.drill import DrillReport, drill
from server.backup.routes import routes
from server.backup.rules import Plan
from server.backup.runner import BackupRunner, Tools, note_drill, subscriptions
from server.backup.service import BackupDesk

T = TypeVar("T")

_OWN = "BACKUP_"
_CHUNKS = 64
_LOCK = 0x4143_0001  # any number of our own


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
    """Make one. UnavailableError ``backup.busy`` while another is being made; otherwise see `make_backup`."""
    store = open_store(settings.store_url, settings.data_dir)
    master_key = load_secrets(settings.data_dir).master_key
    target = open_target(target_url)
    async with _alone(url):
        manifest = await make_backup(url, store, target, master_key, SEALING, SystemClock().now())
        await ledger.copy_missing(store, target)
        return manifest


@contextlib.asynccontextmanager
async def _alone(url: str) -> AsyncIterator[None]:
    """One backup at a time; PostgreSQL gives the lock back when this process dies."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", connect_args=CONNECT)
    try:
        async with engine.connect() as connection:
            lock = text("select pg_try_advisory_lock(:number)").bindparams(number=_LOCK)
            if not (await connection.execute(lock)).scalar_one():
                raise UnavailableError("another backup is being made", code="backup.busy")
            yield
    finally:
        await engine.dispose()


async def restore(
    settings: Settings, url: str, target_url: str, backup_id: str | None, deletions: str | None = None
) -> tuple[dict[str, Any], int]:
    """Bring one back, then delete again what was deleted since; the keys must be in place already.

    Args:
        deletions: Address of the former house's store, where it still has tombstones the target does not.

    Returns:
        The manifest, and how many deletions the backup did not know of.

    Raises:
        TombstoneError: before anything is brought back. Otherwise see `restore_backup`.
    """
    target = open_target(target_url)
    manifest = await read_manifest(target, backup_id)
    places = [target, *([open_target(deletions)] if deletions else [])]
    found = await ledger.read(places, load_seal(settings.data_dir))
    store = open_store(settings.store_url, settings.data_dir)
    await restore_backup(manifest, target, url, store, load_secrets(settings.data_dir).master_key, SEALING)
    await schema.upgrade(url)  # what is deleted is told in this release's tables
    database = Database(url, None, SystemClock())
    try:
        again = await ledger.reapply(database, store, found)
    finally:
        await database.close()
    for place in places:
        await ledger.copy_missing(place, store)
    await finish(store)
    return manifest, again


async def rehearse(settings: Settings, target_url: str, backup_id: str | None) -> DrillReport:
    """The drill."""
    master_key = load_secrets(settings.data_dir).master_key

    async def play(restored: str, store: Store) -> dict[str, Any] | None:
        return await play_one(restored, store, master_key)

    return await drill(open_target(target_url), backup_id, master_key, SEALING, SystemClock().now(), _scratch, play)


async def note(url: str, report: DrillReport) -> None:
    """Put a drill's result down in the house's own database, with an alarm when it failed."""
    database = Database(url, None, SystemClock())
    try:
        async with database.unit_of_work(system_actor("backup")) as work:
            await note_drill(work, report)
    finally:
        await database.close()


def plan_of(settings: Settings) -> Plan:
    """What the settings say of backups by the clock."""
    hour, minute = settings.backup_at.split(":")
    at = time(int(hour), int(minute))
    return Plan(at, ZoneInfo(settings.timezone), settings.backup_keep, settings.drill_days)


def backup_routes(connections: Connections) -> RouteTable:
    """For the edge."""
    settings = connections.settings
    target = settings.backup_target and settings.backup_target.partition("?")[0]
    return routes(BackupDesk(connections.database, plan_of(settings), target))


def backup_jobs(connections: Connections) -> tuple[list[Subscription], dict[str, Coroutine[Any, Any, None]]]:
    """For a worker: the job and the loop that looks whether it is due; none without a target."""
    settings = connections.settings
    if settings.backup_target is None:
        return [], {}
    target = settings.backup_target
    tools = Tools(
        open_target(target),
        lambda: _aside(lambda: backup(settings, str(settings.database_url), target)),
        lambda: _aside(lambda: rehearse(settings, target, None)),
    )
    runner = BackupRunner(connections.database, plan_of(settings), tools)
    return subscriptions(runner), {"backups": runner.run()}


async def _aside(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run something in a thread with a loop of its own: starting engines and decoding must not hold the worker up.

    A worker that is to end does not wait for it; another one does it again.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, failure = None, None
        try:
            result = asyncio.run(work())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            failure = error
        with contextlib.suppress(RuntimeError):  # that loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="backup", daemon=True).start()
    return await done


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
    own = {
        name.removeprefix(_OWN).lower(): value for name, value in os.environ.items() if name.startswith(f"{_OWN}AWS_")
    }
    return open_store(url, Path(), own)


def _decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode())


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[str]:
    postgres = engines.start_postgres(folder, temporary=True)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def _seal(plain: Path, sealed: Path, data_key: bytes, backup_id: str) -> None:
    with plain.open("rb") as source, sealed.open("wb") as out:
        seal(source, plain.stat().st_size, out, data_key, backup_id)


def _open(sealed: Path, plain: Path, data_key: bytes, backup_id: str) -> None:
    with sealed.open("rb") as source, plain.open("wb") as out:
        file = SealedFile(source.read(HEADER_B), data_key, backup_id)
        for first in range(0, file.chunk_count, _CHUNKS):
            span = file.span(first * file.chunk_b, min((first + _CHUNKS) * file.chunk_b, file.size_b))
            out.write(file.open(first, source.read(span.end_b - span.start_b)))


SEALING = FileSealing(_seal, _open)
