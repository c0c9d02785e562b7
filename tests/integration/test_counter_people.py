"""More than one person: guardians who sign too, words typed in the chat, reviewers who look at documents."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from business import MASTER_KEY
from id_cards import jpeg
from money_house import MoneyHouse, money_house
from PIL import Image
from redis.asyncio import Redis
from test_counter_transfer import refused, rows

from core.bus import Bus
from core.db import Database
from core.events import ChatMessageSent
from core.models import AuditEntry, CaseDocument, FraudAlert, Signature, SignedDocument
from core.models.chat import ChatMessage
from core.security.actor import system_actor
from server.counter.documents.shelf import DocumentShelf
from server.counter.fraud.watch import FraudWatch
from server.counter.signing.pades import verify_pdf


@pytest.fixture
async def house(
    database: Database, database_url: str, bus: Bus, redis: Redis, tmp_path: Path
) -> AsyncIterator[MoneyHouse]:
    async with money_house(database, database_url, bus, redis, tmp_path) as opened:
        yield opened


async def test_a_minor_signs_together_with_the_guardian(house: MoneyHouse) -> None:
    desk = house.desk
    await desk.start("transfer")
    async with house.database.unit_of_work(system_actor("test")) as work:
        case = await desk.cases.engine.book.load(work.session, (await desk.seen("teller")).case_id, lock=True)
        case.data["customer_class"] = "minor"
        desk.cases.engine.book.seal(case)
    await house.to_signature(start=False)
    assert (await desk.step("sign", "customer")).details["turn"] == "customer"
    await desk.act("customer", "sign", "sign", **await house.signature())
    assert (await desk.step("sign", "customer")).details["turn"] == "guardian"
    unnamed = await house.signature(role="guardian")
    assert await refused(desk.act("customer", "sign", "sign", **unnamed)) == "sign.name_missing"
    again = await house.signature()
    assert await refused(desk.act("customer", "sign", "sign", **again)) == "sign.not_your_turn"
    await desk.act("customer", "sign", "sign", **await house.signature(role="guardian", name="王大明"))
    await house.pump()
    (document,), signatures = await rows(house, SignedDocument), await rows(house, Signature)
    assert (document.state, sorted(row.role for row in signatures)) == ("sealed", ["customer", "guardian"])
    sealed = await house.documents.own_document(desk.customer, document.id)
    reason = (await asyncio.to_thread(verify_pdf, sealed, house.documents.seal.certificate_der)).reason
    assert all(row.ink_sha256 in reason for row in signatures)


async def test_words_typed_in_the_chat_raise_an_alert_once(house: MoneyHouse) -> None:
    call_id = house.desk.call.id
    watch = FraudWatch(house.database, house.connections.bus)
    for number, (party, text) in enumerate(
        [("customer", "对方让我把钱转到安全账户"), ("teller", "安全账户都是骗局"), ("customer", "谢谢")]
    ):
        async with house.database.unit_of_work(system_actor("test")) as work:
            message = ChatMessage(
                id=f"msg_{number}",
                call_id=call_id,
                party=party,
                sender=party,
                client_id=str(number),
                kind="text",
                text=text,
                at=work.clock.now(),
            )
            work.session.add(message)
        event = ChatMessageSent(
            at=house.database.clock.now(), call_id=call_id, message_id=f"msg_{number}", party=party, kind="text"
        )
        await watch.chatted(event)
        await watch.chatted(event)  # told twice
    (alert,) = await rows(house, FraudAlert)
    assert (alert.call_id, alert.state, len(alert.signs)) == (call_id, "open", 1)
    assert alert.signs[0]["source"] == "chat"


async def test_a_reviewer_sees_the_documents_and_nobody_else_does(house: MoneyHouse) -> None:
    review_id = await house.to_review()
    content = jpeg(Image.new("RGB", (400, 300), "white"))
    shelf = DocumentShelf(house.connections.store, MASTER_KEY)
    stored = await shelf.put(content, await shelf.look(content, "image/jpeg"))
    case_id = (await house.desk.seen("teller")).case_id
    async with house.database.unit_of_work(system_actor("test")) as work:
        work.session.add(
            CaseDocument(
                **stored,
                case_id=case_id,
                call_id=house.desk.call.id,
                step_key="identity",
                code="id_front",
                state="uploaded",
                source="camera",
                by="test",
                created_at=work.clock.now(),
            )
        )
    boss, document_id = await house.supervisor(2), stored["id"]
    assert await house.reviews.document(boss, review_id, document_id, small=False) == (content, "image/jpeg")
    small, kind = await house.reviews.document(boss, review_id, document_id, small=True)
    assert (kind, len(small) < len(content)) == ("image/jpeg", True)
    assert await refused(house.reviews.document(boss, review_id, "doc_unknown", small=False)) == "document.not_found"
    assert await refused(house.reviews.document(boss, "review_unknown", document_id, small=False)) == "review.not_found"
    assert (
        await refused(house.reviews.document(house.desk.teller, review_id, document_id, small=False))
        == "review.own_work"
    )
    assert (
        await refused(house.reviews.document(await house.supervisor(1), review_id, document_id, small=False))
        == "review.level"
    )
    looked = [row for row in await rows(house, AuditEntry) if row.action == "document.view"]
    assert [row.detail["review"] for row in looked] == [review_id]
