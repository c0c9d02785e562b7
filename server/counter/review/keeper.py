"""Time limits of reviews: after a minute everybody in charge is called, after three the teller hears of it."""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, or_, select

from core.alarms import raise_alarm
from core.db import Database
from core.events import ReviewDecided
from core.models.authorisation import ReviewRequest, ReviewState
from core.security.actor import system_actor
from server.counter.book import CaseBook
from server.counter.engine import Engine

log = structlog.get_logger(__name__)

SWEEP_S = 1.0


class ReviewKeeper:
    """Escalates and expires; any number may run."""

    def __init__(self, database: Database, engine: Engine, book: CaseBook) -> None:
        self._database = database
        self._engine = engine
        self._book = book
        self._actor = system_actor("review")

    async def run(self) -> None:
        """Sweep every second until cancelled."""
        while True:
            try:
                await self.sweep()
            except (SQLAlchemyError, OSError) as error:
                log.warning("review sweep failed", error=str(error))
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """One pass."""
        now = self._database.clock.now()
        query = select(ReviewRequest.id).where(
            col(ReviewRequest.state) == ReviewState.WAITING,
            or_(
                col(ReviewRequest.due_at) <= now,
                (col(ReviewRequest.escalate_at) <= now) & col(ReviewRequest.escalated_at).is_(None),
            ),
        )
        async with self._database.read() as session:
            due = (await session.scalars(query)).all()
        for review_id in due:
            await self._late(review_id)

    async def _late(self, review_id: str) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            found = await work.session.get_one(ReviewRequest, review_id)
            case = await self._book.load(work.session, found.case_id, lock=True)
            row = await work.session.get_one(ReviewRequest, review_id, with_for_update=True, populate_existing=True)
            now = work.clock.now()
            if row.state != ReviewState.WAITING:
                return
            if row.due_at <= now:
                waits = await self._engine.resume(work, case, row.step_key, row.attempt, {"decision": "expire"})
                row.state, row.decided_at = (ReviewState.EXPIRED if waits else ReviewState.WITHDRAWN), now
                work.audit("review.expire", "review", row.id, call_id=row.call_id, after=row.state)
                work.emit(ReviewDecided(at=now, call_id=row.call_id, review_id=row.id, state=row.state))
            elif row.escalated_at is None and row.escalate_at <= now:
                row.escalated_at = now
                text = f"a review of level {row.level} waits: {row.business_code}"
                raise_alarm(work, "review.waiting", text, row.call_id, review_id=row.id)
