"""Snapshot + pushes == a fresh snapshot: for the customer's, the teller's and the supervisor's view of a call."""

import asyncio
from typing import Any

import pytest
from counter import Page, open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database


async def converges(page: Page, push: str, ask: str, field: str) -> None:
    """Until the last push is what a fresh snapshot says."""
    async with asyncio.timeout(20):
        while True:
            fresh: Any = (await page.ask(ask))[field]
            fresh = fresh[0] if isinstance(fresh, list) and fresh else fresh
            told = [payload for name, payload in page.pushed if name == push]
            if told and told[-1] == fresh:
                return
            await asyncio.sleep(0.05)


async def test_every_view_converges_after_every_step(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        ahead = await counter.customer(await counter.add_visit())
        await ahead.ask("queue.join")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        await customer.ask("queue.help")
        await converges(customer, "call.state", "call.snapshot", "call")
        await converges(ahead, "call.state", "call.snapshot", "call")
        teller = await counter.teller("chen")
        ring = await teller.see("offer.ring", call_id=call_id)
        assert (await teller.ask("presence.get"))["offer"] == ring
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        await counter.hang_together(call_id, "customer", "teller")
        await customer.see("call.state", state="connected")
        boss = await counter.staff(await counter.add_staff("zhao", ["supervisor"]))
        place = (await boss.ask("call.oversee", call_id=call_id))["guest"]["guest_id"]
        await boss.ask("guest.media", guest_id=place)
        for step in (
            lambda: boss.ask("oversee.mode", guest_id=place, mode="barge"),
            lambda: teller.ask("call.hold", call_id=call_id, on=True),
            lambda: teller.ask("call.hold", call_id=call_id, on=False),
            lambda: boss.ask("oversee.mode", guest_id=place, mode="whisper"),
        ):
            await step()
            await converges(customer, "call.state", "call.snapshot", "call")
            await converges(teller, "call.state", "presence.get", "call")
            await converges(boss, "guest.state", "guest.get", "guests")
        await teller.ask("call.transfer", call_id=call_id, kind="return", note="稍后再办")
        await converges(customer, "call.state", "call.snapshot", "call")
        await converges(teller, "presence", "presence.get", "presence")
        await converges(ahead, "call.state", "call.snapshot", "call")


async def broken(redis: Redis) -> None:
    """The broker drops every subscription, as it does when it starts anew; what is told meanwhile is lost."""
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


async def test_customers_and_tellers_converge_after_the_broker_broke_off_in_the_middle(
    database: Database, bus: Bus, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.pusher.CATCH_UP_S", 0.3)
    async with open_counter(database, bus, redis) as counter:
        behind = await counter.customer(await counter.add_visit())
        teller = await counter.teller("chen", ready=False)
        ahead = await counter.customer(await counter.add_visit())
        await teller.ask("presence.set", state="break", reason="")
        await ahead.ask("queue.join")
        await behind.ask("queue.join")
        for step in (
            lambda: ahead.ask("queue.leave", reason="not_ready"),
            lambda: teller.ask("presence.set", state="ready", reason=""),
            lambda: behind.ask("queue.help"),
        ):
            await broken(redis)
            await step()
            await converges(behind, "call.state", "call.snapshot", "call")
            await converges(teller, "presence", "presence.get", "presence")
