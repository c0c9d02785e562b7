"""A call goes from hand to hand: the customer stays, the place is kept, the next teller knows why."""

import pytest
from counter import Counter, Page, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import CallLeg, CallTransfer, OutboxEvent


async def talking(counter: Counter, teller: Page) -> tuple[Page, str]:
    customer = await counter.customer(await counter.add_visit())
    call_id = (await customer.ask("queue.join"))["call"]["call_id"]
    ring = await teller.see("offer.ring", call_id=call_id)
    await teller.ask("offer.accept", offer_id=ring["offer_id"])
    await counter.hang_together(call_id, "customer", "teller")
    await customer.see("call.state", call_id=call_id, state="connected")
    return customer, call_id


async def test_a_blind_transfer_rings_the_chosen_teller_with_the_note_and_the_customer_stays(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        chen = await counter.teller("chen")
        customer, call_id = await talking(counter, chen)
        await counter.teller("li")
        wang = await counter.teller("wang")
        with pytest.raises(CounterError) as nobody:
            await chen.ask("call.transfer", call_id=call_id, kind="blind", staff_id="staff_none")
        assert nobody.value.code == "staff.not_found"
        await chen.ask("call.transfer", call_id=call_id, kind="blind", staff_id="staff_wang", note="要改手机号")
        assert ("set_hold", call_id, "on") in counter.media.log
        ring = await wang.see("offer.ring", call_id=call_id)
        assert [(n["kind"], n["note"], n["teller"]["display_name"]) for n in ring["handover"]] == [
            ("blind", "要改手机号", "Chen")
        ]
        await chen.see("presence", state="ready")
        taken = (await wang.ask("offer.accept", offer_id=ring["offer_id"]))["call"]
        assert taken["handover"][0]["note"] == "要改手机号"
        await counter.media.wait_for("set_hold", call_id, "off")
        await counter.peer(call_id, "teller", "connected", "p-wang")
        talk = await customer.see(
            "call.state", state="connected", teller={"display_name": "Wang", "staff_number": "1wang"}
        )
        assert talk["call_id"] == call_id
        await wang.ask("call.hangup", call_id=call_id)
        assert "close_call" not in [entry[0] for entry in counter.media.log if entry[0] == "close_peer"]
    async with database.read() as session:
        legs = (await session.scalars(select(CallLeg).order_by(col(CallLeg.began_at)))).all()
        facts = (await session.scalars(select(OutboxEvent.type).order_by(col(OutboxEvent.seq)))).all()
    assert [(leg.teller_id, leg.ended_by) for leg in legs] == [("staff_chen", "transfer"), ("staff_wang", "end")]
    assert facts.count("CallTransferred") == facts.count("CallEnded") == 1
    assert "RecordingStopped" not in facts


async def test_a_consulted_teller_talks_while_the_customer_is_on_hold_and_then_has_the_call(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        chen, wang = await counter.teller("chen"), await counter.teller("wang", ready=False)
        customer, call_id = await talking(counter, chen)
        await wang.ask("presence.set", state="ready")
        with pytest.raises(CounterError) as early:
            await chen.ask("call.transfer", call_id=call_id, kind="consult")
        assert early.value.code == "transfer.nobody_consulted"
        asked = await chen.ask("call.invite", call_id=call_id, staff_id="staff_wang", purpose="consult", note="限额?")
        place = await wang.see("guest.state", guest_id=asked["guest_id"], state="invited")
        assert place["note"] == "限额?"
        await wang.see("presence", state="break", reason="consulting")
        await chen.ask("call.hold", call_id=call_id, on=True)
        joined = await wang.ask("guest.media", guest_id=asked["guest_id"])
        await counter.peer(call_id, "expert", "connected", joined["peer_id"])
        await wang.see("guest.state", state="joined")
        await chen.ask("call.transfer", call_id=call_id, kind="consult", note="已核实身份")
        mine = await wang.see("call.state", call_id=call_id, state="accepted", on_hold=False)
        assert mine["handover"][0]["note"] == "已核实身份"
        await wang.see("guest.state", left_reason="handed_over")
        await wang.see("presence", state="in_call")
        assert ("set_hold", call_id, "off") in counter.media.log
        await wang.ask("media.join", call_id=call_id)
        await counter.peer(call_id, "teller", "connected", "p-wang")
        await wang.see("call.state", state="connected")
        with pytest.raises(CounterError) as over:
            await chen.ask("call.hangup", call_id=call_id)
        assert over.value.code == "call.not_found"
        assert (await customer.ask("call.snapshot"))["call"]["teller"]["display_name"] == "Wang"


async def test_a_returned_call_keeps_its_place_and_goes_to_somebody_else_first(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        chen = await counter.teller("chen")
        first, call_id = await talking(counter, chen)
        second = await counter.customer(await counter.add_visit())
        later = (await second.ask("queue.join"))["call"]["call_id"]
        before = (await counter.call(call_id)).queued_at
        await chen.ask("presence.get")
        await chen.ask("call.transfer", call_id=call_id, kind="return", note="材料未齐")
        row = await counter.call(call_id)
        assert row.queued_at == before
        # The other caller is offered to the teller who has just handed the first one back.
        await chen.see("offer.ring", call_id=later)
        assert (await first.ask("call.snapshot"))["call"]["position"] == 1
        wang = await counter.teller("wang")
        await wang.see("offer.ring", call_id=call_id)
        await first.ask("queue.leave")
        ended = await first.see("call.state", state="closed")
        assert ended["accepted_at"] is not None
        assert (await counter.call(call_id)).teller_id == "staff_chen"
    async with database.read() as session:
        assert [t.kind for t in (await session.scalars(select(CallTransfer))).all()] == ["return"]
