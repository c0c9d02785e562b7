"""What happens by the clock: due draws, overdue rectifications, evaluations that can no longer be appealed."""

import asyncio

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from core.db import Database
from core.security.actor import system_actor
from qa.improve.service import ImproveService
from qa.review.service import ReviewService
from qa.sampling.service import SamplingService

log = structlog.get_logger(__name__)

EVERY_S = 60.0


class Upkeep:
    """Runs in every worker; rows are locked, so each thing is done once."""

    def __init__(self, database: Database, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._sampling = SamplingService(database)
        self._review = ReviewService(database)
        self._improve = ImproveService(database)

    async def run(self) -> None:
        """Work until cancelled. An engine that is away is tried again next time."""
        while True:
            try:
                await self.once()
            except (OperationalError, InterfaceError, OSError) as error:
                log.warning("the QA upkeep failed", error=str(error))
            await asyncio.sleep(self._every_s)

    async def once(self) -> dict[str, int]:
        """One pass; returns what was done."""
        done = {}
        for name, work_of in (
            ("draws", self._sampling.draw_due),
            ("final", self._review.lapse),
            ("overdue", self._improve.escalate),
        ):
            async with self._database.unit_of_work(system_actor("qa.upkeep")) as work:
                done[name] = await work_of(work)
        if any(done.values()):
            log.info("QA upkeep", **done)
        return done
