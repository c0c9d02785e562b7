"""Times at the counter and callbacks: no slot is given twice, places are kept, whoever is due is told."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from counter import Counter, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database, UnitOfWork
from core.errors import ConflictError, CounterError, NotFoundError
from core.models import Appointment
from core.models.booking import Callback
from core.ports.notices import Notice
from core.rate_limit import RateLimiter
from core.security.actor import customer_actor, staff_actor, system_actor
from server.acd.points import BOOKED_POINTS
from server.acd.schemas import QueueConfigRequest
from server.acd.seed import seed_routing
from server.acd.setup import RoutingSetup
from server.booking.appointments import AppointmentBook
from server.booking.callbacks import CallbackBook
from server.booking.day import DayBook
from server.booking.schemas import AppointmentRequest

KEY = bytes(32)
CHINA = ZoneInfo("Asia/Shanghai")


class Outbox:
    """Remembers what was queued."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []

    async def queue(self, work: UnitOfWork, notice: Notice) -> list[str]:
        self.sent.append(notice)
        return [f"notice_{len(self.sent)}"]


async def open_books(counter: Counter, redis: Redis) -> tuple[AppointmentBook, CallbackBook, Outbox]:
    async with counter.database.unit_of_work(system_actor("test")) as work:
        await seed_routing(work, always_open=True)
    admin = staff_actor("staff_admin", ["admin"])
    one_each = QueueConfigRequest(calendar_code="always", slot_capacity=1, version=1)
    await RoutingSetup(counter.database).set_queue(admin, "transfer", one_each)
    outbox, limiter = Outbox(), RateLimiter(redis)
    return (
        AppointmentBook(counter.database, counter.door, outbox, KEY, limiter),
        CallbackBook(counter.database, counter.door, counter.calls.service, outbox, KEY, limiter, "https://bank"),
        outbox,
    )


async def test_a_slot_is_given_once_reminded_of_and_brings_its_customer_ahead(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        books, _, outbox = await open_books(counter, redis)
        slot = (await books.slots("transfer"))[0]
        wish = AppointmentRequest(
            business_code="transfer", starts_at=slot.starts_at, phone="13800138000", language="zh-CN"
        )
        tried = await asyncio.gather(*(books.book(wish, "10.0.0.1") for _ in range(3)), return_exceptions=True)
        booked = [each for each in tried if not isinstance(each, BaseException)]
        refused = [each for each in tried if isinstance(each, ConflictError)]
        assert (len(booked), [each.code for each in refused]) == (1, ["slot.gone", "slot.gone"])
        code = booked[0].code
        assert booked[0].phone_masked == "138****8000"
        assert slot.starts_at not in {free.starts_at for free in await books.slots("transfer")}
        async with database.transaction() as session:
            row = await session.get_one(Appointment, await _id(database, code))
            assert b"138" not in row.contact
            row.starts_at = database.clock.now() + timedelta(minutes=5)
            row.ends_at = row.starts_at + timedelta(minutes=30)
        assert (await books.look(), await books.look()) == (1, 0), "reminded once"
        assert (outbox.sent[0].recipient.phone, code in outbox.sent[0].text) == ("13800138000", True)
        waiting = await counter.customer(await counter.add_visit())
        await waiting.ask("queue.join")
        visit_id = await counter.add_visit()
        with pytest.raises(NotFoundError):
            await books.check_in(customer_actor(await counter.add_visit("enquiry")), code)
        await books.check_in(customer_actor(visit_id), code)
        page = await counter.customer(visit_id)
        call = (await page.ask("queue.join"))["call"]
        assert call["position"] == 1, "booked customers come before those who just came"
        row_now = await counter.call(call["call_id"])
        assert (row_now.customer_class, row_now.class_source) == ("appointment", "booking")
        early_s = (row.starts_at - row_now.queued_at).total_seconds()
        assert row_now.priority == BOOKED_POINTS - round(early_s), "comes five minutes early"
        with pytest.raises(ConflictError):
            await books.cancel(code, "10.0.0.1")
        with pytest.raises(ConflictError):
            await books.move(code, slot.starts_at, "10.0.0.1")
        shown = (await DayBook(database).day(row.starts_at.astimezone(CHINA).date())).appointments
        assert [(each.state, each.call_state, each.phone_masked) for each in shown] == [
            ("checked_in", "queued", "138****8000")
        ]
        assert code not in shown[0].model_dump_json(), "the number opens the booking: staff never see it"


async def test_another_time_under_the_same_number_gives_the_old_one_back(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        books, _, _ = await open_books(counter, redis)
        first, second = (await books.slots("transfer"))[:2]
        wish = {"business_code": "transfer", "phone": "13800138000", "language": "zh-CN"}
        mine, other = [
            (await books.book(AppointmentRequest.model_validate(wish | {"starts_at": at.starts_at}), None)).code
            for at in (first, second)
        ]
        with pytest.raises(ConflictError) as taken:
            await books.move(mine, second.starts_at, None)
        assert taken.value.code == "slot.gone"
        await books.cancel(other, None)
        moved = await books.move(mine, second.starts_at, None)
        assert (moved.code, moved.starts_at) == (mine, second.starts_at)
        assert (await books.slots("transfer"))[0].starts_at == first.starts_at, "free again"


async def test_a_callback_keeps_the_place_and_comes_when_it_is_the_turn(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        _, callbacks, outbox = await open_books(counter, redis)
        visit_id = await counter.add_visit()
        page = await counter.customer(visit_id)
        call_id = (await page.ask("queue.join"))["call"]["call_id"]
        await callbacks.ask(customer_actor(visit_id), "13900139000")
        ended = await page.see("call.state", state="closed")
        assert ended["end_reason"] == "callback_asked"
        with pytest.raises(CounterError):
            await callbacks.ask(customer_actor(visit_id), "13900139000")
        behind = await counter.customer(await counter.add_visit())
        await behind.ask("queue.join")
        assert await callbacks.look() == 0, "nobody serves yet"
        await counter.teller("chen", ready=False)
        await counter.add_staff("li", ["teller"])
        console = await counter.teller("wang")
        await console.see("offer.ring")
        assert (await callbacks.look(), await callbacks.look()) == (1, 0)
        notice = outbox.sent[0]
        assert (notice.recipient.phone, notice.kind) == ("13900139000", "callback.turn")
        code = notice.text.rsplit("callback=", 1)[1]
        again = await counter.add_visit()
        await callbacks.come_back(customer_actor(again), code)
        back = await counter.customer(again)
        returned = (await back.ask("queue.join"))["call"]
        assert returned["position"] == 1, "ahead of who came later"
        assert (await counter.call(returned["call_id"])).queued_at == (await counter.call(call_id)).queued_at
        with pytest.raises(ConflictError):
            await callbacks.come_back(customer_actor(await counter.add_visit()), code)
        async with database.read() as session:
            row = await session.get(Callback, notice.subject_id)
        assert row is not None
        assert row.state == "returned"


async def _id(database: Database, code: str) -> str:
    async with database.read() as session:
        return (await session.scalars(select(Appointment.id).where(col(Appointment.code) == code))).one()
