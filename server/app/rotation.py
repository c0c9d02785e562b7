"""Key rotation: everything that is wrapped with a former master key is wrapped with the current one.

It can be stopped at any time and run again: what the current key opens already is passed over. A value that somebody
changes meanwhile is left to them (they use the current key). Old things stay readable throughout, by the former key.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlmodel import SQLModel, col

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.models import (
    Appointment,
    BusinessCase,
    Callback,
    CaseDocument,
    CaseStep,
    ChatMessage,
    DataKey,
    EarlyDocument,
    EvidenceExport,
    NoticeMessage,
    PhoneCode,
    Posting,
    Prefill,
    Recording,
    RecordingState,
    RectificationFile,
    ReviewRequest,
    Signature,
    SignedDocument,
    StaffTotp,
    SubjectRequest,
    Voucher,
    Webhook,
)
from core.security.actor import system_actor
from core.security.keys import KeyRing, MasterKey, is_current, unwrap_key, wrap_key
from core.store import Store
from core.vault import vault_context

BATCH = 200
_ACTOR = system_actor("key rotation")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of values that a master key encrypted.

    Attributes:
        owner: What a value is bound to, from the columns `bound`.
    """

    table: Any
    column: str
    bound: tuple[str, ...] = ("id",)
    owner: Callable[..., str] = lambda key: str(key)

    @property
    def name(self) -> str:
        """``table.column``."""
        return f"{self.table.__tablename__}.{self.column}"


COLUMNS: tuple[SealedColumn, ...] = (
    SealedColumn(Recording, "wrapped_key"),
    SealedColumn(CaseDocument, "wrapped_key"),
    SealedColumn(EarlyDocument, "wrapped_key"),
    SealedColumn(RectificationFile, "wrapped_key"),
    SealedColumn(ChatMessage, "wrapped_key", ("object_key",)),
    SealedColumn(EvidenceExport, "wrapped_key"),
    SealedColumn(SubjectRequest, "wrapped_key"),
    SealedColumn(DataKey, "wrapped_key", ("purpose",)),
    SealedColumn(BusinessCase, "sealed"),
    SealedColumn(CaseStep, "sealed", ("case_id", "key"), lambda case, key: f"{case}/{key}"),
    SealedColumn(Prefill, "sealed"),
    SealedColumn(PhoneCode, "sealed"),
    SealedColumn(Signature, "sealed_ink"),
    SealedColumn(Voucher, "sealed_facts"),
    SealedColumn(Posting, "sealed_plan"),
    SealedColumn(ReviewRequest, "sealed_shown"),
    SealedColumn(Appointment, "contact"),
    SealedColumn(Callback, "contact"),
    SealedColumn(NoticeMessage, "sealed_address", owner=lambda key: f"notice {key}"),
    SealedColumn(StaffTotp, "secret_sealed", ("staff_id",), lambda key: f"staff_totp.secret:{key}"),
    SealedColumn(Webhook, "sealed_secret"),
)
"""Every column of sealed values; a test compares it with the schema."""

_VAULT_KEYS: tuple[Any, ...] = (SignedDocument.object_key, SignedDocument.sealed_key, Voucher.object_key)


@dataclass(slots=True)
class Progress:
    """How far it is: what is being worked on, how many values were looked at and how many wrapped anew."""

    part: str = ""
    seen: int = 0
    changed: int = 0


class Rotation:
    """Wraps anew."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key

    async def run(self, tell: Callable[[Progress], None] = lambda progress: None, dry: bool = False) -> Progress:
        """Go through everything once.

        Args:
            tell: Hears of the progress after every batch.
            dry: Only count what a former key is still needed for.

        Raises:
            SecretsError: a value that no known key opens.
        """
        if isinstance(self._master_key, KeyRing):
            self._master_key.refresh()
        progress = Progress()
        for each in COLUMNS:
            progress.part = each.name
            async for rows in self._batches(each):
                await self._rows(each, rows, progress, dry)
                tell(progress)
        progress.part = "objects"
        async for keys in self._objects():
            for key in keys:
                await self._object(key, progress, dry)
            tell(progress)
        if not dry and progress.changed:
            async with self._database.unit_of_work(_ACTOR) as work:
                work.audit("keys.rotated", "master_key", "master_key", seen=progress.seen, changed=progress.changed)
        return progress

    async def assert_unused(self) -> None:
        """That no former key is needed any more. ConflictError ``keys.in_use``."""
        unfinished = select(Recording.id).where(  # type: ignore[call-overload]
            col(Recording.state).in_((RecordingState.CAPTURING, RecordingState.CAPTURED))
        )
        async with self._database.read() as session:
            if (await session.scalars(unfinished.limit(1))).first() is not None:
                raise ConflictError(
                    "a recording is being made; its journal may need the former key", code="keys.in_use"
                )
        left = (await self.run(dry=True)).changed
        if left:
            raise ConflictError("run keys rotate first", code="keys.in_use", values=left)

    async def _batches(self, each: SealedColumn) -> AsyncIterator[list[Any]]:
        primary = list(each.table.__table__.primary_key.columns)
        value = getattr(each.table, each.column)
        bound = [getattr(each.table, name) for name in each.bound]
        after: tuple[Any, ...] | None = None
        while True:
            query = select(value, *primary, *bound).where(value.is_not(None), value != b"").order_by(*primary)
            if after is not None:
                query = query.where(tuple_(*primary) > tuple_(*after))
            async with self._database.read() as session:
                rows = list((await session.execute(query.limit(BATCH))).all())
            if not rows:
                return
            yield rows
            after = tuple(rows[-1][1 : 1 + len(primary)])

    async def _rows(self, each: SealedColumn, rows: list[Any], progress: Progress, dry: bool) -> None:
        primary = list(each.table.__table__.primary_key.columns)
        value = getattr(each.table, each.column)
        async with self._database.transaction() as session:
            for row in rows:
                progress.seen += 1
                owner = each.owner(*row[1 + len(primary) :])
                if is_current(self._master_key, row[0], owner):
                    continue
                progress.changed += 1
                plain = unwrap_key(self._master_key, row[0], owner)
                if dry:
                    continue
                mine = [column == key for column, key in zip(primary, row[1:], strict=False)]
                # Compare and set: what somebody has written since is theirs.
                await session.execute(
                    update(each.table)
                    .where(*mine, value == row[0])
                    .values({each.column: wrap_key(self._master_key, plain, owner)})
                )

    async def _objects(self) -> AsyncIterator[list[str]]:
        for column in _VAULT_KEYS:
            after = ""
            while True:
                query = select(column).where(column > after).order_by(column).limit(BATCH)
                async with self._database.read() as session:
                    keys = list((await session.scalars(query)).all())
                if not keys:
                    break
                yield keys
                after = keys[-1]

    async def _object(self, key: str, progress: Progress, dry: bool) -> None:
        """Documents are written once and never changed, so nobody else writes here."""
        progress.seen += 1
        try:
            stored = await self._store.get(key)
        except NotFoundError:
            return
        if is_current(self._master_key, stored, vault_context(key)):
            return
        progress.changed += 1
        plain = unwrap_key(self._master_key, stored, vault_context(key))
        if not dry:
            await self._store.put(key, wrap_key(self._master_key, plain, vault_context(key)))


def sealed_columns(tables: list[type[SQLModel]]) -> set[str]:
    """All binary columns of the schema, as ``table.column``."""
    return {
        f"{table.__tablename__}.{column.name}"
        for table in tables
        for column in table.__table__.columns  # type: ignore[attr-defined]
        if column.type.python_type is bytes
    }
