"""Two dispatchers on one queue: the one without the lease does nothing, and when the other dies nothing is lost."""

import asyncio
from collections import Counter as Tally

import pytest
from counter import compose, open_counter
from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import CallOffer, OutboxEvent, Staff
from core.settings import Settings
from server.acd import lease as lease_module


async def test_a_dispatcher_that_dies_loses_no_call_and_doubles_no_offer(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        other = compose(database, bus, redis, Settings())
        await other.acd.start()
        try:
            pages = [await counter.customer(await counter.add_visit()) for _ in range(4)]
            calls = [(await page.ask("queue.join"))["call"]["call_id"] for page in pages]
            first = await counter.teller("chen")
            ring = await first.see("offer.ring", call_id=calls[0])
            # The process that rang is gone without giving its lease back; the lease runs out by itself.
            await counter.acd.dispatcher._owner.close()
            await redis.delete("lease:dispatcher")
            tellers = [await counter.teller(name) for name in ("wang", "li", "zhou")]
            for page, call_id in zip(tellers, calls[1:], strict=True):
                await page.see("offer.ring", timeout_s=15, call_id=call_id)
            await first.ask("offer.accept", offer_id=ring["offer_id"])
        finally:
            await other.acd.close()
            await other.calls.service.close()
    async with database.read() as session:
        offers = (await session.scalars(select(CallOffer))).all()
        facts = (await session.scalars(select(OutboxEvent.type))).all()
    assert Tally(offer.call_id for offer in offers) == Tally(calls), "each call rang once"
    assert len({offer.teller_id for offer in offers}) == len(offers)
    assert facts.count("CallOffered") == len(calls)


async def test_both_deciding_at_once_still_offers_each_call_once(database: Database, bus: Bus, redis: Redis) -> None:
    """As if both believed to hold the lease: compare-and-set on the rows lets one of them through."""
    async with open_counter(database, bus, redis, started=False) as counter:
        other = compose(database, bus, redis, Settings())
        assert lease_module.RENEW_S < lease_module.LEASE_S
        pages = [await counter.customer(await counter.add_visit()) for _ in range(3)]
        calls = [(await page.ask("queue.join"))["call"]["call_id"] for page in pages]
        for name in ("chen", "wang", "li"):
            await counter.teller(name)
        rung = await asyncio.gather(
            counter.acd.dispatcher.dispatch(), other.acd.dispatcher.dispatch(), counter.acd.dispatcher.dispatch()
        )
        assert sum(rung) == 3
        await other.calls.service.close()
    async with database.read() as session:
        offers = (await session.scalars(select(CallOffer))).all()
    assert sorted(offer.call_id for offer in offers) == sorted(calls)
    assert len({offer.teller_id for offer in offers}) == 3


async def test_nobody_is_rung_without_the_certificate(database: Database, bus: Bus, redis: Redis) -> None:
    """Neither who asks to be ready without it, nor who loses it while ready."""
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        novice = await counter.teller("gao", ready=False)
        async with database.transaction() as session:
            await session.execute(update(Staff).values(may_take_calls=False))
        with pytest.raises(CounterError) as refused:
            await novice.ask("presence.set", state="ready", reason="")
        assert refused.value.code == "presence.not_certified"
        assert (await novice.ask("presence.get"))["presence"]["state"] == "offline"
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        await counter.acd.dispatcher.dispatch()
        assert (await counter.call(call_id)).state == "queued"
        assert not [name for name, _ in teller.pushed if name == "offer.ring"]
        async with database.transaction() as session:
            await session.execute(update(Staff).values(may_take_calls=True))
        await counter.acd.dispatcher.dispatch()
        await teller.see("offer.ring", call_id=call_id)
