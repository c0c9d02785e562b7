"""Coming in: opening hours, caps, help, notices, and what tellers and admins see of it."""

from collections.abc import Awaitable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from counter import Counter, open_counter
from redis.asyncio import Redis
from sqlmodel import select

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from core.errors import ConflictError, CounterError
from core.events import CallAccepted, CallQueued
from core.models import Alarm, AuditEntry, Business, ServiceQueue, WaitEstimate
from core.security.actor import staff_actor, system_actor
from server.acd.estimates import EstimateBook
from server.acd.points import CLASS_POINTS, JUMP_POINTS
from server.acd.queue import QueueBoard
from server.acd.schemas import CalendarRequest, GroupConfigRequest, NoticeRequest, QueueConfigRequest
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
        call_id = (await old.ask("queue.join", declared="elderly"))["call"]["call_id"]
        row = await counter.call(call_id)
        assert (row.priority, row.class_source) == (CLASS_POINTS["elderly"], "declared")
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


def _lasting(text_zh: str, from_s: float, until_s: float) -> NoticeRequest:
    begins, ends = (SystemClock().now() + timedelta(seconds=seconds) for seconds in (from_s, until_s))
    return NoticeRequest(kind="notice", text_zh=text_zh, valid_from=begins, valid_until=ends)


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
        await board.publish(boss, _lasting("明日停机", 3600, 7200))
        soon = await board.publish(boss, _lasting("马上停机", 0.3, 2.3))
        assert [notice.id for notice in await board.current("transfer")] == [said.id]
        # Nobody does anything: it comes and goes by the clock, on the page that is open.
        await page.see("queue.notice", id=soon.id, withdrawn=False)
        await page.see("queue.notice", id=soon.id, withdrawn=True)
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


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(CounterError) as error:
        await call
    return error.value.code


async def test_what_an_administrator_sets_up_is_checked_audited_and_shown(database: Database) -> None:
    async with database.unit_of_work(system_actor("test")) as work:
        work.session.add(
            Business(code="transfer", name_zh="转账", name_en="", hint_zh="", hint_en="", skill_group="vip")
        )
    setup = await set_up(database)
    plain = {"name_zh": "对公", "name_en": "", "hours": {}, "version": 0}
    for wrong, code in (
        ({"hours": {"1": [["09:00", "12:00"], ["11:00", "17:00"]]}}, "calendar.span"),
        ({"hours": {"1": [["17:00", "09:00"]]}}, "calendar.span"),
        ({"days": [{"day": "2026-10-01", "kind": "holiday"}] * 2}, "calendar.day_twice"),
        ({"timezone": "Moon/Sea"}, "calendar.timezone"),
    ):
        request = CalendarRequest.model_validate(plain | wrong)
        assert await refusal(setup.set_calendar(ADMIN, "shop", request)) == code
    group = GroupConfigRequest(name_zh="贵宾组", name_en="", strategy="round_robin", version=0)
    helped = group.model_copy(update={"overflow_groups": ["nobody"]})
    assert await refusal(setup.set_group(ADMIN, "vip", helped)) == "group.not_found"
    await setup.set_group(ADMIN, "vip", group.model_copy(update={"overflow_groups": ["personal"]}))
    today = database.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    holiday = plain | {"hours": {str(day): [["00:00", "24:00"]] for day in range(1, 8)}}
    holiday["days"] = [{"day": (today + timedelta(days=n)).isoformat(), "kind": "holiday"} for n in (0, 1)]
    await setup.set_calendar(ADMIN, "shop", CalendarRequest.model_validate(holiday))
    shown = await setup.all()
    now = {each.calendar_code: each for each in shown.opening}
    assert now["always"].closes_at is not None
    assert now["shop"].closes_at is None
    assert now["shop"].next_opening is not None
    assert now["shop"].next_opening.astimezone(ZoneInfo("Asia/Shanghai")).date() == today + timedelta(days=2)
    assert [business.code for business in shown.businesses] == ["transfer"]
    async with database.read() as session:
        audited = (await session.scalars(select(AuditEntry.object_id))).all()
    assert [each for each in audited if each in ("vip", "shop")] == ["vip", "shop"], "refused ones leave nothing"
