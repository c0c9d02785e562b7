"""Facts reach handlers at least once, failures are retried, then alarmed, then retryable by a person."""

import asyncio

import pytest
from sqlmodel import select

from core.audit import AuditEntry, verify
from core.bus import Bus
from core.db import Database
from core.errors import ConflictError
from core.events import CallQueued
from core.jobs import Relay, Subscription, Worker, make_broker, retry_failed
from core.models import Alarm, DeliveryState, EventDelivery, OutboxEvent
from core.security.actor import system_actor
from core.tasks import TaskOwner

ACTOR = system_actor("test")


async def _emit(database: Database, call_id: str) -> None:
    async with database.unit_of_work(ACTOR) as work:
        work.emit(CallQueued(at=work.clock.now(), call_id=call_id, business_code="transfer"))
        work.audit("test.emit", "call", call_id)


async def _delivery(database: Database) -> EventDelivery | None:
    async with database.read() as session:
        return (await session.scalars(select(EventDelivery))).first()


async def _until(check, deadline_s: float = 10.0):
    async with asyncio.timeout(deadline_s):
        while not (result := await check()):
            await asyncio.sleep(0.02)
        return result


class House:
    """A relay and a worker around one handler."""

    def __init__(self, database: Database, bus: Bus, redis_url: str, handler, **options) -> None:
        self.broker = make_broker(redis_url)
        subscription = Subscription(CallQueued, "test.handler", handler, **options)
        self.worker = Worker(database, self.broker, [subscription])
        self.relay = Relay(database, bus, self.broker, {"CallQueued": ["test.handler"]})
        self.owner = TaskOwner("house")

    async def __aenter__(self) -> "House":
        self.owner.start("worker", self.worker.run())
        self.owner.start("relay", self.relay.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.owner.close()


async def test_fact_is_handled_once_and_settled(database: Database, bus: Bus, redis_url: str) -> None:
    seen: list[str] = []

    async def handler(event: CallQueued) -> None:
        seen.append(event.call_id)

    async with House(database, bus, redis_url, handler):
        await _emit(database, "call_1")
        delivery = await _until(lambda: _done(database))
    assert seen == ["call_1"]
    assert delivery.attempts == 1


async def _done(database: Database) -> EventDelivery | None:
    delivery = await _delivery(database)
    return delivery if delivery and delivery.state == DeliveryState.DONE else None


async def test_failure_is_retried_until_it_works(database: Database, bus: Bus, redis_url: str) -> None:
    tries: list[int] = []

    async def handler(event: CallQueued) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("store is away")

    async with House(database, bus, redis_url, handler, backoff_s=0.01):
        await _emit(database, "call_1")
        delivery = await _until(lambda: _done(database))
    assert delivery.attempts == 3


async def test_last_failure_alarms_and_a_person_can_retry(database: Database, bus: Bus, redis_url: str) -> None:
    broken = True

    async def handler(event: CallQueued) -> None:
        if broken:
            raise ValueError("damaged")

    async def failed() -> EventDelivery | None:
        delivery = await _delivery(database)
        return delivery if delivery and delivery.state == DeliveryState.FAILED else None

    async with House(database, bus, redis_url, handler, max_attempts=2, backoff_s=0.01):
        await _emit(database, "call_1")
        delivery = await _until(failed)
        assert "damaged" in (delivery.error or "")
        async with database.read() as session:
            alarm = (await session.scalars(select(Alarm))).one()
        assert (alarm.kind, alarm.call_id) == ("job.failed", "call_1")
        broken = False
        await retry_failed(database, delivery.event_id, delivery.handler, ACTOR)
        await _until(lambda: _done(database))
    with pytest.raises(ConflictError):
        await retry_failed(database, delivery.event_id, delivery.handler, ACTOR)


async def test_facts_survive_the_loss_of_redis(database: Database, bus: Bus, redis, redis_url: str) -> None:
    seen: list[str] = []

    async def handler(event: CallQueued) -> None:
        seen.append(event.call_id)

    await _emit(database, "call_1")
    lone_relay = House(database, bus, redis_url, handler)
    await lone_relay.broker.startup()
    await lone_relay.relay.sweep()
    await lone_relay.broker.shutdown()
    await redis.flushall()  # the message is gone; the delivery row is not
    async with database.transaction() as session:
        row = (await session.scalars(select(EventDelivery))).one()
        row.due_at = database.clock.now()  # as if RESEND_S had passed
    async with House(database, bus, redis_url, handler):
        await _until(lambda: _done(database))
    assert seen == ["call_1"]


async def test_rollback_leaves_no_fact_and_no_audit_entry(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.unit_of_work(ACTOR) as work:
            work.emit(CallQueued(at=work.clock.now(), call_id="call_1", business_code="transfer"))
            work.audit("test.emit", "call", "call_1")
            raise RuntimeError("refused")
    async with database.read() as session:
        assert (await session.scalars(select(OutboxEvent))).all() == []
        assert (await session.scalars(select(AuditEntry))).all() == []


async def test_audit_chain_verifies(database: Database) -> None:
    for number in range(3):
        await _emit(database, f"call_{number}")

    async def entries():
        async with database.read() as session:
            for entry in (await session.scalars(select(AuditEntry).order_by(AuditEntry.seq))).all():
                yield entry

    report = await verify(entries())
    assert (report.entries, report.broken_at) == (3, None)


async def test_an_older_release_carries_what_a_newer_one_has_begun(
    database: Database, bus: Bus, redis_url: str
) -> None:
    """Rolling upgrade: an older relay knows of the newer worker's handlers, an older worker of newer facts' fields."""
    seen: list[str] = []

    async def handler(event: CallQueued) -> None:
        seen.append(event.call_id)

    async def announced() -> list[dict[str, list[str]]]:
        return [{}, {"CallQueued": ["new.handler"], "NotKnownHere": ["new.other"]}]

    broker = make_broker(redis_url)
    await broker.startup()
    await _emit(database, "call_1")
    async with database.unit_of_work(ACTOR) as work:
        row = (await work.session.scalars(select(OutboxEvent))).one()
        row.payload = row.payload.replace("{", '{"from_a_newer_release": 1, ', 1)
        work.session.add(OutboxEvent(event_id="evt_new", type="NotKnownHere", payload='{"x": 1}', at=work.clock.now()))
    await Relay(database, bus, broker, {}, announced).sweep()
    async with database.read() as session:
        assert {each.handler for each in await session.scalars(select(EventDelivery))} == {"new.handler", "new.other"}
    older = Worker(database, make_broker(redis_url), [])
    await older.deliver(row.event_id, "new.handler")
    assert seen == []
    newer = Worker(database, make_broker(redis_url), [Subscription(CallQueued, "new.handler", handler)])
    await newer.deliver(row.event_id, "new.handler")
    assert seen == ["call_1"]
    await broker.shutdown()
