"""The audit log: append-only, chained by SHA-256, written in the transaction of what it tells of."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.system import AuditEntry, AuditPending

if TYPE_CHECKING:
    from core.db import Database

GENESIS = "0" * 64
_PENDING = insert(AuditPending)


@dataclass(frozen=True, slots=True)
class AuditNote:
    """What an entry says, before it is chained."""

    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    detail: dict[str, Any]


def entry_hash(prev_hash: str, seq: int, note: AuditNote) -> str:
    """SHA-256 over the previous hash and the canonical JSON of the entry."""
    return hashlib.sha256(f"{prev_hash}[{seq},{_canonical(note)[1:]}".encode()).hexdigest()


def _canonical(note: AuditNote) -> str:
    """The entry as canonical JSON, without the number it has in the chain."""
    parts = [
        note.at.astimezone(UTC).isoformat(),
        note.actor,
        note.action,
        note.object_type,
        note.object_id,
        _as_stored(note.detail),
    ]
    return json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _as_stored(value: Any) -> Any:
    """Numbers as JSONB gives them back: it keeps 1e22 as an integer, so 1.0 and 1 must hash alike."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _as_stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_stored(item) for item in value]
    return value


async def append(session: AsyncSession, notes: list[AuditNote]) -> None:
    """Add the notes to the log when this transaction commits.

    The database chains them within COMMIT (the trigger ``audit_chain``): writers of the chain come one after the
    other, and none of them waits for another's way over the network.
    """
    await session.execute(_PENDING, [{"entries": [_canonical(note) for note in notes]}])


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result of a verification. `broken_at` is the first bad seq, None when the chain holds."""

    entries: int
    head: str
    broken_at: int | None = None
    reason: str = ""


async def verify(entries: AsyncIterator[AuditEntry]) -> ChainReport:
    """Walk the chain in order and say where it breaks: an edited, deleted or inserted entry."""
    count, prev_hash = 0, GENESIS
    async for entry in entries:
        if entry.seq != count + 1:
            return ChainReport(count, prev_hash, count + 1, f"entry {count + 1} is missing")
        if entry.prev_hash != prev_hash:
            return ChainReport(count, prev_hash, entry.seq, "does not follow the entry before it")
        note = AuditNote(entry.at, entry.actor, entry.action, entry.object_type, entry.object_id, entry.detail)
        if entry_hash(prev_hash, entry.seq, note) != entry.hash:
            return ChainReport(count, prev_hash, entry.seq, "was changed after it was written")
        count, prev_hash = count + 1, entry.hash
    return ChainReport(count, prev_hash)


async def verify_database(database: "Database") -> ChainReport:
    """Verify the whole log of a database in one consistent snapshot, entry by entry.

    Entries cut off at the very end leave a valid, shorter chain: compare `entries` and `head` with those noted
    down at an earlier verification.
    """
    async with database.read() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        in_order = select(AuditEntry).order_by(col(AuditEntry.seq)).execution_options(yield_per=500)
        return await verify(await session.stream_scalars(in_order))
