"""Hold: the teller asks, the media node does it, both pages see it, facts and audit tell of it."""

import pytest
from call_rows import CallRows
from counter import Counter, Page, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import AuditEntry, Call, OutboxEvent
from core.ports.media import Profile, Seat
from core.security.actor import staff_actor, system_actor


async def talking(counter: Counter) -> tuple[Page, Page, str]:
    teller = await counter.teller("chen")
    customer = await counter.customer(await counter.add_visit())
    call_id = (await customer.ask("queue.join"))["call"]["call_id"]
    ring = await teller.see("offer.ring", call_id=call_id)
    await teller.ask("offer.accept", offer_id=ring["offer_id"])
    await counter.hang_together(call_id, "customer", "teller")
    await customer.see("call.state", state="connected")
    return teller, customer, call_id


async def test_a_hold_reaches_the_node_both_pages_the_facts_and_the_audit_log(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, customer, call_id = await talking(counter)
        await teller.ask("call.hold", call_id=call_id, on=True)
        await teller.ask("call.hold", call_id=call_id, on=True)
        await customer.see("call.state", on_hold=True, state="connected")
        await teller.see("call.state", on_hold=True)
        assert (await customer.ask("call.snapshot"))["call"]["on_hold"] is True
        await teller.ask("call.hold", call_id=call_id, on=False)
        await teller.ask("call.hold", call_id=call_id, on=True)
        await teller.ask("call.hangup", call_id=call_id)
        ended = await customer.see("call.state", state="wrap_up")
        assert ended["on_hold"] is False, "the end of the call ends the hold"
        asked = [entry[2] for entry in counter.media.log if entry[0] == "set_hold"]
        assert asked == ["on", "off", "on"]
        row = await counter.call(call_id)
        assert len(row.holds) == 2
        assert all(hold["from"] and hold["to"] and hold["from"] < hold["to"] for hold in row.holds)
    async with database.read() as session:
        facts = (await session.scalars(select(OutboxEvent.type).order_by(col(OutboxEvent.seq)))).all()
        entries = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
    assert [fact for fact in facts if fact in ("CallHeld", "CallResumed")] == ["CallHeld", "CallResumed", "CallHeld"]
    assert [entry for entry in entries if entry in ("call.hold", "call.resume")] == [
        "call.hold",
        "call.resume",
        "call.hold",
    ]


async def test_nothing_changes_when_the_node_does_not_answer_or_the_call_is_not_ones_own(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, _, call_id = await talking(counter)
        counter.media.broken.add("set_hold")
        with pytest.raises(CounterError) as broken:
            await teller.ask("call.hold", call_id=call_id, on=True)
        assert broken.value.code == "media.unavailable"
        assert (await counter.call(call_id)).holds == []
        counter.media.broken.clear()
        stranger = await counter.teller("wang", ready=False)
        with pytest.raises(CounterError) as foreign:
            await stranger.ask("call.hold", call_id=call_id, on=True)
        assert foreign.value.code == "call.not_found"
        await teller.ask("call.hangup", call_id=call_id)
        with pytest.raises(CounterError) as over:
            await teller.ask("call.hold", call_id=call_id, on=True)
        assert over.value.code == "call.not_running"


async def test_only_the_calls_own_teller_asks_for_a_sharp_picture(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, _, call_id = await talking(counter)
        media, own = counter.calls.media, staff_actor((await counter.call(call_id)).teller_id or "", ["teller"])
        await media.set_profile(own, call_id, Seat.CUSTOMER, Profile.HD)
        assert ("set_profile", call_id, "customer", "hd") in counter.media.log
        with pytest.raises(CounterError) as foreign:
            await media.set_profile(staff_actor("staff_other", ["teller"]), call_id, Seat.CUSTOMER, Profile.HD)
        assert foreign.value.code == "call.not_found"
        await teller.ask("call.hangup", call_id=call_id)
        with pytest.raises(CounterError) as over:
            await media.set_profile(own, call_id, Seat.CUSTOMER, Profile.VGA)
        assert over.value.code == "call.not_running"


async def test_both_may_want_less_picture_of_their_own_and_the_teller_of_both(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, customer, call_id = await talking(counter)
        await customer.ask("media.picture", most="audio")
        assert ("set_profile", call_id, "customer", "audio", "by hand") in counter.media.log
        await teller.ask("media.picture", call_id=call_id, seat="customer", most="auto")
        await teller.ask("media.picture", call_id=call_id, seat="teller", most="low")
        assert [entry[1:] for entry in counter.media.log[-2:]] == [
            (call_id, "customer", "hd", "by hand"), (call_id, "teller", "low", "by hand"),
        ]  # fmt: skip
        counter.media.broken.add("set_profile")
        for page, words, code in (
            (customer, {"most": "low"}, "media.unavailable"),
            (customer, {"most": "hd"}, "input.invalid"),
            (teller, {"call_id": call_id, "seat": "expert", "most": "low"}, "input.invalid"),
            (teller, {"call_id": "call_none", "seat": "teller", "most": "low"}, "call.not_found"),
            (await counter.teller("wang", ready=False), {"call_id": call_id, "seat": "customer", "most": "audio"},
             "call.not_found"),
            (await counter.customer(await counter.add_visit()), {"most": "audio"}, "call.not_found"),
        ):  # fmt: skip
            with pytest.raises(CounterError) as refused:
                await page.ask("media.picture", **words)
            assert refused.value.code == code
        async with database.read() as session:
            query = select(AuditEntry).where(col(AuditEntry.action) == "call.picture").order_by(col(AuditEntry.seq))
            noted = [entry.detail for entry in (await session.scalars(query)).all()]
        chosen = [("customer", "audio"), ("customer", "hd"), ("teller", "low")]
        assert noted == [{"seat": seat, "most": most} for seat, most in chosen]


async def test_a_call_whose_media_node_died_goes_on_elsewhere_as_it_was_and_both_are_told(
    database: Database, bus: Bus, redis: Redis
) -> None:
    nodes = {"boot_1", "boot_2"}
    async with open_counter(database, bus, redis, nodes=nodes) as counter:
        teller, customer, call_id = await talking(counter)
        await teller.ask("call.hold", call_id=call_id, on=True)
        await teller.ask("media.picture", call_id=call_id, seat="teller", most="low")
        recording = await CallRows(database).recording(await counter.call(call_id))
        async with database.unit_of_work(system_actor("test")) as work:
            (await work.session.get_one(Call, call_id)).media_node = "boot_1"
        await counter.calls.keeper.sweep()
        await counter.calls.keeper.sweep()
        assert not [each for name, each in customer.pushed if name == "media.notice" and each["state"] == "lost"]
        nodes.discard("boot_1")
        for page in (customer, teller):
            for seat in ("customer", "teller"):
                await page.see("media.notice", seat=seat, state="lost")
        counter.media.log.clear()
        await counter.peer(call_id, "customer", "connected", "p-again")
        await counter.media.wait_for("activate", call_id)
        await counter.media.wait_for("set_hold", call_id, "on")
        await counter.media.wait_for("set_profile", call_id, "teller", "low", "by hand")
        assert counter.media.zeros[call_id] == round(recording.started_at.timestamp() * 1e6) * 1000
        await customer.see("media.notice", seat="customer", state="connected")
        assert (await counter.call(call_id)).state == "connected"


async def test_a_listening_supervisor_is_told_to_nobody_and_does_not_hold_a_call_together(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, customer, call_id = await talking(counter)
        await counter.peer(call_id, "supervisor", "connected")
        await counter.peer(call_id, "supervisor", "lost")
        await counter.peer(call_id, "customer", "degraded")
        await teller.see("media.notice", seat="customer", state="degraded")
        for page in (teller, customer):
            assert {payload["seat"] for name, payload in page.pushed if name == "media.notice"} <= {
                "customer",
                "teller",
            }
        assert (await counter.call(call_id)).state == "connected"


async def test_a_shared_screen_is_told_to_the_customer_and_ends_with_the_call(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, customer, call_id = await talking(counter)
        await teller.ask("media.share", call_id=call_id, on=True)
        await teller.ask("media.share", call_id=call_id, on=True)
        await customer.see("call.state", sharing=True)
        await teller.see("call.state", sharing=True)
        await teller.ask("call.hangup", call_id=call_id)
        ended = await customer.see("call.state", state="wrap_up")
        assert ended["sharing"] is False
        with pytest.raises(CounterError):
            await teller.ask("media.share", call_id=call_id, on=True)
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry.action))).all()
    assert entries.count("call.share") == 1
