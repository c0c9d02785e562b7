"""Coming in: opening hours, caps, help, notices, and what tellers and admins see of it."""

from datetime import timedelta

import pytest
from counter import Counter, open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.errors import ConflictError, CounterError
from core.events import CallAccepted, CallQueued
from core.models import Alarm, ServiceQueue, WaitEstimate
from core.security.actor import staff_actor, system_actor
from server.acd.estimates import EstimateBook
from server.acd.points import CLASS_POINTS, JUMP_POINTS
from server.acd.queue import QueueBoard
from server.acd.schemas import CalendarRequest, NoticeRequest, QueueConfigRequest
from server.acd.seed import seed_routing
from server.acd.setup import RoutingSetup

ADMIN = staff_actor("staff_admin", ["admin"])


async def set_up(database: Database, **queue: int) -> RoutingSetup:
    async with database.unit_of_work(system_actor("test")) as work:
        await seed_routing(work, always_open=True)
    setup = RoutingSetup(database)
    if queue:
        request = QueueConfigRequest.model_validate({"calendar_code": "always", "version": 1} | queue)
        await setup.set_queue(ADMIN, "transfer", request)
    return setup


async def refused(counter: Counter) -> CounterError:
    page = await counter.customer(await counter.add_visit())
    with pytest.raises(CounterError) as error:
        await page.ask("queue.join")
    return error.value


async def test_closed_full_or_too_long_is_said_at_the_door(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        setup = await set_up(database, cap=1)
        status = counter.status
        assert (await status("transfer")).open
        page = await counter.customer(await counter.add_visit())
        await page.ask("queue.join")
        assert (await status("transfer")).full
        assert (await refused(counter)).code == "queue.full"
        never = CalendarRequest.model_validate({"name_zh": "停业", "name_en": "", "hours": {}, "version": 0})
        await setup.set_calendar(ADMIN, "never", never)
        await setup.set_queue(ADMIN, "transfer", QueueConfigRequest(calendar_code="never", version=2))
        assert (await refused(counter)).code == "queue.closed"
        closed = await status("transfer")
        assert (closed.open, closed.next_opening) == (False, None)
        with pytest.raises(ConflictError) as stale:
            await setup.set_queue(ADMIN, "transfer", QueueConfigRequest(calendar_code="always", version=2))
        assert stale.value.code == "setup.stale"
        assert (await page.ask("call.snapshot"))["call"]["position"] == 1, "who is in stays in"


async def test_the_elderly_are_favoured_help_jumps_and_alarms_and_the_reason_to_leave_is_kept(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        await set_up(database)
        first = await counter.customer(await counter.add_visit())
        await first.ask("queue.join")
        old = await counter.customer(await counter.add_visit())
        call_id = (await old.ask("queue.join", elderly=True))["call"]["call_id"]
        assert (await counter.call(call_id)).priority == CLASS_POINTS["elderly"]
        await first.see("call.state", position=2)
        boss = await counter.staff(await counter.add_staff("zhao", ["supervisor"]))
        await first.ask("queue.help")
        await first.ask("queue.help")
        await first.see("call.state", position=1, help_asked=True)
        alarm = await boss.see("alarm", kind="customer.help")
        row = await counter.call(alarm["call_id"])
        assert row.priority == JUMP_POINTS
        await old.ask("queue.leave", reason="waited_too_long")
        assert (await counter.call(call_id)).end_reason == "waited_too_long"
        async with database.read() as session:
            assert await session.get(Alarm, alarm["id"]) is not None


async def test_a_broadcast_reaches_those_who_wait_and_withdrawing_takes_it_back(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        page = await counter.customer(await counter.add_visit())
        await page.ask("queue.join")
        board, boss = counter.acd.notices, staff_actor("staff_zhao", ["supervisor"])
        said = await board.publish(boss, NoticeRequest(kind="broadcast", text_zh="系统繁忙，请耐心等候"))
        seen = await page.see("queue.notice", id=said.id)
        assert (seen["text_zh"], seen["withdrawn"]) == ("系统繁忙，请耐心等候", False)
        now = database.clock.now()
        later = NoticeRequest(
            kind="notice", text_zh="明日停机", valid_from=now + timedelta(hours=1), valid_until=now + timedelta(hours=2)
        )
        await board.publish(boss, later)
        assert [notice.id for notice in await board.current("transfer")] == [said.id]
        await board.withdraw(boss, said.id)
        await page.see("queue.notice", id=said.id, withdrawn=True)
        assert await board.current("transfer") == []


async def test_the_error_of_the_told_wait_is_written_down(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        book = EstimateBook(database, QueueBoard(database.clock, 20))
        page = await counter.customer(await counter.add_visit())
        teller = await counter.teller("chen", ready=False)
        await teller.ask("presence.set", state="break")
        call_id = (await page.ask("queue.join"))["call"]["call_id"]
        queued_at = (await counter.call(call_id)).queued_at
        fact = CallQueued(at=queued_at, call_id=call_id, business_code="transfer")
        await book.told(fact)
        await book.told(fact)
        async with database.transaction() as session:
            row = await session.get_one(WaitEstimate, call_id)
            assert (row.position, row.low_s) == (1, None), "nobody serves"
            row.low_s, row.high_s = 0, 60
        taken_at = queued_at + timedelta(seconds=100)
        await book.judge(CallAccepted(at=taken_at, call_id=call_id, offer_id="o", teller_id="staff_chen"))
        async with database.read() as session:
            row = await session.get_one(WaitEstimate, call_id)
            assert (row.outcome, row.waited_s, row.error_s) == ("answered", 100.0, 40.0)
            assert await session.get(ServiceQueue, "transfer") is None
