"""Making, restoring and removing backups.

In the target store lie ``backups/<id>/database.sealed`` and, written last, ``backups/<id>/manifest.json``; without that
it is no backup. Objects lie beside them in ``pool/``, once for all backups that hold them: a backup copies only what is
not there yet. Objects are encrypted as they are; the dump is sealed with a key of its own, wrapped by the master key.
The keys never go there: `copy_keys` puts them elsewhere.
"""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import CONNECT
from core.errors import ConflictError, CounterError, NotFoundError, UnavailableError
from core.security.keys import MasterKey, new_data_key, unwrap_key, wrap_key
from core.security.seal import seal_path
from core.store import Store, StoredObject
from server.backup import dump

FOLDER = "backups"
POOL = "pool"
DRILLS = "drills"
UNFINISHED = "restore.unfinished"
"""Lies in a store while a backup is brought into it; no house starts on it."""

FORMAT = 2
KEY_FILES = ("secrets.json", "seal.pem")
_PIECE_B = 8 << 20


@dataclass(frozen=True, slots=True)
class FileSealing:
    """How the dump is sealed: `seal(plain, sealed, key, owner)`, `open(sealed, plain, key, owner)`. Both block."""

    seal: Callable[[Path, Path, bytes, str], object]
    open: Callable[[Path, Path, bytes, str], None]


class BackupError(CounterError):
    """A backup is not whole, or not of this installation."""

    code = "backup.damaged"


async def make_backup(
    url: str, store: Store, target: Store, master_key: MasterKey, sealing: FileSealing, now: datetime
) -> dict[str, Any]:
    """Copy the database, and the objects that no earlier backup holds. Returns the manifest.

    The dump is of one moment; objects are copied after it, so every row's object is there, and a few newer ones too.

    Raises:
        DumpError: the database refuses. UnavailableError: ``store.read_failed``, ``store.write_failed``,
            ``backup.not_stored``: the target does not hold what was given to it.
    """
    backup_id = f"backup-{now:%Y%m%dT%H%M%SZ}"
    data_key = new_data_key()
    with tempfile.TemporaryDirectory(prefix="aircounter-") as folder:
        plain, sealed = Path(folder) / "dump", Path(folder) / "dump.sealed"
        async with dump.snapshot(url) as moment:
            await dump.dump(url, plain, moment.name)
        await asyncio.to_thread(sealing.seal, plain, sealed, data_key, backup_id)
        dumped = await _put(target, f"{FOLDER}/{backup_id}/database.sealed", _file(sealed))
    objects, copied_b = await _copy_objects(store, target)
    manifest = {
        "format": FORMAT,
        "id": backup_id,
        "taken_at": now.isoformat(),
        "schema": moment.schema,
        "wal_lsn": moment.lsn,
        "rows": moment.rows,
        "dump": {**dumped, "wrapped_key": wrap_key(master_key, data_key, backup_id).hex()},
        "objects": objects,
        "copied_b": copied_b,
    }
    await target.put(f"{FOLDER}/{backup_id}/manifest.json", json.dumps(manifest, sort_keys=True).encode())
    return manifest


async def _copy_objects(store: Store, target: Store) -> tuple[dict[str, Any], int]:
    """What every object of the house is and where it lies in the pool; how many bytes had to be copied."""
    held = {found.key: found.size_b for found in await target.objects(POOL)}
    known = await _known(target)
    objects, copied_b = {}, 0
    for found in await store.objects(""):
        if found.key.startswith((f"{FOLDER}/", f"{POOL}/", f"{DRILLS}/")):
            continue  # the target may be the same store
        place = _place(found)
        sha256 = known.get(place) if held.get(place) == found.size_b else None
        if sha256 is None:
            sha256 = (await _put(target, place, store.stream(found.key, _PIECE_B)))["sha256"]
            copied_b += found.size_b
        objects[found.key] = {"place": place, "size_b": found.size_b, "sha256": sha256}
    return objects, copied_b


def _place(found: StoredObject) -> str:
    """Where this version of an object lies: an object that was replaced is another one."""
    return f"{POOL}/{found.key}@{found.modified_at:%Y%m%dT%H%M%S%f}-{found.size_b}"


async def _known(target: Store) -> dict[str, str]:
    """SHA-256 of what lies in the pool, as the backups there say."""
    return {
        each["place"]: each["sha256"]
        for backup_id in await backups(target)
        for each in (await read_manifest(target, backup_id))["objects"].values()
    }


async def _put(target: Store, key: str, pieces: AsyncIterator[bytes]) -> dict[str, Any]:
    digest, size_b = hashlib.sha256(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size_b
        async for piece in pieces:
            digest.update(piece)
            size_b += len(piece)
            yield piece

    await target.put(key, counted())
    if await target.size_b(key) != size_b:
        raise UnavailableError(f"the target has not kept {key} whole", code="backup.not_stored")
    return {"size_b": size_b, "sha256": digest.hexdigest()}


async def _file(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_B):
            yield piece


async def backups(target: Store) -> list[str]:
    """Ids of whole backups, oldest first."""
    return sorted(key.split("/")[1] for key in await target.keys(FOLDER) if key.endswith("/manifest.json"))


async def read_manifest(target: Store, backup_id: str | None) -> dict[str, Any]:
    """A backup's manifest; the newest one's without an id. NotFoundError ``backup.not_found``."""
    known = await backups(target)
    if not known or (backup_id is not None and backup_id not in known):
        raise NotFoundError("there is no such backup", code="backup.not_found")
    content: dict[str, Any] = json.loads(await target.get(f"{FOLDER}/{backup_id or known[-1]}/manifest.json"))
    if content["format"] != FORMAT:
        raise BackupError(f"the backup has format {content['format']}, this release reads {FORMAT}")
    return content


async def restore_backup(
    manifest: dict[str, Any], target: Store, url: str, store: Store, master_key: MasterKey, sealing: FileSealing
) -> None:
    """Bring a backup into an empty database and an empty store. `finish` says when no more is to come.

    Raises:
        ConflictError: ``restore.not_empty``. BackupError: something in the backup was changed or is missing.
        SecretsError: the keys are another installation's. DumpError: the database refuses.
    """
    engine = create_async_engine(url, connect_args=CONNECT)
    async with engine.connect() as connection:
        query = text("select count(*) from pg_tables where schemaname = 'public'")
        tables = (await connection.execute(query)).scalar_one()
    await engine.dispose()
    if tables or await store.keys(""):
        raise ConflictError(
            "database or object store is not empty; restore into an empty place", code="restore.not_empty"
        )
    await store.put(UNFINISHED, manifest["id"].encode())
    backup_id = manifest["id"]
    data_key = unwrap_key(master_key, bytes.fromhex(manifest["dump"]["wrapped_key"]), backup_id)
    with tempfile.TemporaryDirectory(prefix="aircounter-") as folder:
        sealed, plain = Path(folder) / "dump.sealed", Path(folder) / "dump"

        async def write(pieces: AsyncIterator[bytes]) -> None:
            with await asyncio.to_thread(sealed.open, "wb") as file:
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)

        await _take(target, f"{FOLDER}/{backup_id}/database.sealed", manifest["dump"]["sha256"], write)
        await asyncio.to_thread(sealing.open, sealed, plain, data_key, backup_id)
        await dump.restore(url, plain)
    for key, known in manifest["objects"].items():
        await _take(target, known["place"], known["sha256"], partial(store.put, key))


async def finish(store: Store) -> None:
    """The house may start."""
    await store.delete(UNFINISHED)


async def check_finished(store: Store) -> None:
    """ConflictError ``restore.unfinished`` when a restore into this store was broken off."""
    try:
        await store.size_b(UNFINISHED)
    except NotFoundError:
        return
    raise ConflictError(
        "a restore was broken off here; empty the database and the object store and restore again",
        code="restore.unfinished",
    )


async def _take(target: Store, key: str, sha256: str, give: Callable[[AsyncIterator[bytes]], Awaitable[None]]) -> None:
    """Hand on what lies in a backup, then compare what was handed on. BackupError."""
    digest = hashlib.sha256()

    async def hashed() -> AsyncIterator[bytes]:
        async for piece in target.stream(key, _PIECE_B):
            digest.update(piece)
            yield piece

    try:
        await target.size_b(key)
    except NotFoundError as error:
        raise BackupError(f"{key} is missing in the backup") from error
    await give(hashed())
    if digest.hexdigest() != sha256:
        raise BackupError(f"{key} was changed in the backup")


async def remove_backups(target: Store, gone: Iterable[str]) -> int:
    """Remove backups, and what no other one holds. Returns how many objects of the pool went with them.

    The manifest goes first: what is left when this breaks off is no backup, and the next removal takes it.
    """
    for backup_id in gone:
        await target.delete(f"{FOLDER}/{backup_id}/manifest.json")
    left = await backups(target)
    for key in await target.keys(FOLDER):
        if key.split("/")[1] not in left:
            await target.delete(key)
    needed = await _known(target)
    lost = [key for key in await target.keys(POOL) if key not in needed]
    for key in lost:
        await target.delete(key)
    return len(lost)


def copy_keys(data_dir: Path, folder: Path) -> list[str]:
    """Copy the installation's keys to a folder that is kept apart from the backups (mode 0600)."""
    source = seal_path(data_dir).parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    copied = []
    for name in KEY_FILES:
        if (source / name).exists():
            target = folder / name
            shutil.copyfile(source / name, target, follow_symlinks=True)
            os.chmod(target, 0o600)
            copied.append(name)
    return copied


def put_keys(folder: Path, data_dir: Path) -> None:
    """Put the keys where the installation looks for them; keys that are there already must be the same.

    Raises:
        NotFoundError: ``restore.no_keys``. ConflictError: ``restore.other_keys``: they are never overwritten.
    """
    if not (folder / KEY_FILES[0]).exists():
        raise NotFoundError(f"there are no keys in {folder}", code="restore.no_keys")
    home = seal_path(data_dir).parent
    home.mkdir(parents=True, exist_ok=True)
    for name in KEY_FILES:
        source, target = folder / name, home / name
        if target.exists() and source.exists() and target.read_bytes() != source.read_bytes():
            raise ConflictError(f"{target} holds other keys; choose an empty data folder", code="restore.other_keys")
        if source.exists() and not target.exists():
            shutil.copyfile(source, target)
            os.chmod(target, 0o600)
