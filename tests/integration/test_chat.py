"""Chat while waiting and in the call: text and pictures, for the two parties alone, sealed at rest."""

import io

import pytest
from counter import open_counter
from PIL import Image
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import BadInputError, ConflictError, NotFoundError
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
