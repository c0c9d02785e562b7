"""Searching the audit log. Reading pages is not audited entry by entry; every export is."""

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.models.staff import Staff
from core.models.system import AuditEntry
from core.security.actor import Actor
from core.security.permissions import Permission
from server.audit.names import actions_called, name_of
from server.audit.schemas import AuditPage, AuditRow

PAGE_SIZE = 50
EXPORT_MAX = 50_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for; empty fields do not matter.

    Attributes:
        who: Start of an actor (``staff:…``), or part of a staff member's name, number or account.
        what: Start of an action, e.g. ``recording.``, or words of what it is called.
        object_id: Of the object, whole, or the call it belongs to.
        words: Anywhere in the detail. first / last: Days of the bank, both included.
    """

    who: str = ""
    what: str = ""
    object_id: str = ""
    words: str = ""
    first: date | None = None
    last: date | None = None


class AuditSearch:
    """Reads the log for auditors."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database = database
        self._zone = ZoneInfo(timezone)

    async def page(self, actor: Actor, wanted: AuditFilter, before: int = 0) -> AuditPage:
        """Entries older than sequence `before` (0: from the newest)."""
        actor.require(Permission.AUDIT_VIEW)
        async with self._database.read() as session:
            rows = await self._rows(session, wanted, before, PAGE_SIZE + 1)
            shown = await _with_names(session, rows[:PAGE_SIZE])
        return AuditPage(items=shown, next=rows[PAGE_SIZE - 1].seq if len(rows) > PAGE_SIZE else 0)

    async def export(self, actor: Actor, wanted: AuditFilter) -> bytes:
        """The newest `EXPORT_MAX` entries as CSV (UTF-8 with a mark, for spreadsheets); audited with the filter."""
        actor.require(Permission.AUDIT_VIEW)
        async with self._database.unit_of_work(actor) as work:
            rows = await self._rows(work.session, wanted, 0, EXPORT_MAX)
            shown = await _with_names(work.session, rows)
            given = {key: str(getattr(wanted, key)) for key in wanted.__slots__ if getattr(wanted, key)}
            work.audit("audit.export", "audit_log", "csv", filter=given, entries=len(shown))
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["seq", "at", "actor", "who", "action", "name", "object_type", "object_id", "detail", "hash"])
        for row in shown:
            detail = json.dumps(row.detail, ensure_ascii=False, sort_keys=True)
            fields = [row.actor, row.who, row.action, row.name_zh, row.object_type, row.object_id, detail, row.hash]
            writer.writerow([row.seq, row.at.isoformat(), *(_cell(each) for each in fields)])
        return b"\xef\xbb\xbf" + out.getvalue().encode()

    async def _rows(self, session: AsyncSession, wanted: AuditFilter, before: int, limit: int) -> list[AuditEntry]:
        query = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(limit)
        if before:
            query = query.where(col(AuditEntry.seq) < before)
        if wanted.what:
            begins = col(AuditEntry.action).startswith(wanted.what, autoescape=True)
            query = query.where(or_(begins, col(AuditEntry.action).in_(actions_called(wanted.what))))
        if wanted.object_id:
            about = col(AuditEntry.detail)["call_id"].astext == wanted.object_id
            query = query.where(or_(col(AuditEntry.object_id) == wanted.object_id, about))
        if wanted.words:
            query = query.where(cast(col(AuditEntry.detail), String).contains(wanted.words, autoescape=True))
        if wanted.first is not None:
            query = query.where(col(AuditEntry.at) >= datetime.combine(wanted.first, time(), self._zone))
        if wanted.last is not None:
            end = datetime.combine(wanted.last + timedelta(days=1), time(), self._zone)
            query = query.where(col(AuditEntry.at) < end)
        if wanted.who:
            query = query.where(await _by(session, wanted.who))
        return list((await session.scalars(query)).all())


async def _by(session: AsyncSession, who: str) -> Any:
    people = select(Staff.id).where(
        or_(
            col(Staff.display_name).contains(who, autoescape=True),
            col(Staff.staff_number) == who,
            col(Staff.username) == who,
        )
    )
    actors = [f"staff:{staff_id}" for staff_id in (await session.scalars(people)).all()]
    return or_(col(AuditEntry.actor).startswith(who, autoescape=True), col(AuditEntry.actor).in_(actors))


async def _with_names(session: AsyncSession, rows: list[AuditEntry]) -> list[AuditRow]:
    ids = {row.actor.removeprefix("staff:") for row in rows if row.actor.startswith("staff:")}
    query = select(Staff).where(col(Staff.id).in_(ids))
    names = {
        f"staff:{row.id}": f"{row.staff_number} {row.display_name}" for row in (await session.scalars(query)).all()
    }
    return [_view(row, names.get(row.actor, "")) for row in rows]


def _view(row: AuditEntry, who: str) -> AuditRow:
    name_zh, name_en = name_of(row.action)
    return AuditRow.model_validate({**row.model_dump(), "who": who, "name_zh": name_zh, "name_en": name_en})


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is made text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
