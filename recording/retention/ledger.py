"""Tombstones outside of the database: what was deleted stays deleted when an older backup is brought back.

Each is a small signed file in the house's store and, where backups have a target, beside them. It is written before the
row that says so, and names nobody but staff. `reapply` deletes again what a restored backup still holds.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import CounterError
from core.models import Call
from core.models.retention import Tombstone
from core.security.actor import system_actor
from core.security.seal import Seal
from core.security.signing import check_signature, sign
from core.store import Store
from recording.retention import extent
from recording.retention.extent import Root
from recording.retention.rules import DataClass

FOLDER = "tombstones"
_ACTOR = system_actor("retention")


class TombstoneError(CounterError):
    """A tombstone outside of the database is not as it was signed."""

    code = "restore.tombstone_damaged"


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a tombstone says, and the keys of the objects that went with it. deleted_at: ISO, UTC."""

    id: str
    root_type: str
    root_id: str
    data_class: str
    run_id: str
    rule: str
    rows: dict[str, int]
    keys: list[str]
    objects_sha256: str
    requested_by: str
    approved_by: str
    deleted_at: str

    @classmethod
    def of(cls, stone: Tombstone, keys: Sequence[str]) -> "Deletion":
        """From the row that is about to be stored."""
        same = {name: getattr(stone, name) for name in cls.__slots__ if name not in ("keys", "deleted_at")}
        return cls(**same, keys=sorted(keys), deleted_at=stone.deleted_at.isoformat())

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def stone(self) -> Tombstone:
        """The row it came from."""
        known = {name: value for name, value in asdict(self).items() if name not in ("keys", "deleted_at")}
        return Tombstone(**known, objects=len(self.keys), deleted_at=datetime.fromisoformat(self.deleted_at))


class Ledger:
    """Writes tombstones to every place where they have to survive."""

    def __init__(self, seal: Seal, places: Sequence[Store]) -> None:
        self._seal = seal
        self._places = places

    async def write(self, deletion: Deletion) -> None:
        """Write one; doing it again changes nothing. UnavailableError when a place does not take it."""
        content = {**asdict(deletion), "signature": sign(self._seal, deletion.signed_bytes()).hex()}
        for place in self._places:
            key = f"{FOLDER}/{deletion.root_id}-{deletion.data_class}.json"
            await place.put(key, json.dumps(content, sort_keys=True).encode())


async def copy_missing(source: Store, target: Store) -> None:
    """Bring tombstones to a place that does not have them yet."""
    there = set(await target.keys(FOLDER))
    for key in await source.keys(FOLDER):
        if key not in there:
            await target.put(key, await source.get(key))


async def read(places: Sequence[Store], seal: Seal) -> list[Deletion]:
    """All tombstones of these places, each once, in the order of the deletions.

    Raises:
        TombstoneError: One was changed, or signed by another installation.
    """
    certificate = x509.load_der_x509_certificate(seal.certificate_der)
    found: dict[str, Deletion] = {}
    for place in places:
        for key in await place.keys(FOLDER):
            try:
                content: dict[str, Any] = json.loads(await place.get(key))
                signature = bytes.fromhex(content.pop("signature"))
                deletion = Deletion(**content)
                check_signature(certificate, signature, deletion.signed_bytes())
            except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
                raise TombstoneError(f"{key} is not as this installation signed it") from error
            found[key] = deletion
    order = tuple(DataClass)
    return sorted(found.values(), key=lambda each: (each.deleted_at, order.index(DataClass(each.data_class))))


async def is_deleted(session: AsyncSession, root_id: str, data_class: str) -> bool:
    """Whether the database has a tombstone of this already."""
    known = select(Tombstone.id).where(col(Tombstone.root_id) == root_id, col(Tombstone.data_class) == data_class)
    return (await session.execute(known)).first() is not None


async def reapply(database: Database, store: Store, deletions: Sequence[Deletion]) -> int:
    """Delete again what a restored database and store still hold. Returns how many deletions it did not know of.

    Holds do not count here: what was deleted is gone, and a hold of the backup's time was lifted before.
    """
    done = 0
    for deletion in deletions:
        async with database.unit_of_work(_ACTOR) as work:
            session = work.session
            if await is_deleted(session, deletion.root_id, deletion.data_class):
                continue
            data_class, keys, rows = DataClass(deletion.data_class), set(deletion.keys), {}
            call = await session.get(Call, deletion.root_id) if deletion.root_type == "call" else None
            if call is not None or deletion.root_type != "call":
                root = Root(deletion.root_type, deletion.root_id, call.visit_id if call else None)
                keys |= await extent.objects_of(session, root, data_class)
                rows = await extent.remove_rows(session, root, data_class)
            if data_class is DataClass.RECORDING:
                keys |= set(await store.keys(f"recordings/{deletion.root_id}/"))
            for key in keys:
                await store.delete(key)
            session.add(deletion.stone())
            work.audit(
                "purge.reapplied",
                deletion.root_type,
                deletion.root_id,
                data_class=data_class,
                rows=rows,
                deleted_at=deletion.deleted_at,
                run=deletion.run_id,
            )
        done += 1
    return done
