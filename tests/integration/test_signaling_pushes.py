"""Pages hear what happened even when the bus has lost it, and an edge that stops lets go of its pages."""

import asyncio
import time

import pytest
from counter import open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database


async def test_what_the_bus_lost_is_told_later(
    database: Database, bus: Bus, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.pusher.CATCH_UP_S", 0.3)
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        database._bus = None  # from here no fact is announced: what PostgreSQL knows is all there is
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        ring = await teller.see("offer.ring", 10, call_id=call_id)
        await customer.see("call.state", 10, state="offered")
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        await customer.see("call.state", 10, state="accepted")
        await teller.see("call.state", 10, state="accepted")
        await teller.ask("call.hangup", call_id=call_id)
        ended = await customer.see("call.state", 10, end_reason="teller_hung_up")
        assert ended["state"] in ("wrap_up", "closed")


async def test_listeners_survive_a_cut_connection(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        await teller.see("offer.ring", 10, call_id=call_id)


async def test_an_edge_that_stops_does_not_wait_for_its_pages(database: Database, bus: Bus, redis: Redis) -> None:
    started = 0.0
    async with open_counter(database, bus, redis) as counter:
        page = await counter.customer(await counter.add_visit())
        await page.ask("call.snapshot")
        gone = asyncio.Event()
        page.client._socket.on("disconnect", gone.set, namespace="/customer")
        counter._pages.clear()
        started = time.monotonic()
    assert time.monotonic() - started < 5
    async with asyncio.timeout(5):
        await gone.wait()
    await page.client.close()
