"""Watches running cases: calls for help when time is over, ends those of ended calls, begins held-back steps.

Forgets forms filled in before a call once their time is over: what they hold is personal data that nobody needs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import structlog
from redis.exceptions import RedisError
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.bus import LIVE, Bus
from core.db import Database, UnitOfWork
from core.errors import ConflictError
from core.events import CaseOverdue
from core.models.case import BusinessCase, CaseState, Prefill
from core.security.actor import system_actor
from server.counter.book import call_s, track_of
from server.counter.engine import Engine
from server.counter.kind import CaseData
from server.counter.preconditions import RUNNING

log = structlog.get_logger(__name__)

ROUND_S = 1.0
PURGE_S = 600.0
FORGET_ROUNDS = 60
CALL_ENDED = "case.call_ended"


class CaseKeeper:
    """One per worker; several do no harm, as every case is locked while it is looked at."""

    def __init__(self, database: Database, bus: Bus, engine: Engine, purge: Callable[[], Awaitable[int]]) -> None:
        """`purge` removes files of bookings that are over; asked for once in ten minutes."""
        self._purge = purge
        self._purge_at_s = 0.0
        self._database = database
        self._bus = bus
        self._engine = engine
        self._actor = system_actor("counter")

    async def run(self) -> None:
        """Look at all running cases once a second, at old forms once a minute, until cancelled."""
        for number in count():
            try:
                await self.look()
                if self._database.clock.monotonic_s() >= self._purge_at_s:
                    self._purge_at_s = self._database.clock.monotonic_s() + PURGE_S
                    await self._purge()
                if number % FORGET_ROUNDS == 0:
                    await self.forget()
            except (SQLAlchemyError, RedisError, OSError) as error:
                log.warning("running cases not looked at", error=str(error))
            await asyncio.sleep(ROUND_S)

    async def look(self) -> None:
        """One round."""
        async with self._database.read() as session:
            query = select(BusinessCase.id).where(col(BusinessCase.state) == CaseState.RUNNING)
            case_ids = list((await session.scalars(query)).all())
        for case_id in case_ids:
            try:
                if await self._look_at(case_id):
                    await self._bus.publish(LIVE, {"kind": "case", "case_id": case_id})
            except ConflictError as error:
                log.info("case left as it is", case=case_id, code=error.code)

    async def forget(self) -> None:
        """Delete forms whose time is over, used or not; what was used is in its case."""
        async with self._database.unit_of_work(self._actor) as work:
            old = delete(Prefill).where(col(Prefill.expires_at) <= work.clock.now()).returning(col(Prefill.id))
            for prefill_id in (await work.session.scalars(old)).all():
                work.audit("prefill.expire", "prefill", prefill_id)

    async def _look_at(self, case_id: str) -> bool:
        async with self._database.unit_of_work(self._actor) as work:
            case = await self._engine.book.load(work.session, case_id, lock=True)
            if case.row.state != CaseState.RUNNING:
                return False
            if case.scene.call.state not in RUNNING:
                await self._engine.give_up(work, case, CALL_ENDED, forced=True)
                return True
            late = await self._call_for_help(work, case)
            held_back = track_of(case).next_key is not None
            return (held_back and await self._engine.advance(work, case)) or late

    async def _call_for_help(self, work: UnitOfWork, case: CaseData) -> bool:
        row, now = case.row, work.clock.now()
        if row.overdue_at is not None or now <= row.deadline_at:
            return False
        row.overdue_at = now
        row.version += 1
        self._engine.book.seal(case)
        limit_s = case.flow.time_limit_s
        work.emit(
            CaseOverdue(
                at=now,
                call_id=row.call_id,
                call_s=call_s(case.scene.recording, now),
                case_id=row.id,
                business_code=row.business_code,
                limit_s=limit_s,
            )
        )
        work.audit("case.overdue", "case", row.id, call_id=row.call_id, limit_s=limit_s)
        raise_alarm(
            work,
            "case.overdue",
            f"{row.business_code} takes longer than {limit_s // 60} minutes: please help",
            row.call_id,
            case_id=row.id,
            limit_s=limit_s,
        )
        return True
