"""Facts to handlers, at least once: outbox rows in PostgreSQL, carried to workers by taskiq on Redis Streams.

The delivery row is the truth. A message lost with Redis, a killed worker or a crash between two steps is found by the
relay's sweep and carried again. A handler that keeps failing ends as FAILED with an alarm; a person can retry it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError
from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from taskiq.api import run_receiver_task
from taskiq.kicker import AsyncKicker
from taskiq_redis import RedisStreamBroker

from core.alarms import raise_alarm
from core.bus import FACTS, Bus
from core.db import Database
from core.errors import ConflictError, CounterError
from core.events import Event, event_from_json
from core.models.system import DeliveryState, EventDelivery, OutboxEvent
from core.security.actor import Actor, system_actor
from core.tasks import TaskOwner

log = structlog.get_logger(__name__)

RESEND_S = 30.0  # a message not taken by a worker within this time is sent again
LEASE_S = 20.0  # a worker that stops renewing its lease for this long is considered dead
RENEW_S = 5.0
SWEEP_S = 1.0
BATCH = 100

JOBS = Counter("aircounter_jobs", "Attempts of jobs, by handler and outcome (done, failed).", ["handler", "outcome"])
JOB_S = Histogram(
    "aircounter_job_seconds", "Duration of attempts.", ["handler"], buckets=(0.05, 0.2, 1, 5, 20, 60, 300, 1200)
)

PASSING = (RedisError, SQLAlchemyError, OSError)
"""An engine restarts: what could not be done is found again by the next look."""

Handler = Callable[[Any], Awaitable[None]]
Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler of one kind of fact. Handlers are idempotent.

    Attributes:
        name: Stable name, stored in delivery rows, e.g. ``recording.finalize``.
        max_attempts: After so many failures a person is called.
        backoff_s: Pause before the second attempt; doubles each time.
    """

    event: type[Event]
    name: str
    handler: Handler
    max_attempts: int = 5
    backoff_s: float = 2.0


def make_broker(redis_url: str) -> RedisStreamBroker:
    """The job engine's broker. Acknowledged streams; old entries are trimmed, the delivery rows are the truth."""
    return RedisStreamBroker(redis_url, queue_name="jobs", consumer_id="0", xread_block=500, maxlen=100_000)


class Relay:
    """Turns committed facts into deliveries and sends due deliveries to the workers. Any number may run."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        broker: RedisStreamBroker,
        names: Names,
        announced: Callable[[], Awaitable[Iterable[Names]]] | None = None,
    ) -> None:
        """Put it together.

        Args:
            names: A fact's type to the names of its handlers in this release.
            announced: The same of all workers that run: a newer release among them has more handlers.
        """
        self._database = database
        self._bus = bus
        self._names = names
        self._announced = announced
        self._wake = asyncio.Event()
        self._deliver: AsyncKicker[Any, Any] = AsyncKicker("deliver", broker, labels={})

    async def run(self) -> None:
        """Sweep whenever a fact is announced, and every second anyway."""
        owner = TaskOwner("relay")
        owner.start("listen", self._listen())
        try:
            while True:
                try:
                    while await self.sweep():
                        pass
                except PASSING as error:
                    log.warning("relay sweep failed", error=str(error))
                try:
                    await asyncio.wait_for(self._wake.wait(), SWEEP_S)
                except TimeoutError:
                    continue
                finally:
                    self._wake.clear()
        finally:
            await owner.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS) as messages:
                    async for _ in messages:
                        self._wake.set()
            except PASSING as error:
                log.warning("relay lost the bus", error=str(error))
                await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> bool:
        """One pass. Returns whether there may be more to do at once."""
        now = self._database.clock.now()
        names = [self._names, *(await self._announced() if self._announced else ())]
        async with self._database.transaction() as session:
            rows = (
                await session.scalars(
                    select(OutboxEvent)
                    .where(col(OutboxEvent.relayed_at).is_(None))
                    .order_by(col(OutboxEvent.seq))
                    .limit(BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for row in rows:
                row.relayed_at = now
                for name in sorted({name for each in names for name in each.get(row.type, ())}):
                    session.add(
                        EventDelivery(
                            event_id=row.event_id, handler=name, state=DeliveryState.PENDING, due_at=now, updated_at=now
                        )
                    )
        return await self._send_due(now) == BATCH or len(rows) == BATCH

    async def _send_due(self, now: datetime) -> int:
        async with self._database.transaction() as session:
            due = (
                await session.scalars(
                    select(EventDelivery)
                    .where(col(EventDelivery.state) == DeliveryState.PENDING, col(EventDelivery.due_at) <= now)
                    .order_by(col(EventDelivery.due_at))
                    .limit(BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for delivery in due:
                delivery.due_at = now + timedelta(seconds=RESEND_S)
            keys = [(delivery.event_id, delivery.handler) for delivery in due]
        for event_id, handler in keys:
            await self._deliver.kiq(event_id, handler)
        return len(keys)


class Worker:
    """Runs handlers in this process, several at a time."""

    def __init__(self, database: Database, broker: RedisStreamBroker, subscriptions: list[Subscription]) -> None:
        self._database = database
        self._broker = broker
        self._subscriptions = {subscription.name: subscription for subscription in subscriptions}
        self._actor = system_actor("worker")

        async def deliver(event_id: str, handler: str) -> None:  # taskiq wants a plain function
            await self.deliver(event_id, handler)

        broker.register_task(deliver, task_name="deliver")

    async def run(self, parallel: int = 4) -> None:
        """Take deliveries until cancelled."""
        self._broker.is_worker_process = True
        await self._broker.startup()
        try:
            await run_receiver_task(self._broker, max_async_tasks=parallel)
        finally:
            await self._broker.shutdown()

    async def deliver(self, event_id: str, handler: str) -> None:
        """Run one delivery if nobody else does. Never raises for a handler's failure: it is recorded."""
        subscription = self._subscriptions.get(handler)
        if subscription is None:
            log.warning("no such handler in this worker", handler=handler)
            return
        event = await self._claim(event_id, handler)
        if event is None:
            return
        began_s = time.monotonic()
        renewing = TaskOwner("lease")
        renewing.start(handler, self._renew(event_id, handler))
        try:
            with structlog.contextvars.bound_contextvars(call_id=getattr(event, "call_id", None)):
                await subscription.handler(event)
        except asyncio.CancelledError:
            # A planned stop: another worker may take it up at once instead of waiting for the lease to run out.
            await renewing.close()
            await self._write(event_id, handler, lease_until=None, due_at=self._database.clock.now())
            raise
        except Exception as error:  # noqa: BLE001 - the border of every job: recorded, retried, then alarmed
            JOBS.labels(handler, "failed").inc()
            await self._failed(subscription, event, error)
        else:
            JOBS.labels(handler, "done").inc()
            await self._settle(event_id, handler, DeliveryState.DONE, None)
        finally:
            JOB_S.labels(handler).observe(time.monotonic() - began_s)
            await renewing.close()

    async def _claim(self, event_id: str, handler: str) -> Event | None:
        now = self._database.clock.now()
        async with self._database.transaction() as session:
            taken = await session.execute(
                update(EventDelivery)
                .where(
                    col(EventDelivery.event_id) == event_id,
                    col(EventDelivery.handler) == handler,
                    col(EventDelivery.state) == DeliveryState.PENDING,
                    or_(col(EventDelivery.lease_until).is_(None), col(EventDelivery.lease_until) < now),
                )
                .values(
                    attempts=EventDelivery.attempts + 1, updated_at=now, lease_until=now + timedelta(seconds=LEASE_S)
                )
                .returning(col(EventDelivery.event_id))
            )
            if taken.first() is None:
                return None
            row = (await session.scalars(select(OutboxEvent).where(col(OutboxEvent.event_id) == event_id))).one()
            return event_from_json(row.type, row.payload)

    async def _renew(self, event_id: str, handler: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            now = self._database.clock.now()
            try:
                await self._write(
                    event_id,
                    handler,
                    lease_until=now + timedelta(seconds=LEASE_S),
                    due_at=now + timedelta(seconds=RESEND_S),
                )
            except PASSING as error:  # tried again; a lease lasts four times as long
                log.warning("lease not renewed", handler=handler, error=str(error))

    async def _settle(self, event_id: str, handler: str, state: DeliveryState, error: str | None) -> None:
        await self._write(event_id, handler, state=state, error=error, lease_until=None)

    async def _write(self, event_id: str, handler: str, **values: Any) -> None:
        async with self._database.transaction() as session:
            await session.execute(
                update(EventDelivery)
                .where(col(EventDelivery.event_id) == event_id, col(EventDelivery.handler) == handler)
                .values(updated_at=self._database.clock.now(), **values)
            )

    async def _failed(self, subscription: Subscription, event: Event, error: Exception) -> None:
        log.error("handler failed", handler=subscription.name, event_type=event.type, exc_info=error)
        text = f"{type(error).__name__}: {error}"[:2000]
        call_id = getattr(event, "call_id", None)
        async with self._database.unit_of_work(self._actor) as work:
            delivery = await work.session.get_one(EventDelivery, (event.event_id, subscription.name))
            now = work.clock.now()
            delivery.error, delivery.lease_until, delivery.updated_at = text, None, now
            permanent = isinstance(error, CounterError) and not error.retryable
            if permanent or delivery.attempts >= subscription.max_attempts:
                delivery.state = DeliveryState.FAILED
                raise_alarm(
                    work,
                    "job.failed",
                    f"{subscription.name} failed: {text}",
                    call_id,
                    handler=subscription.name,
                    event_id=event.event_id,
                )
            else:
                delivery.due_at = now + timedelta(seconds=subscription.backoff_s * 2 ** (delivery.attempts - 1))


async def retry_failed(database: Database, event_id: str, handler: str, actor: Actor) -> None:
    """Let a FAILED delivery run again; the person who asked is in the audit log.

    Raises:
        ConflictError: ``job.not_failed``.
    """
    async with database.unit_of_work(actor) as work:
        delivery = await work.session.get(EventDelivery, (event_id, handler))
        if delivery is None or delivery.state != DeliveryState.FAILED:
            raise ConflictError("this job has not failed", code="job.not_failed")
        delivery.state, delivery.attempts = DeliveryState.PENDING, 0
        delivery.due_at = work.clock.now()
        work.audit("job.retry", "delivery", f"{event_id}/{handler}")
