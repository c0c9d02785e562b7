"""Transports opened ahead of the call: nothing else begins with them, and nobody else can use them."""

import pytest
from counter import open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from server.calls import warm


async def test_a_customer_connects_while_reading_and_joins_the_queue_with_that_transport(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        customer = await counter.customer(await counter.add_visit(consent=False))
        opened = await customer.ask("media.join")
        again = await customer.ask("media.join")
        assert again["call_id"] == opened["call_id"]
        await customer.ask("media.answer", peer_id=again["peer_id"], sdp_answer="v=0")
        assert (await customer.ask("call.snapshot"))["call"] is None
        with pytest.raises(CounterError) as refused:
            await customer.ask("queue.join")
        assert refused.value.code == "consent.required"
        # The refusal has not used up the reservation.
        willing = await counter.customer(visit_id := await counter.add_visit())
        call_id = (await willing.ask("media.join"))["call_id"]
        assert call_id != opened["call_id"]
        assert (await willing.ask("queue.join"))["call"]["call_id"] == call_id
        assert await redis.get(f"warm:visit:{visit_id}") is None
        # After the call the next one is another.
        await willing.ask("queue.leave")
        assert (await willing.ask("media.join"))["call_id"] != call_id


async def test_transports_of_customers_who_never_join_are_closed(
    database: Database, bus: Bus, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "UNUSED_S", 0.0)
    async with open_counter(database, bus, redis) as counter:
        reader = await counter.customer(await counter.add_visit(consent=False))
        joiner = await counter.customer(await counter.add_visit())
        unused = (await reader.ask("media.join"))["call_id"]
        await counter.media.wait_for("close_call", unused, "not_joined")
        kept = (await joiner.ask("queue.join"))["call"]["call_id"]
        await counter.calls.media.close_unused()
        assert ("close_call", kept, "not_joined") not in counter.media.log


async def test_a_teller_takes_the_transport_that_waited_into_the_call_that_rings(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        waiting = await teller.ask("media.join")
        assert waiting["call_id"].startswith("lobby_")
        await teller.ask("media.answer", peer_id=waiting["peer_id"], sdp_answer="v=0")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        with pytest.raises(CounterError) as foreign:
            await teller.ask("media.enter", call_id="call_none", peer_id=waiting["peer_id"])
        assert foreign.value.code == "call.not_found"
        offer_id = (await teller.see("offer.ring"))["offer_id"]
        with pytest.raises(CounterError) as unknown:
            await teller.ask("media.enter", call_id=call_id, peer_id="peer_none")
        assert unknown.value.code == "media.peer_not_found"
        await teller.ask("media.enter", call_id=call_id, peer_id=waiting["peer_id"])
        assert counter.media.log[-1] == ("move_peer", waiting["call_id"], waiting["peer_id"], call_id)
        with pytest.raises(CounterError):  # it has left the lobby
            await teller.ask("media.enter", call_id=call_id, peer_id=waiting["peer_id"])
        # Declining closes what was brought along.
        await teller.ask("offer.decline", offer_id=offer_id)
        await counter.media.wait_for("close_peer", call_id, waiting["peer_id"])
