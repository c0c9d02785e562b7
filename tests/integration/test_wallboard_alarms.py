"""Alarms and failed jobs over HTTP, against the real database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from http_app import Client, always, serving
from sqlmodel import col, select

from core.alarms import clear_alarms, raise_alarm
from core.db import Database
from core.models.system import AuditEntry, DeliveryState, EventDelivery, OutboxEvent
from core.security.actor import staff_actor, system_actor
from server.wallboard.routes import routes
from server.wallboard.service import WallboardService

SUPERVISOR = staff_actor("staff_boss", ["supervisor"])


@pytest.fixture
async def client(database: Database) -> AsyncIterator[Client]:
    async with serving([routes(WallboardService(database))], always(SUPERVISOR)) as opened:
        yield opened


async def raised(database: Database, kind: str, **fields: object) -> str:
    async with database.unit_of_work(system_actor("test")) as work:
        return raise_alarm(work, kind, f"{kind} happened", "call_1", **fields).id


async def refusal(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def test_newest_first_and_cleared_once(client: Client, database: Database) -> None:
    first = await raised(database, "recording.failed", stage="capture")
    second = await raised(database, "job.failed", event_id="evt_1", handler="qa.check")
    told = await (await client.get("/api/alarms")).json()
    assert [alarm["id"] for alarm in told] == [second, first]
    assert set(told[0]) == {"id", "kind", "call_id", "message", "raised_at", "cleared_at", "job", "lasts"}
    assert told[0]["job"] == {"event_id": "evt_1", "handler": "qa.check"}
    assert (told[1]["job"], told[1]["cleared_at"]) == (None, None)
    for _ in range(2):
        assert (await client.post(f"/api/alarms/{first}/clear")).status == 200
    assert (await (await client.get("/api/alarms")).json())[1]["cleared_at"] is not None
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry))).all()
    assert [(entry.action, entry.object_id, entry.actor) for entry in entries] == [
        ("alarm.clear", first, "staff:staff_boss")
    ]


async def test_all_that_wait_and_the_last_hundred_that_are_over(client: Client, database: Database) -> None:
    async with database.unit_of_work(system_actor("test")) as work:
        for number in range(205):
            raise_alarm(work, "over" if number % 2 else "test", f"{number}")
        await work.session.flush()
        await clear_alarms(work, "over")
    listed = await (await client.get("/api/alarms")).json()
    assert [each["kind"] for each in listed] == ["test"] * 103 + ["over"] * 100
    assert (listed[0]["message"], listed[102]["message"], listed[-1]["message"]) == ("204", "0", "5")


async def test_unknown_alarms(client: Client) -> None:
    assert await refusal(await client.post("/api/alarms/alarm_none/clear")) == (404, "alarm.not_found")
    assert await refusal(await client.post("/api/alarms/a%00b/clear")) == (400, "input.invalid")


async def test_a_failed_job_gets_a_second_chance(client: Client, database: Database) -> None:
    now = database.clock.now()
    async with database.unit_of_work(system_actor("test")) as work:
        work.session.add(OutboxEvent(event_id="evt_1", type="CallScored", payload="{}", at=now, relayed_at=now))
        await work.session.flush()
        work.session.add(
            EventDelivery(
                event_id="evt_1",
                handler="qa.check",
                state=DeliveryState.FAILED,
                attempts=5,
                due_at=now,
                updated_at=now,
            )
        )
    job = {"event_id": "evt_1", "handler": "qa.check"}
    assert (await client.post("/api/jobs/retry", json=job)).status == 200
    assert await refusal(await client.post("/api/jobs/retry", json=job)) == (409, "job.not_failed")
    async with database.read() as session:
        delivery = (await session.scalars(select(EventDelivery))).one()
        retried = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "job.retry"))).one()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
    assert retried.actor == "staff:staff_boss"


async def test_malformed_retries(client: Client) -> None:
    for body in ({}, {"event_id": "evt_1"}, {"event_id": "a\x00", "handler": "x"}, []):
        assert await refusal(await client.post("/api/jobs/retry", json=body)) == (400, "input.invalid"), body


async def test_other_posts_see_no_alarms(database: Database) -> None:
    for role in ("teller", "inspector", "auditor"):
        async with serving([routes(WallboardService(database))], always(staff_actor("staff_x", [role]))) as client:
            assert await refusal(await client.get("/api/alarms")) == (403, "auth.denied")
            assert await refusal(await client.post("/api/alarms/alarm_1/clear")) == (403, "auth.denied")
            body = {"event_id": "evt_1", "handler": "x"}
            assert await refusal(await client.post("/api/jobs/retry", json=body)) == (403, "auth.denied")
