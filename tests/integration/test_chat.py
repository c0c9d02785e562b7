"""Chat while waiting and in the call: text and pictures, for the two parties alone, sealed at rest."""

import asyncio
import io
from collections.abc import Awaitable

import pytest
from counter import open_counter, recording_consent
from PIL import Image
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import BadInputError, ConflictError, CounterError, NotFoundError
from core.models import ChatMessage, OutboxEvent
from core.security.actor import customer_actor, staff_actor
from server.chat.schemas import MAX_IMAGE_B, ChatTextRequest


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    return buffer.getvalue()


async def test_both_sides_write_and_nobody_else_reads(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        visit_id = await counter.add_visit()
        page = await counter.customer(visit_id)
        call_id = (await page.ask("queue.join"))["call"]["call_id"]
        customer, chat = customer_actor(visit_id), counter.chat
        said = ChatTextRequest(client_id="client-1", text="  我的卡丢了 ")
        first = await chat.send_text(customer, call_id, said)
        again = await chat.send_text(customer, call_id, said)
        assert (first.id, first.text) == (again.id, "我的卡丢了"), "sent twice is one message"
        await page.see("chat.message", id=first.id)
        teller = await counter.teller("chen")
        chen = staff_actor("staff_chen", ["teller"])
        ring = await teller.see("offer.ring", call_id=call_id)
        with pytest.raises(NotFoundError):
            await chat.messages(chen, call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        assert [m.text for m in await chat.messages(chen, call_id)] == ["我的卡丢了"], "what was written while waiting"
        data = png()
        shown = await chat.send_image(chen, call_id, "client-2", data)
        assert (shown.party, shown.kind, shown.width, shown.height) == ("teller", "image", 64, 48)
        seen = await page.see("chat.message", id=shown.id)
        assert seen["kind"] == "image"
        assert await chat.image(customer, shown.id) == ("image/png", data)
        async with database.read() as session:
            row = await session.get_one(ChatMessage, shown.id)
            facts = (await session.scalars(select(OutboxEvent).where(col(OutboxEvent.type) == "ChatMessageSent"))).all()
        stored = await counter.store.get(row.object_key or "")
        assert data not in stored
        assert b"PNG" not in stored
        assert len(facts) == 2
        assert all("卡" not in fact.payload for fact in facts), "facts carry no words of customers"
        for stranger in (staff_actor("staff_other", ["teller"]), customer_actor(await counter.add_visit())):
            with pytest.raises(NotFoundError):
                await chat.image(stranger, shown.id)
            with pytest.raises(NotFoundError):
                await chat.send_text(stranger, call_id, said)
        await teller.ask("call.hangup", call_id=call_id)
        with pytest.raises(ConflictError) as over:
            await chat.send_text(customer, call_id, ChatTextRequest(client_id="client-3", text="喂"))
        assert over.value.code == "chat.closed"
        assert len(await chat.messages(customer, call_id)) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "chat.not_an_image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "chat.not_an_image"),
        (png()[:-40], "chat.not_an_image"),
        (b"GIF89a" + bytes(100), "chat.not_an_image"),
        (bytes(MAX_IMAGE_B + 1), "chat.image_too_large"),
    ],
)
async def test_what_is_no_picture_is_refused(
    database: Database, bus: Bus, redis: Redis, data: bytes, code: str
) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        with pytest.raises(BadInputError) as refused:
            await counter.chat.send_image(customer_actor("visit_x"), "call_x", "client-1", data)
        assert refused.value.code == code


async def refusal(asked: Awaitable[object]) -> str:
    with pytest.raises(CounterError) as error:
        await asked
    return error.value.code


async def test_a_consultation_in_writing_needs_no_media_and_no_consent_and_goes_on_by_video_with_both(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis, rejoin_s=1.0) as counter:
        visit_id = await counter.add_visit(consent=False)
        page = await counter.customer(visit_id)
        assert await refusal(page.ask("queue.join")) == "consent.required"
        call_id = (await page.ask("queue.join", channel="text"))["call"]["call_id"]
        assert await refusal(page.ask("media.join")) == "call.text_only"
        teller = await counter.teller("chen")
        ring = await teller.see("offer.ring", call_id=call_id, channel="text")
        assert await refusal(teller.ask("media.join", call_id=call_id)) == "call.text_only"
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        await page.see("call.state", state="connected", channel="text")
        for asked in (
            teller.ask("call.hold", call_id=call_id, on=True),
            teller.ask("media.share", call_id=call_id, on=True),
            teller.ask("call.invite", call_id=call_id, staff_id="staff_li", purpose="expert"),
        ):
            assert await refusal(asked) == "call.text_only"
        customer, chen = customer_actor(visit_id), staff_actor("staff_chen", ["teller"])
        await counter.chat.send_text(customer, call_id, ChatTextRequest(client_id="client-1", text="网点几点开门？"))
        await counter.chat.send_text(chen, call_id, ChatTextRequest(client_id="client-1", text="九点。"))
        await asyncio.sleep(1.5)  # longer than a seat without media is kept
        await counter.calls.keeper.sweep()
        assert (await counter.call(call_id)).state == "connected", "nobody waits for media in it"
        assert await counter.calls.service.close_orphans([], database.clock.now()) == [], "it is on no media node"
        await teller.ask("text.ask_video", call_id=call_id)
        await page.see("call.state", video_asked=True)
        await page.ask("text.decline")
        await teller.see("call.state", video_asked=False)
        assert await refusal(page.ask("text.video")) == "consent.required"
        assert [entry for entry in counter.media.log if entry[0] == "activate"] == []
        async with database.transaction() as session:
            session.add(recording_consent(visit_id, database.clock.now()))
        await page.ask("text.video")
        await counter.media.wait_for("activate", call_id)
        await teller.see("call.state", state="accepted", channel="video")
        assert await refusal(teller.ask("text.ask_video", call_id=call_id)) == "call.not_text"
        await page.ask("media.join")
        await counter.hang_together(call_id, "customer", "teller")
        await page.see("call.state", state="connected", channel="video")
        assert [m.text for m in await counter.chat.messages(chen, call_id)] == ["网点几点开门？", "九点。"]


async def test_a_writer_who_is_gone_for_good_ends_the_consultation(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, rejoin_s=0.3) as counter:
        teller = await counter.teller("chen")
        page = await counter.customer(await counter.add_visit(consent=False))
        call_id = (await page.ask("queue.join", channel="text"))["call"]["call_id"]
        ring = await teller.see("offer.ring", call_id=call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        await page.see("call.state", state="connected")
        await page.client.close()
        ended = await teller.see("call.state", 8, state="wrap_up")
        assert ended["end_reason"] == "customer_lost"
        call = await counter.call(call_id)
        assert call.ended_at is not None
        assert call.connected_at is not None
        kept_s = (call.ended_at - call.connected_at).total_seconds()
        assert kept_s >= 1.5, "a phone that shows another application for a moment is no lost customer"
