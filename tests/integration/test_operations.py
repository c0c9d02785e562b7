"""What a person has to see of machines: each alarm is raised by a real trouble and goes when that is over."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from http_app import Client, always, serving
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text
from sqlmodel import col, select

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from core.heartbeats import alive, asked_to_drain, beat
from core.models import Alarm, AuditEntry, BackupRun, DeliveryState, EventDelivery, OutboxEvent
from core.security.actor import staff_actor, system_actor
from core.tasks import TaskOwner
from server.operations.nodes import NodeDesk
from server.operations.routes import routes
from server.operations.rules import Limits
from server.operations.watch import Watch

GB = 10**9
LIMITS = Limits(disk_b=5 * GB, jobs_s=300, speech_s=1800, backup_s=26 * 3600)
ADMIN = staff_actor("staff_admin", ["admin"])


class Alarms:
    """Reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, *, cleared: bool = False) -> list[str]:
        over = col(Alarm.cleared_at).is_not(None) if cleared else col(Alarm.cleared_at).is_(None)
        async with self._database.read() as session:
            rows = await session.scalars(select(Alarm).where(over).order_by(col(Alarm.raised_at)))
            return [row.kind for row in rows]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def alarms(database: Database) -> Alarms:
    return Alarms(database)


@pytest.fixture
async def processes() -> AsyncIterator[TaskOwner]:
    owner = TaskOwner("processes")
    yield owner
    await owner.close()


async def looks(watch: Watch, clock: FakeClock, times: int = 1) -> None:
    for _ in range(times):
        clock.advance(2)
        await watch.once()


async def test_a_full_disk_is_told_once_and_cleared_with_some_room(
    database: Database, redis: Redis, clock: FakeClock, alarms: Alarms, processes: TaskOwner
) -> None:
    free = {"disk_free_b": 6 * GB}
    processes.start("media", beat(redis, "media", "media-1", lambda: {"load": 0, **free}))
    await asyncio.sleep(0.2)
    watches = [Watch(database, redis, LIMITS) for _ in range(3)]
    for free_gb, expected in ((6, []), (4, ["disk.low"]), (5.5, ["disk.low"]), (7, [])):
        free["disk_free_b"] = int(free_gb * GB)
        async with asyncio.timeout(10):  # the next beat tells it
            while (await alive(redis, "media"))["media-1"]["disk_free_b"] != free["disk_free_b"]:
                await asyncio.sleep(0.05)
        clock.advance(2)
        await asyncio.gather(*(watch.once() for watch in watches))
        assert await alarms() == expected
    assert await alarms(cleared=True) == ["disk.low"]


BEATING = """
import asyncio, sys
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from core.heartbeats import beat
async def main():
    await beat(Redis.from_url(sys.argv[1]), "worker", sys.argv[2], dict)
asyncio.run(main())
"""


async def test_a_process_that_dies_is_missed_until_another_takes_its_place(
    database: Database, redis: Redis, redis_url: str, clock: FakeClock, alarms: Alarms, processes: TaskOwner
) -> None:
    def start(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", BEATING, redis_url, name]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2])

    watch = Watch(database, redis, LIMITS)
    leaving = processes.start("leaving", beat(redis, "worker", "worker_leaving", dict))
    dying = start("worker_dying")
    async with asyncio.timeout(20):
        while await redis.hlen("known") < 2:
            await asyncio.sleep(0.05)
    await looks(watch, clock, 2)
    leaving.cancel()
    dying.kill()
    dying.wait()
    async with asyncio.timeout(10):
        while not await alarms():
            await asyncio.sleep(0.1)
            await looks(watch, clock)
    assert await alarms() == ["node.lost"]
    async with database.read() as session:
        row = (await session.scalars(select(Alarm))).one()
    assert row.message.startswith("worker:worker_dying on "), "who has withdrawn is not missed"
    await looks(watch, clock, 2)
    assert await alarms() == ["node.lost"]
    next_one = start("worker_next")
    try:
        async with asyncio.timeout(20):
            while await alarms():
                await asyncio.sleep(0.1)
                await looks(watch, clock)
    finally:
        next_one.kill()
        next_one.wait()
    assert await alarms(cleared=True) == ["node.lost"]


async def test_work_that_waits_too_long_is_told(
    database: Database, redis: Redis, clock: FakeClock, alarms: Alarms
) -> None:
    async def waiting(handler: str) -> None:
        async with database.transaction() as session:
            now, event_id = clock.now(), f"evt_{handler}"
            session.add(OutboxEvent(event_id=event_id, type="X", payload="{}", at=now, relayed_at=now))
            await session.flush()
            session.add(EventDelivery(event_id=event_id, handler=handler, state="pending", due_at=now, updated_at=now))

    async def done(handler: str) -> None:
        async with database.transaction() as session:
            row = await session.get_one(EventDelivery, (f"evt_{handler}", handler))
            row.state = DeliveryState.DONE

    watch = Watch(database, redis, LIMITS)
    for handler in ("qa.transcribe", "qa.check", "backup.run"):
        await waiting(handler)
    await looks(watch, clock)
    assert await alarms() == []
    clock.advance(301)
    await looks(watch, clock)
    assert await alarms() == ["jobs.behind"]
    clock.advance(1500)
    await looks(watch, clock)
    assert await alarms() == ["jobs.behind", "speech.behind"]
    await done("qa.check")
    await looks(watch, clock)
    assert await alarms() == ["speech.behind"]
    await done("qa.transcribe")
    await looks(watch, clock)
    assert await alarms() == []


async def test_a_backup_that_is_too_old_is_told(
    database: Database, redis: Redis, clock: FakeClock, alarms: Alarms
) -> None:
    watch = Watch(database, redis, LIMITS, clock.now())
    clock.advance(25 * 3600)
    await looks(watch, clock)
    assert await alarms() == []
    clock.advance(2 * 3600)
    await looks(watch, clock)
    assert await alarms() == ["backup.overdue"]
    async with database.transaction() as session:
        session.add(BackupRun(id="run_1", kind="backup", due_at=clock.now(), state="done", finished_at=clock.now()))
    await looks(watch, clock)
    assert await alarms() == []


async def test_redis_that_is_away_is_told_while_it_is(
    database: Database, redis_url: str, clock: FakeClock, alarms: Alarms
) -> None:
    there, away = Redis.from_url(redis_url), Redis(port=1, retry=Retry(NoBackoff(), 0))
    watch = Watch(database, away, LIMITS)
    await looks(watch, clock)
    assert await alarms() == [], "for two seconds it is nobody's business"
    await looks(watch, clock, 2)
    assert await alarms() == ["queue.away"]
    watch.redis = there
    await looks(watch, clock)
    assert await alarms() == []
    assert await alarms(cleared=True) == ["queue.away"]
    await there.aclose()
    await away.aclose()


async def test_a_database_that_was_away_is_put_down_once(
    database: Database, database_url: str, postgres_url: str, redis: Redis, clock: FakeClock, alarms: Alarms
) -> None:
    watches = [Watch(Database(database_url, None, clock), redis, LIMITS) for _ in range(2)]
    name = database_url.split("?")[0].rsplit("/", 1)[1]
    outside = Database(postgres_url, None, SystemClock())

    async def allow(yes: bool) -> None:
        await database.engine.dispose()
        async with outside.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text(f"alter database {name} allow_connections {str(yes).lower()}"))
            if not yes:
                query = "select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"
                await connection.execute(text(query), {"name": name})

    await looks(watches[0], clock)
    began = clock.now()
    await allow(False)
    for _ in range(5):
        clock.advance(2)
        for watch in watches:
            await watch.once()
    async with serving([routes(NodeDesk(watches[0].database, redis))], failing(watches[0].database)) as client:
        answer = await client.get("/api/processes")
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "database.away")
    await allow(True)
    for watch in watches:
        await looks(watch, clock)
    assert await alarms() == []
    async with database.read() as session:
        (row,) = (await session.scalars(select(Alarm))).all()
    assert (row.kind, row.message) == ("database.away", "the database did not answer for 10 s")
    assert row.raised_at == began + timedelta(seconds=2)
    for watch in watches:
        await watch.database.close()
    await outside.close()


def failing(database: Database) -> Any:
    async def authenticate(request: Any) -> Any:
        async with database.read() as session:
            return await session.execute(text("select 1"))

    return authenticate


@pytest.fixture
async def client(database: Database, redis: Redis) -> AsyncIterator[Client]:
    async with serving([routes(NodeDesk(database, redis))], always(ADMIN)) as opened:
        yield opened


async def test_administrators_see_processes_and_take_nodes_out(
    client: Client, database: Database, redis: Redis, processes: TaskOwner
) -> None:
    facts = {"url": "http://10.0.0.1:9400", "load": 3, "boot_id": "boot_1", "draining": False, "release": "0.1.0"}
    processes.start("media", beat(redis, "media", "media-1", lambda: facts))
    processes.start("edge", beat(redis, "edge", "edge_1", lambda: {"release": "0.2.0", "disk_free_b": 5}))
    await asyncio.sleep(0.1)
    edge, media = await (await client.get("/api/processes")).json()
    assert (edge["kind"], edge["release"], edge["disk_free_b"], edge["load"]) == ("edge", "0.2.0", 5, None)
    assert (media["name"], media["load"], media["draining"]) == ("media-1", 3, False)
    assert "url" not in media
    assert (await client.post("/api/nodes/media-1/drain", json={"on": True})).status == 200
    assert await asked_to_drain(redis, "media-1")
    assert (await client.post("/api/nodes/media-1/drain", json={"on": False})).status == 200
    assert not await asked_to_drain(redis, "media-1")
    unknown = await client.post("/api/nodes/media-9/drain", json={"on": True})
    assert (unknown.status, (await unknown.json())["error"]["code"]) == (404, "node.not_found")
    for body in ({}, {"on": "yes please"}, {"on": True, "x": 1}):
        assert (await client.post("/api/nodes/media-1/drain", json=body)).status == 400
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(col(AuditEntry.seq)))).all()
    assert [(entry.action, entry.object_id) for entry in entries] == [
        ("node.drain", "media-1"),
        ("node.undrain", "media-1"),
    ]


async def test_other_posts_see_no_machines(database: Database, redis: Redis) -> None:
    for role in ("teller", "supervisor", "auditor"):
        async with serving([routes(NodeDesk(database, redis))], always(staff_actor("staff_x", [role]))) as client:
            assert (await client.get("/api/processes")).status == 403
            assert (await client.post("/api/nodes/media-1/drain", json={"on": True})).status == 403


async def test_an_alarm_is_raised_once_by_several_watches(
    database_url: str, redis_url: str, redis: Redis, alarms: Alarms
) -> None:
    """Each edge and worker looks; one writes."""
    clock = SystemClock()
    databases = [Database(database_url, Bus(redis), clock) for _ in range(4)]
    async with databases[0].unit_of_work(system_actor("test")) as work:
        now = work.clock.now() - timedelta(hours=1)
        work.session.add(OutboxEvent(event_id="evt", type="X", payload="{}", at=now, relayed_at=now))
        await work.session.flush()
        work.session.add(EventDelivery(event_id="evt", handler="x", state="pending", due_at=now, updated_at=now))
    await asyncio.gather(*(Watch(each, redis, LIMITS).once() for each in databases))
    assert await alarms() == ["jobs.behind"]
    for each in databases:
        await each.close()
