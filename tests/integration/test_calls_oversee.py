"""A supervisor in a call: silent at first, heard when asked for, written down; the media node alone decides."""

from itertools import pairwise

import pytest
from counter import Counter, Page, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import AuditEntry, Call, OutboxEvent, Recording
from qa.desk.company import company_views


async def talking(counter: Counter) -> tuple[Page, Page, str]:
    teller = await counter.teller("chen")
    customer = await counter.customer(await counter.add_visit())
    call_id = (await customer.ask("queue.join"))["call"]["call_id"]
    ring = await teller.see("offer.ring", call_id=call_id)
    await teller.ask("offer.accept", offer_id=ring["offer_id"])
    await counter.hang_together(call_id, "customer", "teller")
    await customer.see("call.state", state="connected")
    return teller, customer, call_id


async def supervisor(counter: Counter, name: str) -> Page:
    return await counter.staff(await counter.add_staff(name, ["supervisor"]))


async def test_monitor_whisper_barge_reach_the_node_the_pages_the_facts_and_the_audit_log(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, customer, call_id = await talking(counter)
        boss = await supervisor(counter, "zhao")
        place = (await boss.ask("call.oversee", call_id=call_id))["guest"]
        guest_id = place["guest_id"]
        assert (place["mode"], place["call"]["teller"]["display_name"]) == ("monitor", "Chen")
        again = (await boss.ask("call.oversee", call_id=call_id))["guest"]
        assert again["guest_id"] == guest_id
        joined = await boss.ask("guest.media", guest_id=guest_id)
        modes = [entry for entry in counter.media.log if entry[0] == "set_mode"]
        assert modes == [("set_mode", call_id, "monitor")], "muted before there is a transport"
        await boss.ask("guest.answer", guest_id=guest_id, peer_id=joined["peer_id"], sdp_answer="v=0")
        await counter.peer(call_id, "supervisor", "connected", joined["peer_id"])
        assert (await teller.ask("presence.get"))["call"]["guests"] == [], "who only listens is told to nobody"
        await boss.ask("oversee.mode", guest_id=guest_id, mode="whisper")
        told = await teller.see("call.state", guests=[_name(guest_id, "whisper")])
        assert told["state"] == "connected"
        assert (await customer.ask("call.snapshot"))["call"]["others"] == []
        await boss.ask("oversee.mode", guest_id=guest_id, mode="barge")
        zhao = {"display_name": "Zhao", "staff_number": "1zhao", "seat": "supervisor"}
        await customer.see("call.state", others=[zhao])
        await boss.ask("guest.leave", guest_id=guest_id)
        await boss.see("guest.state", left_reason="left")
        assert ("close_peer", call_id, joined["peer_id"]) in counter.media.log
        assert (await counter.call(call_id)).state == "connected"
    async with database.read() as session:
        call = await session.get_one(Call, call_id)
        recording = Recording(started_at=call.accepted_at)
        marks = await company_views(session, call, recording)
        assert [(mark.kind, mark.name) for mark in marks] == [
            ("monitor", "Zhao"),
            ("whisper", "Zhao"),
            ("barge", "Zhao"),
        ], "an inspector sees on the time line who was in the call, and how"
        assert all(before.to_s == after.from_s for before, after in pairwise(marks))
        facts = (await session.scalars(select(OutboxEvent.type).order_by(col(OutboxEvent.seq)))).all()
        entries = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
    assert [f for f in facts if f.startswith("Guest")] == [
        "GuestJoined",
        "GuestModeChanged",
        "GuestModeChanged",
        "GuestLeft",
    ]
    mine = ("call.oversee", "call.monitor", "call.whisper", "call.barge", "call.guest_left")
    assert [entry for entry in entries if entry in mine] == [
        "call.oversee",
        "call.whisper",
        "call.barge",
        "call.guest_left",
    ]


async def test_one_supervisor_at_a_time_only_with_permission_never_in_their_own_call_and_out_when_it_ends(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller, _, call_id = await talking(counter)
        with pytest.raises(CounterError) as denied:
            await teller.ask("call.oversee", call_id=call_id)
        assert denied.value.code == "auth.denied"
        boss, other = await supervisor(counter, "zhao"), await supervisor(counter, "qian")
        guest_id = (await boss.ask("call.oversee", call_id=call_id))["guest"]["guest_id"]
        peer_id = (await boss.ask("guest.media", guest_id=guest_id))["peer_id"]
        with pytest.raises(CounterError) as taken:
            await other.ask("call.oversee", call_id=call_id)
        assert taken.value.code == "oversee.taken"
        with pytest.raises(CounterError) as foreign:
            await other.ask("oversee.mode", guest_id=guest_id, mode="barge")
        assert foreign.value.code == "guest.gone"
        counter.media.broken.add("set_mode")
        with pytest.raises(CounterError):
            await boss.ask("oversee.mode", guest_id=guest_id, mode="barge")
        assert (await boss.ask("guest.get"))["guests"][0]["mode"] == "monitor", "nothing changed without the node"
        counter.media.broken.clear()
        await counter.peer(call_id, "supervisor", "connected", peer_id)
        await counter.peer(call_id, "supervisor", "closed", peer_id)
        await boss.see("guest.state", left_reason="connection")
        place = (await other.ask("call.oversee", call_id=call_id))["guest"]
        await teller.ask("call.hangup", call_id=call_id)
        over = await other.see("guest.state", left_reason="call_ended")
        assert over["guest_id"] == place["guest_id"]
        with pytest.raises(CounterError) as ended:
            await boss.ask("call.oversee", call_id=call_id)
        assert ended.value.code == "call.not_running"


def _name(guest_id: str, mode: str) -> dict[str, str]:
    return {
        "guest_id": guest_id,
        "display_name": "Zhao",
        "staff_number": "1zhao",
        "seat": "supervisor",
        "purpose": "oversee",
        "mode": mode,
        "state": "joined",
    }
