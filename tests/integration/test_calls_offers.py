"""Offers that are declined, missed, withdrawn or taken twice."""

import asyncio

import pytest
from counter import Counter, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import CallOffer


async def outcomes(counter: Counter, call_id: str) -> list[tuple[str, str | None]]:
    async with counter.database.read() as session:
        query = select(CallOffer).where(col(CallOffer.call_id) == call_id).order_by(col(CallOffer.offered_at))
        return [(offer.teller_id, offer.outcome) for offer in (await session.scalars(query)).all()]


async def test_a_declined_call_rings_at_the_next_teller(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        first = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        ring = await first.see("offer.ring")
        warm = await first.ask("media.join", call_id=call_id)
        second = await counter.teller("wang")
        await first.ask("offer.decline", offer_id=ring["offer_id"])
        await first.see("offer.end", offer_id=ring["offer_id"], outcome="declined")
        again = await second.see("offer.ring", call_id=call_id)
        assert again["offer_id"] != ring["offer_id"]
        # What the first teller warmed up may not stay in the teller's seat.
        await counter.media.wait_for("close_peer", call_id, warm["peer_id"])
        with pytest.raises(CounterError, match="no such call"):
            await first.ask("media.join", call_id=call_id)
        assert await outcomes(counter, call_id) == [("staff_chen", "declined"), ("staff_wang", None)]


async def test_missed_offers_lapse_and_end_in_a_break(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, ring_s=0.2) as counter:
        sleepy = await counter.teller("chen")
        for missed in range(1, 4):
            customer = await counter.customer(await counter.add_visit())
            call_id = (await customer.ask("queue.join"))["call"]["call_id"]
            await sleepy.see("offer.ring", call_id=call_id)
            await customer.see("call.state", state="offered")
            await sleepy.see("presence", missed_offers=missed)
            await customer.ask("queue.leave")
        shown = (await sleepy.ask("presence.get"))["presence"]
        assert (shown["state"], shown["reason"], shown["missed_offers"]) == ("break", "missed_offers", 3)
        assert (await outcomes(counter, call_id))[0] == ("staff_chen", "timeout")
        back = (await sleepy.ask("presence.set", state="ready", reason=""))["presence"]
        assert (back["state"], back["missed_offers"]) == ("ready", 0)


async def test_of_two_acceptances_one_wins(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        other = await counter.teller("wang", ready=False)
        second_tab = await counter.staff("staff_chen")
        customer = await counter.customer(await counter.add_visit())
        await customer.ask("queue.join")
        offer_id = (await teller.see("offer.ring"))["offer_id"]
        with pytest.raises(CounterError, match="has ended") as stolen:
            await other.ask("offer.accept", offer_id=offer_id)
        assert stolen.value.code == "offer.gone"
        answers = await asyncio.gather(
            teller.ask("offer.accept", offer_id=offer_id),
            second_tab.ask("offer.accept", offer_id=offer_id),
            return_exceptions=True,
        )
        errors = [answer for answer in answers if isinstance(answer, CounterError)]
        assert [error.code for error in errors] == ["offer.gone"]
        with pytest.raises(CounterError) as late:
            await teller.ask("offer.decline", offer_id=offer_id)
        assert late.value.code == "offer.gone"
        assert counter.media.log.count(("activate", (await teller.ask("presence.get"))["call"]["call_id"])) == 1


async def test_leaving_while_it_rings_withdraws_the_offer(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        offer_id = (await teller.see("offer.ring"))["offer_id"]
        await customer.ask("queue.leave")
        await teller.see("offer.end", offer_id=offer_id, outcome="withdrawn")
        with pytest.raises(CounterError) as gone:
            await teller.ask("offer.accept", offer_id=offer_id)
        assert gone.value.code == "offer.gone"
        row = await counter.call(call_id)
        assert (row.state, row.end_reason, row.teller_id) == ("closed", "customer_left_queue", None)
        assert (await teller.ask("presence.get"))["presence"]["state"] == "ready"
        with pytest.raises(CounterError) as twice:
            await customer.ask("queue.leave")
        assert twice.value.code == "call.none"


async def test_presence_while_busy(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        await teller.see("offer.ring")
        paused = await teller.ask("presence.set", state="break", reason="lunch")
        assert (paused["presence"]["state"], paused["presence"]["reason"]) == ("break", "lunch")
        assert await outcomes(counter, call_id) == [("staff_chen", "declined")]
        await customer.see("call.state", state="queued", position=1)
        second = await counter.teller("wang")
        offer = await second.see("offer.ring")
        await second.ask("offer.accept", offer_id=offer["offer_id"])
        with pytest.raises(CounterError) as busy:
            await second.ask("presence.set", state="offline", reason="")
        assert busy.value.code == "presence.in_call"
        await second.ask("call.hangup", call_id=call_id)
        away = await second.ask("presence.set", state="break", reason="")
        assert away["presence"]["state"] == "break"
        row = await counter.call(call_id)
        assert (row.state, row.disposition, row.end_reason) == ("closed", "unspecified", "teller_hung_up")
        # The clock was faster than the teller: the word still counts.
        await second.ask("call.wrapup", call_id=call_id, disposition="follow_up", note="later")
        assert (await counter.call(call_id)).disposition == "follow_up"
        with pytest.raises(CounterError) as late:
            await second.ask("call.wrapup", call_id=call_id, disposition="refused", note="")
        assert late.value.code == "call.not_in_wrap_up"


async def test_longest_idle_teller_and_only_reachable_ones(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        gone = await counter.teller("chen")
        idle = await counter.teller("wang")
        other_skill = await counter.teller("zhao", groups=["desk"])
        await gone.client.close()
        while await counter.connections.online_staff({"staff_chen"}):
            await asyncio.sleep(0.02)
        customer = await counter.customer(await counter.add_visit())
        await customer.ask("queue.join")
        await idle.see("offer.ring")
        assert not other_skill.pushed or all(name != "offer.ring" for name, _ in other_skill.pushed)


async def test_positions_move_up(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        pages = [await counter.customer(await counter.add_visit()) for _ in range(3)]
        for place, page in enumerate(pages, 1):
            joined = (await page.ask("queue.join"))["call"]
            assert (joined["position"], joined["wait_low_s"], joined["wait_high_s"]) == (place, None, None)
        assert (await pages[0].ask("queue.join"))["call"]["number"] == 1
        await pages[0].ask("queue.leave")
        await pages[1].see("call.state", position=1)
        await pages[2].see("call.state", position=2)
        teller = await counter.teller("chen")
        await teller.see("offer.ring")
        moved = await pages[2].see("call.state", position=2, wait_low_s=0)
        assert moved["wait_high_s"] >= 20
