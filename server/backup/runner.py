"""Backups by the clock: a worker notices that one is due, a job makes it, a failure becomes an alarm."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.alarms import clear_alarms, raise_alarm
from core.db import Database, UnitOfWork
from core.errors import CounterError, UnavailableError
from core.events import BackupWanted
from core.ids import new_id
from core.jobs import Subscription
from core.models.backup import BackupKind, BackupRun, BackupState
from core.security.actor import system_actor
from core.store import Store
from server.backup.backup import backups, remove_backups
from server.backup.drill import DrillReport
from server.backup.rules import Plan, to_remove

log = structlog.get_logger(__name__)

LOOK_S = 20.0
MAX_ATTEMPTS = 3
BACKOFF_S = 60.0
_ACTOR = system_actor("backup")
_AWAY = (OperationalError, InterfaceError, OSError)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the composition root gives: where backups go, how one is made, how one is rehearsed."""

    target: Store
    make: Callable[[], Awaitable[dict[str, Any]]]
    rehearse: Callable[[], Awaitable[DrillReport]]


class BackupRunner:
    """One per worker. Rows are unique by time and kind, so that each is done once."""

    def __init__(self, database: Database, plan: Plan, tools: Tools) -> None:
        self._database = database
        self._plan = plan
        self._tools = tools

    async def run(self) -> None:
        """Look whether something is due, until cancelled. What was missed while nothing ran is made up at once."""
        while True:
            try:
                await self.once()
            except _AWAY as error:
                log.warning("not known whether a backup is due", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def once(self) -> None:
        """One look."""
        slot = self._plan.slot(self._database.clock.now())
        async with self._database.read() as session:
            made = await _at(session, BackupKind.BACKUP, slot)
            done = made is not None and made.state == BackupState.DONE
            drilled = await _at(session, BackupKind.DRILL, slot)
            newest = (
                await session.scalars(
                    select(BackupRun)
                    .where(col(BackupRun.kind) == BackupKind.DRILL, col(BackupRun.asked_by).is_(None))
                    .order_by(col(BackupRun.due_at).desc())
                    .limit(1)
                )
            ).first()
        if made is None:
            await self._order(BackupKind.BACKUP, slot)
        elif done and drilled is None and self._plan.drill_due(slot, newest.due_at if newest else None):
            await self._order(BackupKind.DRILL, slot)

    async def _order(self, kind: BackupKind, due_at: datetime) -> None:
        try:
            async with self._database.unit_of_work(_ACTOR) as work:
                order(work, kind, due_at, None)
                await work.session.flush()
        except IntegrityError:
            log.debug("another worker has ordered it", kind=kind.value)

    async def on_wanted(self, event: BackupWanted) -> None:
        """Do it. It is tried three times; then somebody has to look."""
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get(BackupRun, event.run_id, with_for_update=True)
            if row is None or row.state in (BackupState.DONE, BackupState.FAILED):
                return
            row.state, row.attempts, row.started_at = BackupState.RUNNING, row.attempts + 1, work.clock.now()
        try:
            if row.kind == BackupKind.BACKUP:
                await self._back_up(row.id)
            else:
                await self._rehearse(row.id)
        except (CounterError, OSError) as error:
            final = row.attempts >= MAX_ATTEMPTS or (isinstance(error, CounterError) and not error.retryable)
            log.error("backup not done", kind=row.kind, attempts=row.attempts, exc_info=error)
            await self._failed(row.id, row.kind, error, final=final)
            if not final:
                raise UnavailableError(str(error), code="backup.not_done") from error

    async def _back_up(self, run_id: str) -> None:
        manifest = await self._tools.make()
        removed = to_remove(await backups(self._tools.target), self._plan.keep, await self._proven())
        await remove_backups(self._tools.target, removed)
        facts = {
            "taken_at": manifest["taken_at"],
            "rows": sum(manifest["rows"].values()),
            "objects": len(manifest["objects"]),
            "size_b": sum(each["size_b"] for each in manifest["objects"].values()) + manifest["dump"]["size_b"],
            "copied_b": manifest["copied_b"] + manifest["dump"]["size_b"],
            "removed": removed,
        }
        async with self._database.unit_of_work(_ACTOR) as work:
            await _done(work, run_id, manifest["id"], facts)
            work.audit("backup.make", "backup", manifest["id"], **facts)
            await clear_alarms(work, "backup.failed")

    async def _proven(self) -> set[str]:
        query = select(BackupRun.backup_id).where(
            col(BackupRun.kind) == BackupKind.DRILL, col(BackupRun.state) == BackupState.DONE
        )
        async with self._database.read() as session:
            return {each for each in await session.scalars(query) if each}

    async def _rehearse(self, run_id: str) -> None:
        report = await self._tools.rehearse()
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await _done(work, run_id, report.backup_id, asdict(report))
            await note_drill(work, report)
            if not report.good:
                row.state, row.error = BackupState.FAILED, report.problems[0][:500]

    async def _failed(self, run_id: str, kind: str, error: Exception, *, final: bool) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(BackupRun, run_id, with_for_update=True)
            row.error = str(error)[:500]
            if final:
                row.state, row.finished_at = BackupState.FAILED, work.clock.now()
                text = f"the {kind} did not succeed: {error}"
                raise_alarm(work, "backup.failed" if kind == BackupKind.BACKUP else "backup.drill_failed", text[:500])


def order(work: UnitOfWork, kind: BackupKind, due_at: datetime, asked_by: str | None) -> BackupRun:
    """Have a job do it."""
    row = BackupRun(
        id=new_id("run"), kind=kind.value, due_at=due_at, asked_by=asked_by, state=BackupState.WAITING.value
    )
    work.session.add(row)
    work.emit(BackupWanted(at=work.clock.now(), run_id=row.id))
    return row


async def note_drill(work: UnitOfWork, report: DrillReport) -> None:
    """Somebody has to see a rehearsal that failed; one that passed clears that alarm. Both are audited."""
    work.audit("backup.drill", "backup", report.backup_id, good=report.good, problems=report.problems)
    if report.good:
        await clear_alarms(work, "backup.drill_failed")
    else:
        raise_alarm(work, "backup.drill_failed", f"the restore drill failed: {report.problems[0]}"[:500])


async def _at(session: AsyncSession, kind: BackupKind, due_at: datetime) -> BackupRun | None:
    query = select(BackupRun).where(col(BackupRun.kind) == kind, col(BackupRun.due_at) == due_at)
    return (await session.scalars(query)).first()


async def _done(work: UnitOfWork, run_id: str, backup_id: str, facts: dict[str, object]) -> BackupRun:
    row = await work.session.get_one(BackupRun, run_id, with_for_update=True)
    row.state, row.error, row.finished_at = BackupState.DONE, None, work.clock.now()
    row.backup_id, row.facts = backup_id, facts
    return row


def subscriptions(runner: BackupRunner) -> list[Subscription]:
    """The job. It gives up by itself, so the job engine's own limit is only a backstop."""
    return [
        Subscription(BackupWanted, "backup.run", runner.on_wanted, max_attempts=2 * MAX_ATTEMPTS, backoff_s=BACKOFF_S)
    ]
