"""The step engine on a real database: order, preconditions, refusals that change nothing, books, rollback, resuming."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from business import FORMS, Desk, build_room, open_desk
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import (
    Alarm,
    AuditEntry,
    BusinessCase,
    BusinessFlow,
    CaseStep,
    Consent,
    OutboxEvent,
    Recording,
)
from core.security.actor import customer_actor, staff_actor, system_actor
from server.counter.flow_store import add_version
from server.counter.flows import Flow
from server.counter.kind import Action as KindAction
from server.counter.kind import Done, Json, NoInputs, Outcome, PlainKind, Step, Stopped, Waiting

TEXT = {"title_zh": "步", "title_en": "Step", "plain_zh": "步", "plain_en": "Step"}


@pytest.fixture
async def desk(database: Database, bus: Bus, redis: Redis, tmp_path: Path) -> Desk:
    return await open_desk(database, build_room(database, bus, redis, tmp_path))


class AskKind(PlainKind):
    """Waits for an answer from outside."""

    async def act(self, step: Step, action: str, doer: str, inputs: Any) -> Outcome:
        return Waiting("test.outside", result={"asked": True})

    async def resume(self, step: Step, answer: Json) -> Outcome:
        return Done(result=answer) if answer["ok"] else Stopped("test.refused")


@pytest.fixture
async def asking(desk: Desk) -> Desk:
    """A business of form, question, confirm: data and one more kind, no other code."""
    undone: list[str] = []

    class Kind(AskKind):
        async def undo(self, step: Step) -> None:
            undone.append(step.this.row.key)

    kinds: Mapping[str, Any] = desk.cases.engine.kinds
    actions = {"ask": KindAction(NoInputs, frozenset({"teller"}))}
    desk.cases.engine.kinds = {**kinds, "ask": Kind("ask", actions=actions)}
    name = {"key": "name", "type": "name", "label_zh": "姓名", "label_en": "Name"}
    flow = Flow.model_validate(
        {
            "code": "inquiry",
            "time_limit_s": 300,
            "fee_zh": "无",
            "fee_en": "None",
            "plain_zh": "问",
            "plain_en": "Ask",
            "steps": [
                {"key": "form", "kind": "form", "doer": "customer", **TEXT, "config": {"fields": [name]}},
                {"key": "first", "kind": "ask", "doer": "teller", **TEXT},
                {"key": "second", "kind": "ask", "doer": "teller", **TEXT},
            ],
        }
    )
    async with desk.database.unit_of_work(system_actor("test")) as work:
        await add_version(work, "inquiry", 2, flow.model_dump(mode="json"), "")
    desk.undone = undone  # type: ignore[attr-defined]
    return desk


async def refusal(call: Any) -> str:
    with pytest.raises(CounterError) as refused:
        await call
    return refused.value.code


async def snapshot(desk: Desk) -> list[Any]:
    """Everything a refused request must leave as it was."""
    async with desk.database.read() as session:
        cases = (await session.scalars(select(BusinessCase))).all()
        steps = (await session.scalars(select(CaseStep).order_by(col(CaseStep.position)))).all()
        audits = (await session.scalars(select(AuditEntry.seq))).all()
        facts = (await session.scalars(select(OutboxEvent.seq))).all()
        return [[row.model_dump() for row in (*cases, *steps)], len(audits), len(facts)]


async def test_a_transfer_from_form_to_confirmation(desk: Desk) -> None:
    case = await desk.start("transfer")
    assert [step.state for step in case.steps][:2] == ["active", "pending"]
    await desk.act("customer", "form", "fill", values=FORMS["transfer"])
    await desk.act("teller", "form", "return", note="收款人姓名写错了")
    returned = await desk.step("form", "customer")
    assert (returned.reason, returned.note) == ("form.correct", "收款人姓名写错了")
    await desk.act("customer", "form", "fill", values={**FORMS["transfer"], "payee_name": "李华华"})
    await desk.act("teller", "form", "fill", values={**FORMS["transfer"], "payee_name": "李华"})
    changes = (await desk.step("form")).details["changes"]
    assert [(change["by"], change["from"], change["to"]) for change in changes] == [
        ("customer", "李华", "李华华"),
        ("teller", "李华华", "李华"),
    ]
    after = await desk.act("teller", "form", "accept")
    assert after.steps[0].state == "done"
    async with desk.database.read() as session:
        step = (await session.scalars(select(CaseStep).where(col(CaseStep.key) == "form"))).one()
        assert "李华".encode() not in step.sealed
        types = (await session.scalars(select(OutboxEvent).where(col(OutboxEvent.call_id) == desk.call.id))).all()
        assert types[0].type == "CaseStarted"
        assert '"call_s":9' in types[-1].payload
        audit = await session.scalars(select(AuditEntry.action).where(col(AuditEntry.object_id) == case.case_id))
        assert "step.accept" in audit.all()


async def test_bad_input_changes_nothing(desk: Desk) -> None:
    case = await desk.start("transfer")
    good = FORMS["transfer"]
    before = await snapshot(desk)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"values": {**good, "amount": -1}}, "fields.invalid"),
        ({"values": {**good, "amount": 10**15}}, "fields.invalid"),
        ({"values": {**good, "amount": 10**30}}, "fields.invalid"),
        ({"values": {**good, "amount": "8000000"}}, "fields.invalid"),
        ({"values": {**good, "amount": 1.5}}, "input.invalid"),
        ({"values": {**good, "amount": True}}, "input.invalid"),
        ({"values": {**good, "payee_name": "李华" * 100}}, "fields.invalid"),
        ({"values": {**good, "payee_name": "Лi Hua"}}, "fields.invalid"),
        ({"values": {**good, "id_number": "11010519900307453X"}}, "fields.invalid"),
        ({"values": {**good, "extra": "1"}}, "fields.invalid"),
        ({"values": [1]}, "input.invalid"),
        ({}, "input.invalid"),
        ({"values": good, "more": 1}, "input.invalid"),
    ]
    for inputs, code in wrong:
        assert await refusal(desk.act("customer", "form", "fill", **inputs)) == code, inputs
    assert await refusal(desk.act("teller", "form", "accept")) == "form.not_filled"
    assert await refusal(desk.act("customer", "form", "accept")) == "step.not_yours"
    assert await refusal(desk.act("customer", "form", "fly")) == "step.unknown_action"
    assert await refusal(desk.act("customer", "confirm", "confirm", digest="")) == "step.not_open"
    assert await refusal(desk.act("customer", "nothing", "confirm")) == "step.unknown"
    assert await refusal(desk.start("transfer")) == "case.running"
    assert await refusal(desk.cases.start(desk.teller, desk.call.id, "magic")) in ("business.not_found", "case.running")
    stranger = customer_actor("visit_of_somebody_else")
    replay = desk.cases.act(stranger, case.case_id, "form", case.version, "fill", {"values": good})
    assert await refusal(replay) == "case.not_found"
    other = desk.cases.act(staff_actor("staff_x", ["teller"]), case.case_id, "form", case.version, "accept", {})
    assert await refusal(other) == "case.not_found"
    assert await snapshot(desk) == before
    await desk.act("customer", "form", "fill", values=good)
    duplicate = desk.cases.act(desk.customer, case.case_id, "form", case.version, "fill", {"values": good})
    assert await refusal(duplicate) == "case.stale"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("failed", "step.recording_not_running"),
        ("captured", "step.recording_not_running"),
        ("paused", "step.recording_paused"),
        ("no consent", "step.consent_missing"),
        ("hung up", "step.call_not_running"),
    ],
)
async def test_no_step_without_call_consent_and_recording(desk: Desk, what: str, code: str) -> None:
    await desk.start("transfer")
    now = desk.database.clock.now()
    if what == "failed":
        await desk.change_call(recording_ok=False)
    if what == "paused":
        await desk.change_call(recording_paused_until=now + timedelta(seconds=60))
    if what == "hung up":
        await desk.change_call(state="wrap_up")
    async with desk.database.transaction() as session:
        if what == "captured":
            (await session.scalars(select(Recording))).one().state = "captured"
        if what == "no consent":
            (await session.scalars(select(Consent))).one().granted = False
    before = await snapshot(desk)
    assert await refusal(desk.act("customer", "form", "fill", values=FORMS["transfer"])) == code
    assert (await desk.seen("customer")).blocked == code
    assert await snapshot(desk) == before


async def test_answers_from_outside_come_once_and_to_the_question_asked(asking: Desk) -> None:
    case = await asking.start("inquiry")
    system = system_actor("test")
    await asking.act("customer", "form", "fill", values={"name": "王小明"})
    await asking.act("teller", "form", "accept")
    await asking.act("teller", "first", "ask")
    waiting = await asking.step("first")
    assert (waiting.state, waiting.reason, waiting.actions) == ("waiting", "test.outside", [])
    assert await refusal(asking.act("teller", "first", "ask")) == "step.waiting"
    old = waiting.attempts
    await asking.cases.back(asking.teller, case.case_id, "form", (await asking.seen("teller")).version, "改名字")
    assert not await asking.cases.resume(system, case.case_id, "first", old, {"ok": True})
    await asking.act("teller", "form", "accept")
    await asking.act("teller", "first", "ask")
    attempt = (await asking.step("first")).attempts
    assert not await asking.cases.resume(system, case.case_id, "first", old, {"ok": True})
    assert await asking.cases.resume(system, case.case_id, "first", attempt, {"ok": True})
    assert not await asking.cases.resume(system, case.case_id, "first", attempt, {"ok": True})
    await asking.act("teller", "second", "ask")
    attempt = (await asking.step("second")).attempts
    assert await asking.cases.resume(system, case.case_id, "second", attempt, {"ok": False})
    stopped = await asking.seen("customer")
    assert (stopped.state, stopped.end_reason) == ("stopped", "test.refused")
    assert [step.state for step in stopped.steps] == ["rolled_back", "rolled_back", "stopped"]
    assert asking.undone == ["first"]  # type: ignore[attr-defined]
    assert await refusal(asking.act("teller", "second", "ask")) == "case.ended"


async def test_the_keeper_calls_for_help_goes_on_and_cleans_up(asking: Desk) -> None:
    await asking.start("inquiry")
    keeper = asking.room.keeper
    await asking.act("customer", "form", "fill", values={"name": "王小明"})
    await asking.act("teller", "form", "accept")
    async with asking.database.transaction() as session:
        row = (await session.scalars(select(BusinessCase))).one()
        row.deadline_at = asking.database.clock.now() - timedelta(seconds=1)
    await keeper.look()
    await keeper.look()
    assert (await asking.seen("teller")).overdue
    async with asking.database.read() as session:
        assert [alarm.kind for alarm in (await session.scalars(select(Alarm))).all()] == ["case.overdue"]
    await asking.act("teller", "first", "ask")
    await asking.change_call(recording_ok=False)
    attempt = (await asking.step("first")).attempts
    case_id = (await asking.seen("teller")).case_id
    assert await asking.cases.resume(system_actor("test"), case_id, "first", attempt, {"ok": True})
    assert (await asking.step("second")).state == "pending"  # held back: nothing records
    await keeper.look()
    assert (await asking.step("second")).state == "pending"
    await asking.change_call(recording_ok=True)
    await keeper.look()
    assert (await asking.step("second")).state == "active"
    await asking.change_call(state="wrap_up")
    await keeper.look()
    ended = await asking.seen("teller")
    assert (ended.state, ended.end_reason) == ("cancelled", "case.call_ended")
    assert asking.undone == ["first"]  # type: ignore[attr-defined]


async def test_a_running_case_keeps_its_version(desk: Desk) -> None:
    case = await desk.start("transfer")
    async with desk.database.unit_of_work(system_actor("test")) as work:
        content = (await work.session.get_one(BusinessFlow, ("transfer", 1))).content
        await add_version(work, "transfer", 2, {**content, "steps": content["steps"][:1]}, "shorter")
    assert len((await desk.seen("teller")).steps) == len(case.steps)
    await desk.cases.cancel(desk.teller, case.case_id, case.version, "客户改主意")
    assert (await desk.seen("customer")).end_reason == "客户改主意"
    again = await desk.start("transfer")
    assert (again.flow_version, len(again.steps)) == (2, 1)
