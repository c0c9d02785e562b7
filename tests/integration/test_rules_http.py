"""Rule sets over HTTP: seed, draft, trial, approval by a second person, and what judges calls then."""

from typing import Any

import pytest
import yaml
from call_rows import GOOD_TRANSFER, CallRows
from http_app import always, serving
from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError
from core.events import TranscriptReady
from core.models.qa import ComplianceCheck, Finding
from core.models.rules import RuleSetRow, RuleSetState
from core.security.actor import staff_actor, system_actor
from qa.compliance.rules import dump_rules, load_rules, parse_rules
from qa.compliance.service import ComplianceService
from qa.rules.book import RuleBook, rules_of, seed_rules
from qa.rules.edit import edited
from qa.rules.routes import routes
from qa.rules.schemas import RuleSetChangeRequest
from qa.rules.service import RulesService

TALK = (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你烦不烦，听不懂吗？"), ("teller", 40.0, 43.0, "这叫躺平式理财。"))


async def seeded(database: Database) -> None:
    async with database.unit_of_work(system_actor("seed")) as work:
        await seed_rules(work)


async def check(database: Database, call: Any) -> None:
    fact = TranscriptReady(at=database.clock.now(), call_id=call.id, transcribed=True, engine="test")
    await ComplianceService(database, RuleBook(database)).on_transcript_ready(fact)


async def test_a_rule_set_from_draft_to_force(database: Database) -> None:
    rows = CallRows(database)
    await seeded(database)
    await seeded(database)  # every start does
    teller = await rows.staff("t", "teller")
    lead, other = await rows.staff("lead", "qa_lead"), await rows.staff("admin", "admin")
    call = await rows.call(teller)
    await rows.transcript(call, TALK)
    await check(database, call)
    async with database.unit_of_work(system_actor("test")) as work:
        rude = select(Finding).where(col(Finding.rule_id) == "rude_words")
        for finding in (await work.session.scalars(rude)).all():
            finding.verdict = "rejected"
    table = routes(RulesService(database))
    async with serving([table], always(staff_actor(lead.id, lead.roles))) as client:

        async def said(response: Any) -> Any:
            return response.status, (await response.json())["error"]["code"]

        known = await (await client.get("/api/rule-sets")).json()
        assert [(one["number"], one["state"], one["author_name"]) for one in known] == [(1, "active", None)]
        draft = await (await client.post("/api/rule-sets", json={})).json()
        assert (draft["number"], draft["state"], draft["mine"]) == (2, "draft", True)
        path = f"/api/rule-sets/{draft['id']}"
        words = {"rule_id": "promise_return", "words": ["躺平式理财"]}
        changed = await (await client.put(path, json={"version": 1, "add_words": words, "note": "新话术"})).json()
        rules = {rule["id"]: rule for rule in changed["rules"]}
        assert rules["promise_return"]["changed"] == "changed"
        assert rules["closing"]["changed"] == ""
        assert rules["rude_words"]["verdicts"]["rejected"] >= 1
        assert rules["rude_words"]["verdicts"]["precision"] == 0
        assert await said(await client.put(path, json={"version": 1, "note": "x"})) == (409, "rules.stale")
        bad = await client.put(path, json={"version": 2, "rule": "id: closing\nkind: node"})
        assert await said(bad) == (400, "rules.invalid")
        assert await said(await client.put(path, json={"version": 2, "remove_rule": "no"})) == (
            400,
            "rules.unknown_rule",
        )
        tried = await (await client.post(f"{path}/trial", json={"calls": 5})).json()
        by_rule = {rule["rule_id"]: rule for rule in tried["rules"]}
        gained = by_rule["promise_return"]
        assert (tried["calls"], gained["active_hits"], gained["draft_hits"], gained["gained"]) == (1, 0, 1, 1)
        assert gained["samples"][0]["evidence"] == "这叫躺平式理财。"
        assert by_rule["rude_words"]["false_hits"] == by_rule["rude_words"]["draft_hits"]
        sent = await (await client.post(f"{path}/submit", json={"version": 2})).json()
        assert sent["state"] == "submitted"
        assert await said(await client.post(f"{path}/approve", json={"version": 3})) == (403, "rules.own_draft")
        assert await said(await client.put(path, json={"version": 3, "note": "x"})) == (409, "rules.not_a_draft")
    async with serving([table], always(staff_actor(other.id, other.roles))) as client:
        shown = await (await client.post(f"{path}/trial", json={})).json()
        assert all(not s["evidence"] for rule in shown["rules"] for s in rule["samples"])  # no customer content
        done = await client.post(f"{path}/approve", json={"version": 3, "note": "同意"})
        assert (await done.json())["state"] == "active"
        states = [one["state"] for one in await (await client.get("/api/rule-sets")).json()]
        assert states == ["active", "retired"]
    await check(database, call)
    async with database.read() as session:
        checks = (await session.scalars(select(ComplianceCheck).order_by(col(ComplianceCheck.checked_at)))).all()
        row = (await session.scalars(select(RuleSetRow).where(col(RuleSetRow.state) == RuleSetState.ACTIVE))).one()
        promise = select(Finding).where(col(Finding.check_id) == checks[1].id, col(Finding.rule_id) == "promise_return")
        assert (await session.scalars(promise)).first() is not None
    versions = [one.rule_set_version for one in checks]  # each check keeps the rules it was judged by
    assert versions[0] != versions[1]
    assert versions[1].endswith(rules_of(row).digest[:12])


async def test_only_those_with_the_permission_and_only_the_own_draft(database: Database) -> None:
    rows = CallRows(database)
    await seeded(database)
    teller, lead = await rows.staff("t", "teller"), await rows.staff("lead", "qa_lead")
    second = await rows.staff("second", "qa_lead")
    service = RulesService(database)
    draft = await service.draft(staff_actor(lead.id, lead.roles), None)
    async with serving([routes(service)], always(staff_actor(teller.id, teller.roles))) as client:
        assert (await client.get("/api/rule-sets")).status == 403
    async with serving([routes(service)], always(staff_actor(second.id, second.roles))) as client:
        response = await client.put(f"/api/rule-sets/{draft.id}", json={"version": 1, "note": "x"})
        assert (response.status, (await response.json())["error"]["code"]) == (403, "rules.not_yours")
        sent = await client.post(f"/api/rule-sets/{draft.id}/submit", json={"version": 1})
        told = await client.post(
            f"/api/rule-sets/{draft.id}/reject", json={"version": (await sent.json())["version"], "note": "再改"}
        )
        assert ((await told.json())["state"], (await told.json())["decision_note"]) == ("rejected", "再改")


async def test_the_release_waits_where_a_bank_has_rules_of_its_own(database: Database) -> None:
    rows = CallRows(database)
    lead = await rows.staff("lead", "qa_lead")
    async with database.unit_of_work(system_actor("test")) as work:
        now = work.clock.now()
        content = edited(dump_rules(load_rules()), RuleSetChangeRequest(version=1, remove_rule="dissuade"))
        own = RuleSetRow(
            id="own", number=1, digest="x", content=content, state=RuleSetState.ACTIVE, author_id=lead.id,
            created_at=now, changed_at=now,
        )  # fmt: skip
        work.session.add(own)
    await seeded(database)
    await seeded(database)
    states = {one.number: one.state for one in await RulesService(database).versions(staff_actor(lead.id, ["qa_lead"]))}
    assert states == {1: "active", 2: "submitted"}


def test_written_out_rules_are_the_same_rules() -> None:
    packaged = load_rules()
    assert parse_rules(dump_rules(packaged)) == packaged
    new = yaml.safe_dump(
        {"id": "pause", "kind": "forbidden", "severity": "info", "party": "teller", "label_zh": "沉默", "label_en": "x",
         "when": {"op": "silence", "seconds": 20}}
    )  # fmt: skip
    with_rule = parse_rules(edited(dump_rules(packaged), RuleSetChangeRequest(version=1, rule=new)))
    assert [rule.id for rule in with_rule.rules][-1] == "pause"
    with pytest.raises(BadInputError):
        edited(dump_rules(packaged), RuleSetChangeRequest(version=1, rule="- a\n- b"))
    with pytest.raises(BadInputError):
        edited(dump_rules(packaged), RuleSetChangeRequest(version=1, businesses="default: {label_zh: 一}"))
