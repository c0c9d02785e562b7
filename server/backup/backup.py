"""Making and restoring backups.

A backup is a folder of the target store: ``backups/<id>/database.sealed``, ``objects/…`` and, written last,
``manifest.json``; without that it is none. Objects are encrypted as they are; the dump is sealed with a key of its own,
wrapped by the master key. The keys never go there: `copy_keys` puts them elsewhere.
"""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import ConflictError, CounterError, NotFoundError
from core.security.keys import MasterKey, new_data_key, unwrap_key, wrap_key
from core.security.seal import seal_path
from core.store import Store
from server.backup import dump

FOLDER = "backups"
FORMAT = 1
KEY_FILES = ("secrets.json", "seal.pem")


@dataclass(frozen=True, slots=True)
class FileSealing:
    """How the dump is sealed. `seal(plain, sealed, key, owner)` gives the SHA-256 of the sealed file."""

    seal: Callable[[Path, Path, bytes, str], str]
    open: Callable[[bytes, bytes, str], bytes]


class BackupError(CounterError):
    """A backup is not whole, or not of this installation."""

    code = "backup.damaged"


async def make_backup(
    url: str, store: Store, target: Store, master_key: MasterKey, sealing: FileSealing, now: datetime
) -> dict[str, Any]:
    """Copy database and objects. Returns the manifest.

    The dump is of one moment; objects are copied after it, so every row's object is there, and a few newer ones too.
    """
    backup_id = f"backup-{now:%Y%m%dT%H%M%SZ}"
    data_key = new_data_key()
    with tempfile.TemporaryDirectory(prefix="aircounter-") as folder:
        plain, sealed = Path(folder) / "dump", Path(folder) / "dump.sealed"
        async with dump.snapshot(url) as moment:
            await dump.dump(url, plain, moment.name)
        made = await asyncio.to_thread(sealing.seal, plain, sealed, data_key, backup_id)
        await target.put(f"{FOLDER}/{backup_id}/database.sealed", sealed)
    objects = {}
    for key in await store.keys(""):
        if key.startswith(f"{FOLDER}/"):
            continue  # the target may be the same store
        content = await store.get(key)
        await target.put(f"{FOLDER}/{backup_id}/objects/{key}", content)
        objects[key] = {"size_b": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = {
        "format": FORMAT,
        "id": backup_id,
        "taken_at": now.isoformat(),
        "schema": moment.schema,
        "wal_lsn": moment.lsn,
        "rows": moment.rows,
        "dump": {"sha256": made, "wrapped_key": wrap_key(master_key, data_key, backup_id).hex()},
        "objects": objects,
    }
    await target.put(f"{FOLDER}/{backup_id}/manifest.json", json.dumps(manifest, sort_keys=True).encode())
    return manifest


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
    """Bring a backup into an empty database and an empty store.

    Raises:
        ConflictError: ``restore.not_empty``. BackupError: something in the backup was changed or is missing.
        SecretsError: the keys are another installation's. DumpError: the database refuses.
    """
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        query = text("select count(*) from pg_tables where schemaname = 'public'")
        tables = (await connection.execute(query)).scalar_one()
    await engine.dispose()
    if tables or await store.keys(""):
        raise ConflictError(
            "database or object store is not empty; restore into an empty place", code="restore.not_empty"
        )
    backup_id = manifest["id"]
    data_key = unwrap_key(master_key, bytes.fromhex(manifest["dump"]["wrapped_key"]), backup_id)
    content = await _read(target, f"{FOLDER}/{backup_id}/database.sealed", manifest["dump"]["sha256"])
    with tempfile.TemporaryDirectory(prefix="aircounter-") as folder:
        plain = Path(folder) / "dump"
        await asyncio.to_thread(plain.write_bytes, sealing.open(content, data_key, backup_id))
        await dump.restore(url, plain)
    for key, known in manifest["objects"].items():
        await store.put(key, await _read(target, f"{FOLDER}/{backup_id}/objects/{key}", known["sha256"]))


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


async def _read(target: Store, key: str, sha256: str) -> bytes:
    try:
        content = await target.get(key)
    except NotFoundError as error:
        raise BackupError(f"{key} is missing in the backup") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BackupError(f"{key} was changed in the backup")
    return content
