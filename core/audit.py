"""The audit log: append-only, chained by SHA-256, written in the transaction of what it tells of."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.system import AuditEntry

if TYPE_CHECKING:
    from core.db import Database

GENESIS = "0" * 64
_CHAIN_LOCK = 0x41554449  # "AUDI": pg advisory lock that serialises the writers of the chain


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
    canonical = json.dumps(
        [
            seq,
            note.at.astimezone(UTC).isoformat(),
            note.actor,
            note.action,
            note.object_type,
            note.object_id,
            _as_stored(note.detail),
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256((prev_hash + canonical).encode()).hexdigest()


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
    """Chain the notes at the end of the log. Called last in a transaction: it holds the chain's lock until commit."""
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    newest = select(AuditEntry.seq, AuditEntry.hash).order_by(col(AuditEntry.seq).desc()).limit(1)
    last = (await session.execute(newest)).first()
    seq, prev_hash = (last[0], last[1]) if last else (0, GENESIS)
    for note in notes:
        seq += 1
        digest = entry_hash(prev_hash, seq, note)
        session.add(
            AuditEntry(
                seq=seq,
                at=note.at,
                actor=note.actor,
                action=note.action,
                object_type=note.object_type,
                object_id=note.object_id,
                detail=note.detail,
                prev_hash=prev_hash,
                hash=digest,
            )
        )
        prev_hash = digest
    await session.flush()


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
