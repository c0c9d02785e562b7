"""The watch: every edge and worker looks every two seconds; one of them writes what it sees.

An engine that is away cannot be written to: pages learn of it from refusals at once, and the alarm is put down with
the time it began when somebody can write again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.alarms import clear_alarms, raise_alarm
from core.db import Database, UnitOfWork
from core.heartbeats import alive, forget, missed
from core.models.backup import BackupKind, BackupRun, BackupState
from core.models.system import Alarm
from core.security.actor import system_actor
from server.operations.rules import Figures, Limits, Trouble, replaced, troubles

log = structlog.get_logger(__name__)

LOOK_S = 2.0
ASK_S = 2.0
NOTICED_S = 3.0  # a shorter absence of an engine is nobody's business
KINDS = ("edge", "media", "worker")
WATCHED = ("disk.low", "node.lost", "jobs.behind", "speech.behind", "backup.overdue", "queue.away")
_LOCK = 0x4143_0002  # any number of our own
_ACTOR = system_actor("watch")
_SPEECH = "qa.transcribe"
_LASTS = "backup.run"  # takes as long as it takes, and has an alarm of its own

_OLDEST = text(
    "select coalesce(extract(epoch from :now - min(o.at) filter (where d.handler = :speech)), 0), "
    "coalesce(extract(epoch from :now - min(o.at) filter (where d.handler not in (:speech, :lasts))), 0) "
    "from event_delivery d join outbox_event o using (event_id) where d.state = 'pending'"
)


@dataclass(slots=True)
class Absence:
    """Since when an engine has not answered; None: it does."""

    since: datetime | None = None

    def seen(self, answers: bool, now: datetime) -> datetime | None:
        """Note a look. Returns when it went, once it is back after long enough."""
        if not answers:
            self.since = self.since or now
            return None
        since, self.since = self.since, None
        return since if since is not None and now - since >= timedelta(seconds=NOTICED_S) else None


@dataclass(slots=True)
class Watch:
    """One per edge and worker.

    Attributes:
        backups_from: When the first backup is expected to be under way; None: none are.
    """

    database: Database
    redis: Redis
    limits: Limits
    backups_from: datetime | None = None
    _redis_away: Absence = field(default_factory=Absence)
    _database_away: Absence = field(default_factory=Absence)
    _absent: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(LOOK_S)

    async def once(self) -> None:
        """One look. Never raises for an engine that is away: that is what it looks for."""
        now = self.database.clock.now()
        try:
            async with asyncio.timeout(ASK_S):
                present = {
                    f"{kind}:{name}": each for kind in KINDS for name, each in (await alive(self.redis, kind)).items()
                }
                absent = await missed(self.redis, present)
            self._redis_away.seen(True, now)
        except (RedisError, OSError, TimeoutError):
            self._redis_away.seen(False, now)
            present = absent = {}
        # Twice in a row: whoever comes or goes between two questions to Redis is not missed.
        missing = {name: told for name, told in absent.items() if name in self._absent}
        self._absent, gone = set(absent), list[str]()
        try:
            async with asyncio.timeout(ASK_S), self.database.unit_of_work(_ACTOR) as work:
                mine = await work.session.execute(text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                if (since := self._database_away.seen(True, now)) is not None:
                    await self._was_away(work, since)
                if mine.scalar_one():
                    gone = await self._compare(work, present, missing)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("the watch does not reach the database", error=str(error))
            self._database_away.seen(False, now)
            return
        await self._forget(gone)

    async def _compare(
        self, work: UnitOfWork, present: Mapping[str, Mapping[str, Any]], missing: Mapping[str, Mapping[str, Any]]
    ) -> list[str]:
        """Raise what is new, clear what is over. Returns who need not be missed any more."""
        rows = select(Alarm).where(col(Alarm.kind).in_(WATCHED), col(Alarm.cleared_at).is_(None))
        standing = {
            Trouble(alarm.kind, str(alarm.fields.get("subject", "")), alarm.message): alarm.fields
            for alarm in await work.session.scalars(rows)
        }
        now = work.clock.now()
        speech_s, jobs_s = (await work.session.execute(_OLDEST, {"now": now, "speech": _SPEECH, "lasts": _LASTS})).one()
        backup_s = await self._backup_s(work.session, now)
        if (since := self._redis_away.since) is not None:
            found = {trouble for trouble in standing if trouble.kind in ("node.lost", "disk.low")}  # not known now
            if now - since >= timedelta(seconds=NOTICED_S):
                found.add(Trouble("queue.away", "", "Redis does not answer"))
        else:
            found = {
                trouble
                for trouble, told in standing.items()
                if trouble.kind == "node.lost" and not replaced(told, trouble.subject, present)
            }
        figures = Figures(present, missing, float(jobs_s), float(speech_s), backup_s)
        found |= set(troubles(figures, self.limits, standing.keys()))
        for trouble in found - standing.keys():
            told = dict(missing.get(trouble.subject, {}))
            lasts = trouble.kind != "node.lost"  # a machine may be taken out for good: somebody says so by clearing it
            raise_alarm(work, trouble.kind, trouble.text, None, **told, subject=trouble.subject, lasts=lasts)
        for trouble in standing.keys() - found:
            await clear_alarms(work, trouble.kind, subject=trouble.subject)
        return [] if self._redis_away.since is not None else list(missing)

    async def _backup_s(self, session: AsyncSession, now: datetime) -> float | None:
        if self.backups_from is None:
            return None
        good = select(BackupRun.finished_at).where(
            col(BackupRun.kind) == BackupKind.BACKUP, col(BackupRun.state) == BackupState.DONE
        )
        newest = (await session.scalars(good.order_by(col(BackupRun.finished_at).desc()).limit(1))).first()
        return (now - (newest or self.backups_from)).total_seconds()

    async def _was_away(self, work: UnitOfWork, since: datetime) -> None:
        """Put down that the database was away, once for all who noticed."""
        await work.session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK + 1})
        told = select(Alarm.id).where(col(Alarm.kind) == "database.away", col(Alarm.cleared_at) > since)
        if (await work.session.scalars(told)).first() is None:
            away_s = (work.clock.now() - since).total_seconds()
            alarm = raise_alarm(work, "database.away", f"the database did not answer for {away_s:.0f} s")
            alarm.raised_at = since
            await work.session.flush()
            await clear_alarms(work, "database.away")

    async def _forget(self, names: list[str]) -> None:
        """Their alarm remembers them; whoever clears it by hand has taken them out for good."""
        try:
            for name in names:
                await forget(self.redis, name)
        except (RedisError, OSError) as error:
            log.warning("a process that is gone is still missed", error=str(error))
