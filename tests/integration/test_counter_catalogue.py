"""Forms filled in before the call, and flows edited by the bank: checked, versioned, no code needed."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from business import FORMS, MASTER_KEY, Desk, build_room, open_desk
from PIL import Image
from redis.asyncio import Redis
from sqlmodel import select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import Appointment, AuditEntry, Prefill
from core.rate_limit import RateLimiter
from core.security.actor import staff_actor
from core.security.sealing import Sealer
from server.counter.flow_desk import FlowDesk
from server.counter.prefill import PrefillDesk
from server.counter.schemas import BusinessFields, BusinessOffer, BusinessOfferRequest, FlowRequest

ADMIN = staff_actor("staff_admin", ["admin"])


def files_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def photo() -> bytes:
    """A picture that may be kept."""
    buffer = io.BytesIO()
    Image.effect_noise((400, 300), 40).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
async def desk(database: Database, bus: Bus, redis: Redis, tmp_path: Path) -> Desk:
    return await open_desk(database, build_room(database, bus, redis, tmp_path))


async def refusal(call: Any) -> str:
    with pytest.raises(CounterError) as refused:
        await call
    return refused.value.code


async def test_what_was_filled_in_while_waiting_is_loaded_once(desk: Desk, redis: Redis) -> None:
    prefill = PrefillDesk(desk.database, RateLimiter(redis), Sealer(MASTER_KEY))
    assert (await prefill.form(desk.customer)).values == {}
    assert await refusal(prefill.fill(desk.customer, {**FORMS["transfer"], "amount": -5})) == "fields.invalid"
    await prefill.fill(desk.customer, {**FORMS["transfer"], "payee_name": "李花"})
    await prefill.fill(desk.customer, FORMS["transfer"])
    async with desk.database.read() as session:
        row = (await session.scalars(select(Prefill))).one()
        assert row.sealed is not None
        assert "李华".encode() not in row.sealed
    case = await desk.start("transfer")
    form = case.steps[0].details
    assert (form["prefilled"], form["submitted"], form["values"]) == (True, True, FORMS["transfer"])
    await desk.act("teller", "form", "fill", values={**FORMS["transfer"], "payee_name": "李华华"})
    assert (await desk.step("form", "customer")).details["changes"][0]["to"] == "李华华"
    await desk.cases.cancel(desk.teller, case.case_id, (await desk.seen("teller")).version, "重来")
    assert not (await desk.start("transfer")).steps[0].details["prefilled"]


async def test_a_link_works_once_and_for_its_business(desk: Desk, redis: Redis) -> None:
    prefill = PrefillDesk(desk.database, RateLimiter(redis), Sealer(MASTER_KEY))
    link = await prefill.link("transfer", "192.0.2.1")
    assert link.path.endswith(link.token)
    assert link.qr_svg.startswith("<svg")
    assert await refusal(prefill.link("inquiry", "192.0.2.1")) == "prefill.none"
    assert await refusal(prefill.link("magic", "192.0.2.1")) == "business.not_found"
    other = await prefill.link("account_opening", "192.0.2.1")
    assert await refusal(prefill.claim(desk.customer, other.token)) == "prefill.not_found"
    assert await refusal(prefill.claim(desk.customer, "x" * 40)) == "prefill.not_found"
    await prefill.claim(desk.customer, link.token)
    assert await refusal(prefill.claim(desk.customer, link.token)) == "prefill.not_found"
    await prefill.fill(desk.customer, FORMS["transfer"])
    assert (await desk.start("transfer")).steps[0].details["prefilled"]


async def test_a_new_business_needs_no_code(desk: Desk) -> None:
    flows = FlowDesk(desk.database, desk.cases.engine.kinds)
    seen = await flows.view("transfer")
    business = BusinessFields(
        name_zh="换零钱", name_en="Change", hint_zh="换", hint_en="Change", skill_group="personal",
        recording_required=True, enabled=True,
    )  # fmt: skip
    text = seen.text.replace("code: transfer", "code: small_change")
    for wrong, what in (
        (text.replace("kind: fee", "kind: magic"), "magic"),
        (text.replace("key: fee", "key: form"), "unique"),
        (text.replace("time_limit_s: 900", "time_limit_s: 1"), "time_limit_s"),
        (text.replace("per_million: 200", "per_million: -1"), "per_million"),
        (text.replace("doer: customer", "doer: system"), "system"),
        (seen.text, "another business"),
        ("a: [", "YAML"),
        ("7", "dictionary"),
    ):
        problems = flows.check("small_change", wrong).problems
        assert what in " ".join(problems) or (what == "YAML" and problems), (what, problems)
        request = FlowRequest(business=business, text=wrong, note="新", based_on=0)
        assert await refusal(flows.save(ADMIN, "small_change", request)) == "flow.invalid"
    assert flows.check("small_change", text).problems == []
    saved = await flows.save(ADMIN, "small_change", FlowRequest(business=business, text=text, note="新", based_on=0))
    assert (saved.version, saved.text) == (1, text)
    stale = FlowRequest(business=business, text=text, note="再", based_on=0)
    assert await refusal(flows.save(ADMIN, "small_change", stale)) == "flow.stale"
    assert (await desk.start("small_change")).name_zh == "换零钱"
    off = business.model_copy(update={"enabled": False})
    later = text.replace("per_million: 200", "per_million: 300")
    await flows.save(ADMIN, "small_change", FlowRequest(business=off, text=later, note="停", based_on=1))
    assert (await desk.seen("teller")).flow_version == 1
    case = await desk.seen("teller")
    await desk.cases.cancel(desk.teller, case.case_id, case.version, "停")
    assert await refusal(desk.start("small_change")) == "business.not_found"
    assert {row.code: row.versions for row in await flows.rows()}["small_change"] == 2
    async with desk.database.read() as session:
        actions = (await session.scalars(select(AuditEntry.action))).all()
    assert actions.count("flow.save") == 2


async def test_a_business_is_offered_or_not_without_a_new_version(desk: Desk) -> None:
    flows = FlowDesk(desk.database, desk.cases.engine.kinds)
    was = BusinessOffer(enabled=True, skill_group="personal")
    off = BusinessOfferRequest(enabled=False, skill_group="personal", seen=was)
    nobody = BusinessOfferRequest(enabled=True, skill_group="nobody", seen=was)
    assert await refusal(flows.offer(ADMIN, "transfer", nobody)) == "group.not_found"
    assert await refusal(flows.offer(ADMIN, "magic", off)) == "business.not_found"
    assert not (await flows.offer(ADMIN, "transfer", off)).enabled
    assert await refusal(flows.offer(ADMIN, "transfer", off)) == "business.stale"
    assert await refusal(desk.start("transfer")) == "business.not_found"
    assert {row.code: row.versions for row in await flows.rows()}["transfer"] == 1
    async with desk.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "business.offer"))).one()
    assert (entry.detail["before"], entry.detail["after"]) == (was.model_dump(), off.model_dump(exclude={"seen"}))


async def test_files_of_a_booking_are_for_its_teller_alone_and_become_the_cases(
    database: Database, bus: Bus, redis: Redis, tmp_path: Path
) -> None:
    desk = await open_desk(database, build_room(database, bus, redis, tmp_path), "account_opening")
    early, picture = desk.room.early, photo()
    now = database.clock.now()
    booked = Appointment(
        id="appointment_1", code="12345678", business_code="account_opening", starts_at=now, ends_at=now,
        language="zh-CN", contact=b"sealed", contact_masked="138****8000", state="booked", created_at=now,
    )  # fmt: skip
    async with database.transaction() as session:
        session.add(booked)
    papers = await early.papers("12345678", "192.0.2.1")
    wanted = papers.wanted[0].code
    assert await refusal(early.papers("87654321", "192.0.2.1")) == "appointment.not_found"
    for code, content, kind, why in (
        ("magic", picture, "image/jpeg", "document.unknown"),
        (wanted, b"", "image/jpeg", "document.empty"),
        (wanted, b"<html>", "image/jpeg", "document.type"),
    ):
        assert await refusal(early.hand_in("12345678", code, content, kind, "192.0.2.1")) == why
    await early.hand_in("12345678", wanted, picture, "image/jpeg", "192.0.2.1")
    kept = await early.hand_in("12345678", wanted, picture, "image/jpeg", "192.0.2.1")
    assert [each.id for each in (await early.papers("12345678", "192.0.2.1")).documents] == [kept.id], "the newer one"
    stored = files_in(tmp_path)
    assert len(stored) == 2, "a file and its thumbnail; the older ones are gone"
    assert all(picture[:64] not in each for each in stored)
    assert await early.of_call(desk.teller, desk.call.id) == [], "nobody has checked in"
    assert await refusal(early.open(desk.teller, kept.id, small=False)) == "document.not_found"
    async with database.transaction() as session:
        row = await session.get_one(Appointment, "appointment_1")
        row.state, row.visit_id = "checked_in", desk.call.visit_id
    assert await refusal(early.hand_in("12345678", wanted, picture, "image/jpeg", "192.0.2.1")) == "appointment.over"
    stranger = staff_actor("staff_other", ["teller"])
    assert await refusal(early.of_call(stranger, desk.call.id)) == "call.not_found"
    assert await refusal(early.open(stranger, kept.id, small=True)) == "document.not_found"
    assert [each.taken for each in await early.of_call(desk.teller, desk.call.id)] == [False]
    assert await early.open(desk.teller, kept.id, small=False) == (picture, "image/jpeg")
    case = await desk.start("account_opening")
    assert await refusal(early.take(desk.teller, kept.id, case.case_id, "documents")) == "step.not_open"
    async with database.read() as session:
        looked = select(AuditEntry).where(AuditEntry.action == "document.view", AuditEntry.object_id == kept.id)
        assert len((await session.scalars(looked)).all()) == 1
    async with database.transaction() as session:
        (await session.get_one(Appointment, "appointment_1")).ends_at = now - timedelta(days=8)
    assert (await early.purge(), await early.purge()) == (1, 0)
    assert files_in(tmp_path) == []
