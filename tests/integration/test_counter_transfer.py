"""A transfer of 80 000 from the form to the voucher: signed, reviewed, booked once; stopped by fraud; no bypass."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from call_rows import CallRows
from money_house import FORM, MoneyHouse, money_house
from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import (
    FraudAlert,
    NoticeMessage,
    Posting,
    ReviewRequest,
    Signature,
    SignedDocument,
    Voucher,
)
from core.security.actor import Actor, customer_actor, staff_actor
from server.counter.fraud.desk import FraudDesk
from server.counter.fraud.rules import signs_in
from server.counter.fraud.schemas import FraudAssessRequest, FraudDecisionRequest, FraudRaiseRequest
from server.counter.fraud.watch import FraudWatch
from server.counter.notices.outbox import NoticeOutbox
from server.counter.review.schemas import ReviewDecisionRequest
from server.counter.signing.pades import verify_pdf

REASON = "已核对身份、金额与用途，客户本人自愿办理"


@pytest.fixture
async def house(
    database: Database, database_url: str, bus: Bus, redis: Redis, tmp_path: Path
) -> AsyncIterator[MoneyHouse]:
    async with money_house(database, database_url, bus, redis, tmp_path) as opened:
        yield opened


async def refused(awaitable: Any) -> str:
    with pytest.raises(CounterError) as error:
        await awaitable
    return error.value.code


async def decide(house: MoneyHouse, actor: Actor, review_id: str, decision: Any = "approve", **changes: Any) -> Any:
    async with house.database.read() as session:
        row = await session.get_one(ReviewRequest, review_id)
    body = {"case_version": row.case_version, "shown_sha256": row.shown_sha256, "reason": REASON, "decision": decision}
    return await house.reviews.decide(actor, review_id, ReviewDecisionRequest.model_validate(body | changes))


async def rows(house: MoneyHouse, model: Any) -> list[Any]:
    async with house.database.read() as session:
        return list((await session.scalars(select(model))).all())


async def test_from_form_to_voucher(house: MoneyHouse) -> None:
    review_id = await house.to_review()
    boss = await house.supervisor(2)
    detail = await house.reviews.open(boss, review_id)
    assert (detail.level, detail.written_reason) == (2, True)
    assert detail.shown["bank"]["available_fen"] == 100_000_000
    assert detail.shown["questions"]["relation"] == "family"
    assert (await house.reviews.list(boss)).items[0].mine
    await decide(house, boss, review_id)
    await house.pump()
    case = await house.desk.seen("customer")
    assert [(step.key, step.state) for step in case.steps if step.state != "done"] == []
    assert case.state == "done"
    books = await house.simulator.ledger.trial_balance()
    assert (books["balances"][FORM["account"]], books["balances"][FORM["payee_account"]]) == (91_998_400, 8_000_000)
    assert books["held_fen"] == 0
    (voucher,) = await rows(house, Voucher)
    pdf = await house.documents.own_voucher(house.desk.customer, voucher.id)
    assert (await asyncio.to_thread(verify_pdf, pdf, house.documents.seal.certificate_der)).good
    told = await house.documents.verify(voucher.code.lower().replace("-", " "), "127.0.0.1")
    assert (told.kind, told.masked, told.sha256) == ("voucher", "王** 622202*********0123", voucher.sha256)
    assert FORM["account"] not in told.model_dump_json()
    assert [(row.kind, row.state) for row in await rows(house, NoticeMessage)] == [("transfer.done", "sent")]
    other = customer_actor("visit_other")
    assert await refused(house.documents.own_voucher(other, voucher.id)) == "voucher.not_found"
    assert await refused(house.documents.verify("AAAA-BBBB-CCCC", "127.0.0.1")) == "verify.unknown"


async def test_signature_binds_document_ink_consent_and_call(house: MoneyHouse) -> None:
    await house.to_signature()
    for changes, code in (
        ({"document_sha256": "0" * 64}, "sign.other_document"),
        ({"role": "guardian", "name": "王父"}, "sign.not_your_turn"),
        ({"wording_version": "1999"}, "consent.outdated"),
        ({"strokes": [[[0.5, 0.5, 0, 0.5]]]}, "sign.too_little"),
        ({"strokes": [[[5.0, 0.5, 0, 0.5]]]}, "input.invalid"),
        ({"strokes": [[[0.5, 0.5, 0, 0.5]] * 6001]}, "input.invalid"),
    ):
        inputs = await house.signature(**changes)
        assert await refused(house.desk.act("customer", "sign", "sign", **inputs)) == code
    assert await rows(house, Signature) == []
    await house.desk.act("customer", "sign", "sign", **await house.signature())
    await house.pump()
    (document,), (signature,) = await rows(house, SignedDocument), await rows(house, Signature)
    assert (document.state, signature.document_sha256) == ("sealed", document.sha256)
    sealed = await house.documents.own_document(house.desk.customer, document.id)
    certificate = house.documents.seal.certificate_der
    verdict = await asyncio.to_thread(verify_pdf, sealed, certificate)
    assert verdict.good
    for bound in (document.sha256, signature.ink_sha256, signature.consent_id, document.call_id):
        assert bound in verdict.reason
    changed = bytearray(sealed)
    changed[sealed.find(b"stream") + 20] ^= 1
    for file, problem in (
        (bytes(changed), "changed"),
        (sealed[: document.size_b], "not_sealed"),
        (b"not a pdf", "not_pdf"),
        (sealed[:-400], "changed"),
    ):
        assert (await asyncio.to_thread(verify_pdf, file, certificate)).problem == problem


async def test_forged_repeated_stale_and_unauthorised_approvals(house: MoneyHouse) -> None:
    review_id = await house.to_review()
    boss, low = await house.supervisor(3), await house.supervisor(1)
    nobody = staff_actor((await CallRows(house.database).staff("nobody", "supervisor")).id, ["supervisor"])
    teller = staff_actor(house.desk.teller.staff_id or "", ["teller", "supervisor"])
    assert await refused(decide(house, teller, review_id)) == "review.own_work"
    assert await refused(decide(house, low, review_id)) == "review.level"
    assert await refused(decide(house, nobody, review_id)) == "review.level"
    assert await refused(house.reviews.open(low, review_id)) == "review.level"
    assert await refused(decide(house, boss, review_id, shown_sha256="0" * 64)) == "review.other_content"
    assert await refused(decide(house, boss, review_id, case_version=1)) == "review.stale"
    assert await refused(decide(house, boss, review_id, reason="好")) == "review.reason_missing"
    assert await refused(decide(house, boss, review_id, "refuse", reason="")) == "review.reason_missing"
    assert await rows(house, Posting) == []
    await decide(house, boss, review_id)
    assert await refused(decide(house, boss, review_id)) == "review.decided"
    await house.pump()
    assert [row.state for row in await rows(house, Posting)] == ["done"]


async def test_refused_and_returned_and_expired(house: MoneyHouse) -> None:
    review_id = await house.to_review()
    boss = await house.supervisor(3)
    await decide(house, boss, review_id, "return", reason="请与客户再次核对收款人姓名")
    assert (await house.desk.step("review")).reason == "review.returned"
    await house.desk.act("teller", "review", "request")
    await house.pump()
    waiting = [row for row in await rows(house, ReviewRequest) if row.state == "waiting"]
    assert len(waiting) == 1
    past = house.database.clock.now() - timedelta(seconds=1)
    async with house.database.transaction() as session:
        await session.execute(update(ReviewRequest).where(col(ReviewRequest.id) == waiting[0].id).values(due_at=past))
    await house.keeper.sweep()
    assert (await house.desk.step("review")).reason == "review.expired"
    assert await refused(decide(house, boss, waiting[0].id)) == "review.decided"
    await house.desk.act("teller", "review", "request")
    await house.pump()
    last = next(row for row in await rows(house, ReviewRequest) if row.state == "waiting")
    await decide(house, boss, last.id, "refuse", reason="收款账户多次被举报，不予办理")
    await house.pump()
    case = await house.desk.seen("teller")
    assert (case.state, case.end_reason, await rows(house, Posting)) == ("stopped", "review.refused", [])


async def test_danger_words_block_the_booking_until_a_supervisor_decides(house: MoneyHouse) -> None:
    watch = FraudWatch(house.database, house.connections.bus)
    review_id = await house.to_review()
    boss = await house.supervisor(3)
    warning = {
        "rule_id": "danger_words",
        "kind": "danger",
        "label_zh": "风险词",
        "label_en": "Danger word",
        "party": "customer",
        "at_s": 12.5,
        "phrase": "安全账户",
    }
    script = {"kind": "script", "call_id": house.desk.call.id, "warnings": [warning]}
    await watch.heard(script)
    await FraudWatch(house.database, house.connections.bus).heard(script)  # another worker hears the same
    await watch.typed(house.desk.call.id, "customer", "对方让我把钱转到 安 全 账 户")
    (alert,) = await rows(house, FraudAlert)
    assert (alert.state, len(alert.signs), alert.proposal) == ("open", 2, "stop")
    await decide(house, boss, review_id)
    await house.pump()
    assert (await house.desk.step("posting")).reason == "posting.fraud_undecided"
    assert await rows(house, Posting) == []
    engine = house.desk.cases.engine
    desk = FraudDesk(house.database, engine, engine.book, NoticeOutbox(b"m" * 32), {"zh-CN": "热线", "en": "line"})
    teller, call_id = house.desk.teller, house.desk.call.id
    go_on = FraudDecisionRequest(version=alert.version, outcome="continue", reason="客户说明了情况")
    assert await refused(desk.decide(teller, alert.id, go_on)) == "fraud.not_yours"
    stop = {"version": alert.version, "outcome": "stop", "reason": "疑似冒充公检法"}
    assert (
        await refused(desk.decide(teller, alert.id, FraudDecisionRequest.model_validate(stop))) == "fraud.told_missing"
    )
    assessed = await desk.assess(teller, alert.id, FraudAssessRequest(version=alert.version, assessment="客户被误导"))
    assert (assessed.late, assessed.may) == (False, ["delay", "stop", "report"])
    old = FraudDecisionRequest(version=alert.version, outcome="continue", reason="客户说明了情况")
    assert await refused(desk.decide(boss, alert.id, old)) == "fraud.stale"
    go_on = FraudDecisionRequest(version=assessed.version, outcome="continue", reason="已电话核实")
    await desk.decide(boss, alert.id, go_on)
    await house.pump()
    assert (await house.desk.seen("teller")).state == "done"
    assert [row.state for row in await rows(house, Posting)] == ["done"]
    again = FraudRaiseRequest(words="客户神色紧张")
    assert (await desk.raise_by_hand(teller, call_id, again)).state == "open"


async def test_a_stopped_business_ends_and_the_customer_is_told_why_and_where_to_object(house: MoneyHouse) -> None:
    await house.to_signature()
    engine = house.desk.cases.engine
    desk = FraudDesk(house.database, engine, engine.book, NoticeOutbox(b"m" * 32), {"zh-CN": "热线95000", "en": "line"})
    alert = await desk.raise_by_hand(house.desk.teller, house.desk.call.id, FraudRaiseRequest(words="有人在旁指使"))
    told = "您的情况很像冒充公检法的骗局，为保护您的资金先停止办理。"
    stop = {"version": alert.version, "outcome": "stop", "reason": "旁人指使", "told": told}
    await desk.decide(house.desk.teller, alert.id, FraudDecisionRequest.model_validate(stop))
    case = await house.desk.seen("customer")
    assert (case.state, case.end_reason) == ("cancelled", "fraud.stop")
    (notice,) = await rows(house, NoticeMessage)
    assert told in notice.text
    assert "热线95000" in notice.text
    assert await refused(house.desk.act("customer", "sign", "sign", role="customer")) == "case.ended"
    await house.pump()
    assert await rows(house, Posting) == []


async def test_booked_although_the_call_had_ended_is_undone(house: MoneyHouse) -> None:
    review_id = await house.to_review()
    await decide(house, await house.supervisor(3), review_id)  # the posting is stored, no worker has run it
    async with house.database.unit_of_work(house.desk.teller) as work:
        case = await house.desk.cases.engine.book.load(work.session, (await rows(house, Posting))[0].case_id, lock=True)
        await house.desk.cases.engine.give_up(work, case, "case.call_ended", forced=True)
    await house.pump()
    (posting,) = await rows(house, Posting)
    books = await house.simulator.ledger.trial_balance()
    assert (posting.state, posting.reason) == ("rolled_back", "posting.business_over")
    assert (books["balances"][FORM["account"]], books["held_fen"]) == (100_000_000, 0)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("他说要转到安　全·账户", ["safe_account"]),
        ("公 检 法 让我做资金核查", ["safe_account", "authorities"]),
        ("给孩子交学费", []),
    ],
)
def test_words_cannot_be_hidden(text: str, keys: list[str]) -> None:
    assert [sign.key for sign in signs_in(text, "chat", "customer")] == keys
