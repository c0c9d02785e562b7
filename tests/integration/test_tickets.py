"""Tickets on real tables: low ratings are followed up, complaints answered, and nobody judges the own work."""

from datetime import timedelta
from typing import Any

import pytest
from call_rows import CallRows
from fake_clock import FakeClock
from http_app import Client, always, serving
from sqlmodel import col, select

from core.db import Database
from core.events import CallRated
from core.models import Alarm, AuditEntry, Call, NoticeMessage, Rating, Staff, Ticket
from core.security.actor import customer_actor, staff_actor, system_actor
from server.counter.notices.outbox import NoticeOutbox
from server.tickets.routes import routes
from server.tickets.service import TicketService


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def rows(database: Database) -> CallRows:
    return CallRows(database)


@pytest.fixture
def service(database: Database) -> TicketService:
    return TicketService(database, NoticeOutbox(b"k" * 32))


class Desk:
    """Clients of several people at one ticket service."""

    def __init__(self, service: TicketService) -> None:
        self.service = service

    def of(self, staff: Staff) -> Any:
        return serving([routes(self.service)], always(staff_actor(staff.id, staff.roles)))


@pytest.fixture
def desk(service: TicketService) -> Desk:
    return Desk(service)


async def rated(rows: CallRows, service: TicketService, teller: Staff, stars: int) -> Call:
    call = await rows.call(teller)
    async with rows.database.unit_of_work(system_actor("test")) as work:
        now = work.clock.now()
        work.session.add(Rating(call_id=call.id, stars=stars, tags=["slow"], comment="等太久", at=now))
    fact = CallRated(at=now, call_id=call.id, stars=stars)
    for _ in range(2):  # facts come at least once
        await service.on_rated(fact)
    return call


async def told(client: Client, path: str) -> Any:
    return await (await client.get(path)).json()


async def refusal(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def test_a_low_rating_is_one_ticket_and_is_answered(
    rows: CallRows, service: TicketService, desk: Desk, database: Database
) -> None:
    teller, boss = await rows.staff("teller", "teller"), await rows.staff("boss", "supervisor")
    call = await rated(rows, service, teller, 2)
    await rated(rows, service, teller, 3)
    async with desk.of(boss) as client:
        listed = await told(client, "/api/tickets?state=open")
        assert [row["id"] for row in await told(client, "/api/tickets?limit=1")] == [listed[0]["id"]]
        assert await refusal(await client.get("/api/tickets?limit=0")) == (400, "input.invalid")
        assert [(row["kind"], row["seen_at"], row["overdue"]) for row in listed] == [("low_rating", None, False)]
        ticket = await told(client, f"/api/tickets/{listed[0]['id']}")
        assert (ticket["story"], ticket["stars"], ticket["call_number"]) == ("等太久", 2, call.number)
        assert ticket["seen_at"] is not None
        path = f"/api/tickets/{ticket['id']}"
        assert await refusal(await client.post(f"{path}/close", json={"version": 1})) == (409, "ticket.not_answered")
        answer = {"version": 1, "answer": "已核实，向您致歉。"}
        assert (await client.post(f"{path}/answer", json=answer)).status == 200
        assert await refusal(await client.post(f"{path}/answer", json=answer)) == (409, "ticket.stale")
        closed = await (await client.post(f"{path}/close", json={"version": 2})).json()
        assert [step["what"] for step in closed["steps"]] == ["opened", "seen", "answered", "closed"]
    async with database.read() as session:
        notice = (await session.scalars(select(NoticeMessage))).one()
        actions = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
    assert "已核实" in notice.text
    assert notice.visit_id == call.visit_id
    assert [action for action in actions if action.startswith("ticket")] == [
        "ticket.open",
        "ticket.view",
        "ticket.answer",
        "ticket.close",
    ]


async def test_nobody_sees_or_judges_the_own(rows: CallRows, service: TicketService, desk: Desk) -> None:
    both = await rows.staff("both", "teller", "supervisor")
    other = await rows.staff("other", "supervisor")
    await rated(rows, service, both, 1)
    async with desk.of(both) as client:
        assert await told(client, "/api/tickets") == []
    async with desk.of(other) as client:
        ticket_id = (await told(client, "/api/tickets"))[0]["id"]
        mine = {"department": "product", "subject": "费用看不懂", "story": "客户看不懂费用表"}
        assert (await client.post("/api/tickets", json=mine)).status == 200
        own_id = next(row["id"] for row in await told(client, "/api/tickets") if row["subject"] == "费用看不懂")
        answer = {"version": 1, "answer": "好"}
        assert await refusal(await client.post(f"/api/tickets/{own_id}/answer", json=answer)) == (403, "ticket.own")
        assert (await told(client, "/api/my-tickets"))[0]["subject"] == "费用看不懂"
    async with desk.of(both) as client:
        assert await refusal(await client.get(f"/api/tickets/{ticket_id}")) == (404, "ticket.not_found")
    inspector = await rows.staff("inspector", "inspector")
    async with desk.of(inspector) as client:
        assert await told(client, "/api/tickets") == [], "not the department of quality"
        assert await refusal(await client.get(f"/api/tickets/{ticket_id}")) == (404, "ticket.not_found")
    for role in ("teller", "admin", "auditor"):
        async with desk.of(await rows.staff(role, role)) as client:
            assert await refusal(await client.get("/api/tickets")) == (403, "auth.denied")


async def test_a_complaint_goes_from_department_to_department_and_up(
    rows: CallRows, service: TicketService, desk: Desk, database: Database, clock: FakeClock
) -> None:
    teller, boss = await rows.staff("teller", "teller"), await rows.staff("boss", "supervisor")
    inspector = await rows.staff("inspector", "inspector")
    call = await rows.call(teller)
    customer = customer_actor(call.visit_id)
    async with serving([routes(service)], always(customer)) as page:
        opened = await (await page.post("/api/visit/complaints", json={"story": "费用说得不清楚"})).json()
        assert (opened["number"], opened["state"], opened["answer"]) == (1, "open", "")
    assert await service.escalate_overdue() == []
    clock.advance(timedelta(minutes=16).total_seconds())
    late = await service.escalate_overdue()
    assert len(late) == 1
    assert await service.escalate_overdue() == [], "once"
    async with desk.of(inspector) as client:
        assert (await told(client, "/api/tickets"))[0]["overdue"]
        ticket = await told(client, f"/api/tickets/{late[0]}")
        move = {"version": ticket["version"], "department": "product", "reason": "费用表要改"}
        assert (await client.post(f"/api/tickets/{late[0]}/move", json=move)).status == 200
        assert await told(client, "/api/tickets") == []
    async with desk.of(boss) as client:
        ticket = await told(client, f"/api/tickets/{late[0]}")
        answer = {"version": ticket["version"], "answer": "费用表已改写。"}
        assert (await client.post(f"/api/tickets/{late[0]}/answer", json=answer)).status == 200
    assert [(own.state, own.answer) for own in await service.own(customer)] == [("answered", "费用表已改写。")]
    assert await service.own(customer_actor("visit_other")) == []
    async with database.read() as session:
        alarms = (await session.scalars(select(Alarm.kind))).all()
        stored = (await session.scalars(select(Ticket))).one()
    assert list(alarms) == ["ticket.overdue"]
    assert stored.teller_id == teller.id
