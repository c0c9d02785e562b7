"""How right the told waits were: a row per call, written by jobs so that nobody waits for the bookkeeping."""

from sqlmodel import col, select

from core.db import Database
from core.events import CallAccepted, CallEnded, CallQueued
from core.jobs import Subscription
from core.models.call import Call
from core.models.queue import WaitEstimate
from core.security.actor import system_actor
from server.acd.queue import QueueBoard


def error_of(low_s: int | None, high_s: int | None, waited_s: float) -> float | None:
    """How far a wait lies outside of its range: 0 within, negative below, positive above; None without a range."""
    if low_s is None or high_s is None:
        return None
    if waited_s < low_s:
        return waited_s - low_s
    return max(0.0, waited_s - high_s)


class EstimateBook:
    """The only writer of `WaitEstimate`. Idempotent."""

    def __init__(self, database: Database, board: QueueBoard) -> None:
        self._database = database
        self._board = board
        self._system = system_actor("acd")

    async def told(self, fact: CallQueued) -> None:
        """Write down what a customer who joined was told first."""
        async with self._database.unit_of_work(self._system) as work:
            call = await work.session.get(Call, fact.call_id)
            if call is None or await work.session.get(WaitEstimate, fact.call_id) is not None:
                return
            place = (await self._board.places(work.session, [call.id])).get(call.id)
            if place is None:  # answered at once: the range was the next ring
                return
            row = WaitEstimate(
                call_id=call.id,
                told_at=call.queued_at,
                position=place.position,
                low_s=place.low_s,
                high_s=place.high_s,
            )
            work.session.add(row)

    async def judge(self, fact: CallAccepted | CallEnded) -> None:
        """Compare with what became of it; only the first answer counts."""
        async with self._database.unit_of_work(self._system) as work:
            query = select(WaitEstimate).where(col(WaitEstimate.call_id) == fact.call_id).with_for_update()
            row = (await work.session.scalars(query)).first()
            if row is None or row.outcome is not None:
                return
            row.waited_s = (fact.at - row.told_at).total_seconds()
            if isinstance(fact, CallAccepted):
                row.outcome = "answered"
                row.error_s = error_of(row.low_s, row.high_s, row.waited_s)
            else:
                row.outcome = fact.reason


def subscriptions(database: Database, ring_s: float) -> list[Subscription]:
    """Facts handled as jobs, for a worker."""
    book = EstimateBook(database, QueueBoard(database.clock, ring_s))
    return [
        Subscription(CallQueued, "acd.estimate_told", book.told),
        Subscription(CallAccepted, "acd.estimate_judged", book.judge),
        Subscription(CallEnded, "acd.estimate_closed", book.judge),
    ]
