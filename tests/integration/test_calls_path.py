"""One call from joining to rating, over real sockets, PostgreSQL and Valkey."""

import time

import pytest
from counter import open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.security.actor import customer_actor
from server.calls.rating import RatingBook


async def test_join_ring_accept_connect_hang_up_wrap_up_rate(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        visit_id = await counter.add_visit()
        customer = await counter.customer(visit_id)

        started = time.perf_counter()
        joined = (await customer.ask("queue.join"))["call"]
        assert joined["state"] == "queued"
        assert (joined["number"], joined["position"], joined["wait_low_s"]) == (1, 1, 0)
        call_id = joined["call_id"]
        ring = await teller.see("offer.ring", call_id=call_id)
        print(f"join to ring: {(time.perf_counter() - started) * 1000:.0f} ms")
        await customer.see("call.state", state="offered")

        warm = await teller.ask("media.join", call_id=call_id)
        await teller.ask("media.answer", call_id=call_id, peer_id=warm["peer_id"], sdp_answer="v=0")
        opened = await customer.ask("media.join")
        assert opened["ice_servers"] == []
        await customer.ask("media.answer", peer_id=opened["peer_id"], sdp_answer="v=0")
        await counter.hang_together(call_id, "customer", "teller")

        taken = (await teller.ask("offer.accept", offer_id=ring["offer_id"]))["call"]
        assert taken["call_id"] == call_id
        assert taken["business_name_en"] == "Transfer"
        await counter.media.wait_for("activate", call_id)
        seen = await customer.see("call.state", state="connected")
        assert seen["teller"] == {"display_name": "Chen", "staff_number": "1chen"}
        await teller.see("call.state", state="connected")
        await teller.see("offer.end", offer_id=ring["offer_id"], outcome="accepted")
        console = await teller.ask("presence.get")
        assert console["presence"]["state"] == "in_call"
        assert console["offer"] is None
        assert console["call"]["state"] == "connected"

        await customer.ask("call.hangup")
        ended = await customer.see("call.state", state="wrap_up")
        assert ended["end_reason"] == "customer_hung_up"
        await counter.media.wait_for("close_call", call_id, "customer_hung_up")
        wrap_up = await teller.see("presence", state="wrap_up")
        assert wrap_up["wrap_up_until"] is not None
        after = await teller.ask("call.wrapup", call_id=call_id, disposition="resolved", note="done")
        assert after["presence"]["state"] == "ready"
        await customer.see("call.state", state="closed")

        actor = customer_actor(visit_id)
        await RatingBook(database).rate(actor, 5, ["patient"], "谢谢")
        with pytest.raises(CounterError, match="rated") as refused:
            await RatingBook(database).rate(actor, 1, [], "")
        assert refused.value.code == "rating.exists"
        row = await counter.call(call_id)
        assert (row.state, row.disposition, row.note) == ("closed", "resolved", "done")
