"""The live wallboard on real tables: it converges with a fresh one, is pushed, and calls for help."""

import asyncio
from datetime import timedelta

import pytest
from counter import Counter, Page, ago, open_counter
from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.models.call import Call
from core.models.oversight import HelpRequest
from core.models.system import AuditEntry
from core.ports.wallboard import WallboardView
from core.security.actor import staff_actor
from server.wallboard.board import Board
from server.wallboard.emergency import EmergencySwitch
from server.wallboard.figures import Names, wallboard_view
from server.wallboard.schemas import EmergencyRequest
from server.wallboard.snapshot import read_board


async def fresh(counter: Counter) -> Board:
    async with counter.database.read() as session:
        return await read_board(session, counter.wallboard.live.board.day_start)


async def converged(counter: Counter) -> Board:
    """Until what is live is what the rows say; both are compared whole."""
    async with asyncio.timeout(10):
        while (board := await fresh(counter)) != counter.wallboard.live.board:
            await asyncio.sleep(0.05)
    now = counter.database.clock.now()
    names = Names()
    assert wallboard_view(board, names, now) == wallboard_view(counter.wallboard.live.board, names, now)
    return board


async def served(counter: Counter, teller: Page) -> str:
    """A call from joining to the disposition, with a hold in between."""
    customer = await counter.customer(await counter.add_visit())
    call_id: str = (await customer.ask("queue.join"))["call"]["call_id"]
    ring = await teller.see("offer.ring", 10, call_id=call_id)
    await teller.ask("offer.accept", offer_id=ring["offer_id"])
    await counter.hang_together(call_id, "customer", "teller")
    await teller.see("call.state", 10, call_id=call_id, state="connected")
    await teller.ask("call.hold", call_id=call_id, on=True)
    await teller.ask("call.hold", call_id=call_id, on=False)
    await customer.ask("call.hangup")
    await teller.ask("call.wrapup", call_id=call_id, disposition="resolved", note="")
    return call_id


async def test_live_is_what_the_rows_say(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        boss = await counter.staff(await counter.add_staff("boss", ["supervisor"]))
        await served(counter, teller)
        gone = await counter.customer(await counter.add_visit("enquiry"))
        await gone.ask("queue.join")
        board = await converged(counter)
        assert [call.state for call in board.calls.values()] == ["closed", "queued"]
        await gone.ask("queue.leave")
        board = await converged(counter)
        assert board.queues["enquiry"].tally.short_abandoned == 1
        told = (await boss.ask("wallboard.get"))["wallboard"]
        view = WallboardView.model_validate(told)
        assert (view.total.figures.offered, view.total.figures.answered) == (2, 1)
        assert view.total.figures.service_level == 1.0
        assert [row.state for row in view.tellers] == ["ready"]
        pushed = await boss.see("wallboard", 10)
        assert WallboardView.model_validate(pushed).aims == view.aims


async def test_what_the_bus_lost_is_found_in_the_outbox(
    database: Database, bus: Bus, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.wallboard.live.SWEEP_S", 0.2)
    async with open_counter(database, bus, redis) as counter:
        customer = await counter.customer(await counter.add_visit())
        database._bus = None  # from here no fact is announced
        await customer.ask("queue.join")
        assert [call.state for call in (await converged(counter)).calls.values()] == ["queued"]


async def test_a_lost_fact_whose_successor_came_does_not_bend_a_tellers_day(
    database: Database, bus: Bus, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.wallboard.live.SWEEP_S", 0.2)
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        await converged(counter)
        database._bus = None
        await teller.ask("presence.set", state="break", reason="")
        database._bus = bus
        await teller.ask("presence.set", state="ready", reason="")
        board = await converged(counter)
        assert {"ready", "break"} <= set(next(iter(board.tellers.values())).spent_ms)


async def test_tellers_and_customers_see_no_wallboard(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        with pytest.raises(Exception, match="not permitted"):
            await teller.ask("wallboard.get")


async def test_a_call_over_its_limit_calls_for_help_once(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        ring = await teller.see("offer.ring", 10, call_id=call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        async with database.transaction() as session:
            long_ago = {"queued_at": ago(database, 2000), "accepted_at": ago(database, 1990)}
            await session.execute(update(Call).where(col(Call.id) == call_id).values(**long_ago))
        live = counter.wallboard.live
        live.board.calls.update((await fresh(counter)).calls)
        await counter.wallboard.watch.look()
        counter.wallboard.watch._asked.clear()  # another edge looks as well
        await counter.wallboard.watch.look()
        async with database.read() as session:
            requests = (await session.scalars(select(HelpRequest))).all()
        assert [(each.kind, each.call_id) for each in requests] == [("overtime", call_id)]
        async with asyncio.timeout(10):
            while not live.board.help:
                await asyncio.sleep(0.05)


async def test_an_emergency_stops_entry_and_keeps_places(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        boss = staff_actor(await counter.add_staff("boss", ["supervisor"]), ["supervisor"])
        visit = await counter.add_visit()
        customer = await counter.customer(visit)
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        async with database.transaction() as session:
            joined = ago(database, 300)
            await session.execute(update(Call).where(col(Call.id) == call_id).values(queued_at=joined))
        switch = EmergencySwitch(database, counter.calls.service)
        request = EmergencyRequest(event_class="system", drill=True, notice_zh="演练", stop_entry=True, reschedule=True)
        drill = await switch.start(boss, request)
        assert (await switch.notice()).notice_zh == ""
        assert (await counter.call(call_id)).state == "queued", "a drill touches no customer"
        await switch.end(boss, drill.id, "三分钟内完成")
        real = await switch.start(boss, request.model_copy(update={"drill": False, "notice_zh": "系统维护"}))
        assert real.moved_calls == 1
        assert (await counter.call(call_id)).end_reason == "rescheduled"
        with pytest.raises(Exception, match="closed for a moment"):
            await customer.ask("queue.join")
        assert (await switch.notice()).entry_stopped
        await switch.end(boss, real.id, "")
        again = (await customer.ask("queue.join"))["call"]["call_id"]
        assert (await counter.call(again)).priority >= 299
        async with database.read() as session:
            actions = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
        assert [action for action in actions if action.startswith("emergency")] == [
            "emergency.start",
            "emergency.end",
            "emergency.start",
            "emergency.reschedule",
            "emergency.end",
        ]
        assert [each.drill for each in await switch.log()] == [False, True]
        assert counter.database.clock.now() - joined > timedelta(seconds=300)


async def test_supervisors_move_tellers_and_calls(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        boss = staff_actor(await counter.add_staff("boss", ["supervisor"]), ["supervisor"])
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        await counter.acd.oversight.force_state(boss, "staff_chen", "break")
        assert (await teller.ask("presence.get"))["presence"]["reason"] == "forced"
        with pytest.raises(Exception, match="not ready"):
            await counter.acd.oversight.reassign(boss, call_id, "staff_chen")
        await counter.acd.oversight.force_state(boss, "staff_chen", "ready")
        await counter.acd.oversight.reassign(boss, call_id, "staff_chen")
        assert (await teller.ask("presence.get"))["offer"]["call_id"] == call_id
        with pytest.raises(Exception, match="deal with first"):
            await counter.acd.oversight.force_state(boss, "staff_chen", "offline")
        with pytest.raises(Exception, match="not permitted"):
            await counter.acd.oversight.force_state(staff_actor("staff_chen", ["teller"]), "staff_chen", "break")
