"""Forms filled in before the call, and flows edited by the bank: checked, versioned, no code needed."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from business import FORMS, MASTER_KEY, Desk, build_room, open_desk
from call_rows import CallRows
from PIL import Image
from redis.asyncio import Redis
from sqlmodel import select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import Appointment, AuditEntry, Prefill
from core.rate_limit import RateLimiter
from core.security.actor import Actor, staff_actor, system_actor
from core.security.sealing import Sealer
from server.counter.catalogue import seed_businesses
from server.counter.changes.desk import ChangeDesk
from server.counter.changes.schemas import ChangeDecisionRequest
from server.counter.changes.subjects import subjects
from server.counter.flow_desk import FlowDesk
from server.counter.flow_store import seed_flows
from server.counter.prefill import PrefillDesk
from server.counter.schemas import BusinessOffer, BusinessOfferRequest, FlowCheckRequest

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
    prefill = PrefillDesk(desk.database, RateLimiter(redis), Sealer(MASTER_KEY), "https://counter.test")
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


async def test_a_form_filled_in_before_the_visit_comes_along_once(desk: Desk, redis: Redis) -> None:
    prefill = PrefillDesk(desk.database, RateLimiter(redis), Sealer(MASTER_KEY), "https://counter.test")
    fields = (await prefill.blank("transfer")).fields
    assert fields is not None
    assert "amount" in [field["key"] for field in fields]
    assert (await prefill.blank("inquiry")).fields is None
    link = await prefill.link("transfer", FORMS["transfer"], "192.0.2.1")
    assert link.url.startswith("https://counter.test/?business=transfer&prefill=")
    assert link.qr_svg.startswith("<svg")
    for code, values, told in (
        ("inquiry", {"topic": "fees"}, "prefill.none"),
        ("magic", FORMS["transfer"], "business.not_found"),
        ("transfer", {**FORMS["transfer"], "amount": -1}, "fields.invalid"),
        ("transfer", {}, "fields.invalid"),
    ):
        assert await refusal(prefill.link(code, values, "192.0.2.1")) == told
    other = await prefill.link("account_opening", FORMS["account_opening"], "192.0.2.1")
    assert await refusal(prefill.claim(desk.customer, other.url.split("prefill=")[1])) == "prefill.not_found"
    assert await refusal(prefill.claim(desk.customer, "x" * 40)) == "prefill.not_found"
    token = link.url.split("prefill=")[1]
    assert (await prefill.claim(desk.customer, token)).values == FORMS["transfer"]
    assert (await prefill.claim(desk.customer, token)).values == FORMS["transfer"]  # the same visit, after a reload
    form = (await desk.start("transfer")).steps[0].details
    assert await refusal(prefill.claim(desk.customer, token)) == "prefill.used"
    assert (form["prefilled"], form["submitted"], form["values"]) == (True, True, FORMS["transfer"])
    corrected = await desk.act("teller", "form", "fill", values={**FORMS["transfer"], "memo": "学费", "amount": 7_000})
    changes = {change["field"]: (change["from"], change["by"]) for change in corrected.steps[0].details["changes"]}
    assert changes == {"amount": (FORMS["transfer"]["amount"], "teller"), "memo": (None, "teller")}
    await desk.room.keeper.forget()
    async with desk.database.unit_of_work(system_actor("test")) as work:
        rows = list((await work.session.scalars(select(Prefill))).all())
        for row in rows:
            row.expires_at = work.clock.now()
    assert len(rows) == 2
    await desk.room.keeper.forget()
    async with desk.database.read() as session:
        assert (await session.scalars(select(Prefill))).all() == []


async def change_house(desk: Desk) -> tuple[ChangeDesk, Actor, Actor]:
    """The desk of changes, an administrator and a supervisor."""
    rows = CallRows(desk.database)
    admin, boss = await rows.staff("changes-admin", "admin"), await rows.staff("changes-boss", "supervisor")
    return (
        ChangeDesk(desk.database, subjects(desk.cases.engine.kinds)),
        staff_actor(admin.id, ["admin"]),
        staff_actor(boss.id, ["supervisor"]),
    )


YES, NO = ChangeDecisionRequest(approve=True), ChangeDecisionRequest(approve=False, note="先不要办理")


async def test_a_new_business_needs_no_code_and_a_second_person(desk: Desk) -> None:
    flows = FlowDesk(desk.database, desk.cases.engine.kinds)
    changes, admin, boss = await change_house(desk)
    flow = {**(await flows.view("transfer")).flow, "code": "small_change"}
    business = {
        "name_zh": "换零钱", "name_en": "Change", "hint_zh": "换", "hint_en": "Change", "skill_group": "personal",
        "recording_required": True, "enabled": True,
    }  # fmt: skip
    content = {"business": business, "flow": flow}
    told = flows.check("small_change", FlowCheckRequest(flow=flow))
    assert (told.problems, flows.check("small_change", FlowCheckRequest(text=told.text)).flow) == ([], flow)
    assert flows.check("small_change", FlowCheckRequest(text="a: [")).problems[0].problem == "yaml"
    assert {kind.name for kind in (await flows.catalogue()).kinds} >= {"form", "posting", "questions", "review", "sign"}

    async def propose(what: dict[str, Any], based_on: int) -> Any:
        return await changes.propose(admin, "flow", "small_change", what, "新", based_on)

    assert await refusal(propose({**content, "flow": {**flow, "steps": flow["steps"][1:]}}, 0)) == "flow.invalid"
    assert await refusal(propose({**content, "business": {**business, "skill_group": "nobody"}}, 0)) == "flow.invalid"
    assert await refusal(propose(content, 7)) == "change.stale"
    both = await asyncio.gather(propose(content, 0), propose(content, 0), return_exceptions=True)
    assert sorted(getattr(each, "code", "") for each in both) == ["", "change.waiting"]
    row = next(each for each in both if not isinstance(each, BaseException))
    assert await refusal(desk.start("small_change")) == "business.not_found"
    assert await refusal(changes.decide(admin, row.id, YES)) == "change.own"
    assert await refusal(changes.decide(boss, row.id, ChangeDecisionRequest(approve=False, note=" "))) == (
        "change.reason_missing"
    )
    assert (await changes.decide(boss, row.id, YES)).state == "approved"
    assert await refusal(changes.decide(boss, row.id, YES)) == "change.decided"
    assert (await desk.start("small_change")).name_zh == "换零钱"
    assert await refusal(propose(content, 1)) == "change.nothing"
    off = {"business": {**business, "enabled": False}, "flow": {**flow, "time_limit_s": 600}}
    rejected = await propose(off, 1)
    assert await refusal(changes.withdraw(boss, rejected.id)) == "change.not_yours"
    await changes.decide(boss, rejected.id, NO)
    withdrawn = await propose(off, 1)
    await changes.withdraw(admin, withdrawn.id)
    await changes.decide(boss, (await propose(off, 1)).id, YES)
    case = await desk.seen("teller")
    assert case.flow_version == 1  # a running case keeps its own
    await desk.cases.cancel(desk.teller, case.case_id, case.version, "停")
    assert await refusal(desk.start("small_change")) == "business.not_found"
    view = await flows.view("small_change")
    assert ([each.version for each in view.history], view.flow["time_limit_s"]) == ([2, 1], 600)
    async with desk.database.read() as session:
        actions = (await session.scalars(select(AuditEntry.action))).all()
    told = {action: actions.count(f"change.{action}") for action in ("propose", "approve", "reject", "withdraw")}
    assert told == {"propose": 4, "approve": 2, "reject": 1, "withdraw": 1}
    # What the bank has changed stays when the house starts again.
    transfer = await flows.view("transfer")
    renamed = {"business": {**transfer.business.model_dump(), "name_zh": "汇款"}, "flow": transfer.flow}
    row = await changes.propose(admin, "flow", "transfer", renamed, "改名", transfer.newest)
    await changes.decide(boss, row.id, YES)
    async with desk.database.unit_of_work(system_actor("seed")) as work:
        await seed_businesses(work)
        await seed_flows(work)
    assert (await flows.view("transfer")).business.name_zh == "汇款"


async def test_rules_and_levels_change_by_two_people(desk: Desk) -> None:
    changes, admin, boss = await change_house(desk)
    rule = {"reason": "small", "business": "bill_payment", "amount_from_fen": 100, "level": 2, "label_zh": "小额"}
    for wrong in (
        [],
        [{**rule, "level": 9}],
        [{**rule, "business": "magic"}],
        [{**rule, "amount_from_fen": -1}],
        [{**rule, "amount_from_fen": 10**20}],
        [{**rule, "reason": "全"}],
        [{**rule, "more": 1}],
    ):
        told = await refusal(changes.propose(admin, "review_rules", "all", {"rules": wrong}, "x", 1))
        assert told == "review.rules_invalid", wrong
    row = await changes.propose(admin, "review_rules", "all", {"rules": [rule]}, "x", 1)
    await changes.decide(boss, row.id, YES)
    kept = await changes.rules()
    assert (kept.version, [each["label_zh"] for each in kept.rules]) == (2, ["小额"])
    assert await refusal(changes.propose(admin, "review_rules", "all", {"rules": [rule]}, "x", 1)) == "change.stale"

    boss_id = boss.staff_id or ""
    assert [(each.staff_id, each.level) for each in await changes.levels()] == [(boss_id, 0)]
    row = await changes.propose(admin, "authorisation", boss_id, {"level": 3}, "升级", 0)
    assert await refusal(changes.decide(boss, row.id, YES)) == "change.about_you"
    other = await CallRows(desk.database).staff("changes-other", "supervisor")
    second = staff_actor(other.id, ["supervisor"])
    await changes.decide(second, row.id, YES)
    assert [each.level for each in await changes.levels() if each.staff_id == boss_id] == [3]
    row = await changes.propose(admin, "authorisation", boss_id, {"level": 0}, "离岗", 3)
    await changes.decide(second, row.id, YES)
    assert [each.level for each in await changes.levels() if each.staff_id == boss_id] == [0]
    teller = desk.call.teller_id or ""
    assert await refusal(changes.propose(admin, "authorisation", teller, {"level": 3}, "x", 0)) == "staff.not_found"


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
    assert {row.code: row.versions for row in (await flows.catalogue()).rows}["transfer"] == 1
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
    assert await early.purge() == 0, "who came has a call, and its files go with it"
    async with database.transaction() as session:
        (await session.get_one(Appointment, "appointment_1")).visit_id = None
    assert (await early.purge(), await early.purge()) == (1, 0)
    assert files_in(tmp_path) == []
