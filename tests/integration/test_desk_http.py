"""The inspector's desk over HTTP, against the real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from http_app import Client, always, serving
from sqlmodel import col, select

from core.db import Database
from core.events import ComplianceChecked, TranscriptReady, event_from_json
from core.ids import new_id
from core.models.call import Call, Rating
from core.models.handover import CallLeg
from core.models.qa import Evaluation
from core.models.staff import Staff
from core.models.system import AuditEntry, OutboxEvent
from core.models.transcript import TranscriptKind, TranscriptState
from core.security.actor import Actor, customer_actor, staff_actor, system_actor
from qa.compliance.rules import load_rules
from qa.compliance.service import ComplianceService
from qa.desk.routes import routes
from qa.desk.service import DeskService
from qa.scoring.form import load_form
from qa.scoring.service import ScoringService

RUDE = (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你是不是傻，听不懂人话吗？"))
PROMISE = (*GOOD_TRANSFER, ("teller", 30.0, 34.0, "这个产品保本保息，稳赚不赔。"))


class Desk:
    """An inspector at work, and calls to look at."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rows = CallRows(database)
        self.table = routes(DeskService(database, load_form()))
        self.teller: Staff
        self.inspector: Staff

    def actor(self, staff: Staff) -> Actor:
        return staff_actor(staff.id, staff.roles)

    async def checked_call(self, turns: tuple[Any, ...] = GOOD_TRANSFER, **changes: Any) -> Call:
        """A call with recording, transcript, check and pre-score."""
        call = await self.rows.call(**{"teller": self.teller, **changes})
        await self.rows.recording(call)
        await self.rows.transcript(call, turns)
        await self.check(call)
        return call

    async def check(self, call: Call) -> None:
        now = self.database.clock.now()
        ready = TranscriptReady(at=now, call_id=call.id, transcribed=True, engine="test")
        await ComplianceService(self.database, load_rules()).on_transcript_ready(ready)
        async with self.database.read() as session:
            query = select(OutboxEvent).where(col(OutboxEvent.type) == "ComplianceChecked")
            rows = (await session.scalars(query.order_by(col(OutboxEvent.seq)))).all()
        fact = event_from_json(rows[-1].type, rows[-1].payload)
        assert isinstance(fact, ComplianceChecked)
        await ScoringService(self.database, load_form()).on_compliance_checked(fact)


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    made.teller = await made.rows.staff("teller", "teller")
    made.inspector = await made.rows.staff("inspector", "inspector")
    return made


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with serving([desk.table], always(desk.actor(desk.inspector))) as opened:
        yield opened


async def refusal(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def listed(client: Client, **query: str) -> list[str]:
    return [item["call_id"] for item in (await (await client.get("/api/qa/calls", params=query)).json())["items"]]


def full_answers(detail: dict[str, Any], fraction: float | None = 1.0) -> dict[str, Any]:
    items = [item for section in detail["form"]["sections"] for item in section["items"]]
    return {item["id"]: {"fraction": fraction, "comment": ""} for item in items}


async def opened(client: Client, call: Call) -> dict[str, Any]:
    response = await client.get(f"/api/qa/calls/{call.id}")
    assert response.status == 200, await response.text()
    return dict(await response.json())


async def put(client: Client, call: Call, **body: Any) -> Any:
    return await client.put(f"/api/qa/calls/{call.id}/evaluation", json={"comment": "", **body})


async def test_the_list_shows_finished_calls_newest_first(client: Client, desk: Desk) -> None:
    now = desk.database.clock.now()
    older = await desk.checked_call(RUDE, ended_at=now - timedelta(seconds=50))
    newer = await desk.rows.call(desk.teller, business="inquiry")
    await desk.rows.call(desk.teller, ended_at=None, state="connected")  # still running
    await desk.rows.call(None, accepted_at=None, connected_at=None)  # never answered
    told = await (await client.get("/api/qa/calls")).json()
    assert {key: told[key] for key in ("total", "page", "page_size")} == {"total": 2, "page": 1, "page_size": 20}
    assert [item["call_id"] for item in told["items"]] == [newer.id, older.id]
    fresh, done = told["items"]
    assert (fresh["evaluation_state"], fresh["transcript_state"], fresh["recording_state"]) == (None, "waiting", None)
    assert (fresh["auto_score"], fresh["flags"]) == (None, [])
    assert (done["evaluation_state"], done["transcript_state"]) == ("pending", "ready")
    assert done["recording_state"] == "finalized"
    assert done["duration_s"] == pytest.approx(45)
    assert done["teller_name"] == "teller的姓名"
    assert 0 < done["auto_score"] < done["max_score"] == 100
    assert (done["score"], done["fatal"]) == (None, False)
    assert "forbidden:rude_words" in done["flags"]
    assert "missing:ask_purpose" in done["flags"]
    assert not any(flag.startswith("present") for flag in done["flags"])
    assert len(done["flags"]) == len(set(done["flags"]))


async def test_filters(client: Client, desk: Desk) -> None:
    rude = await desk.checked_call(RUDE)
    promise = await desk.checked_call(PROMISE, business="wealth_signing")
    bare = await desk.rows.call(desk.teller, business="inquiry")
    assert set(await listed(client, state="", business="", flag="", page="1")) == {rude.id, promise.id, bare.id}
    assert await listed(client, state="waiting") == [bare.id]
    assert set(await listed(client, state="pending")) == {rude.id, promise.id}
    assert await listed(client, state="submitted") == []
    assert await listed(client, business="inquiry") == [bare.id]
    assert set(await listed(client, flag="forbidden")) == {rude.id, promise.id}
    assert await listed(client, flag="forbidden:promise_return") == [promise.id]
    assert await listed(client, flag="missing:risk_disclosure") == [promise.id]
    assert await listed(client, flag="forbidden:promise_return", business="transfer") == []
    # A newer check replaces the flags of the older one.
    await desk.rows.transcript(promise, GOOD_TRANSFER)
    await desk.check(promise)
    assert await listed(client, flag="forbidden:promise_return") == []


async def test_pages(client: Client, desk: Desk) -> None:
    now = desk.database.clock.now()
    calls = [await desk.rows.call(desk.teller, ended_at=now - timedelta(seconds=n)) for n in range(23)]
    second = await (await client.get("/api/qa/calls", params={"page": "2"})).json()
    assert second["total"] == 23
    assert [item["call_id"] for item in second["items"]] == [call.id for call in calls[20:]]
    assert await listed(client, page="3") == []


async def test_a_call_with_all_its_evidence(client: Client, desk: Desk) -> None:
    call = await desk.checked_call(PROMISE, disposition="resolved", note="客户询问收益")
    async with desk.database.unit_of_work(system_actor("test")) as work:
        work.session.add(Rating(call_id=call.id, stars=2, comment="等太久", at=work.clock.now()))
    detail = await opened(client, call)
    assert [gap["from_s"] for gap in detail["recording"]["gaps"]] == [3.0]
    assert [file["party"] for file in detail["files"]] == ["customer", "teller"]
    file = detail["files"][0]
    assert file["url"] == f"/api/recordings/{file['file_id']}/media"
    assert "secret" not in str(detail)  # object keys and wrapped keys stay inside
    assert [segment["start_s"] for segment in detail["segments"]] == [2.0, 9.0, 15.0, 18.0, 30.0]
    assert {segment["kind"] for segment in detail["segments"]} == {"final"}
    times = [finding["at_s"] for finding in detail["findings"]]
    heard = [at_s for at_s in times if at_s is not None]
    assert times == sorted(heard) + [None] * (len(times) - len(heard))
    promise = next(finding for finding in detail["findings"] if finding["rule_id"] == "promise_return")
    assert (promise["kind"], promise["severity"], promise["party"]) == ("forbidden", "fatal", "teller")
    assert detail["form"]["version"] == "counter_form-1"
    items = [item for section in detail["form"]["sections"] for item in section["items"]]
    assert sum(item["weight"] for item in items) == 100
    assert (items[0]["fatal"], items[0]["points"], items[0]["comment"]) == (False, 2, "never")
    assert detail["evaluation"]["auto_fatal"] is True
    assert detail["evaluation"]["auto_answers"]["no_promise"] == {"fraction": 0.0, "comment": ""}
    assert detail["rating"] == {"stars": 2, "comment": "等太久"}
    assert (detail["disposition"], detail["note"]) == ("resolved", "客户询问收益")
    async with desk.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "qa.view"))).one()
    assert (entry.actor, entry.object_id) == (f"staff:{desk.inspector.id}", call.id)


async def test_live_words_stand_in_until_the_final_ones_are_there(client: Client, desk: Desk) -> None:
    call = await desk.rows.call(desk.teller)
    await desk.rows.transcript(call, GOOD_TRANSFER, TranscriptKind.LIVE)
    detail = await opened(client, call)
    assert (detail["transcript_state"], detail["evaluation"]) == ("waiting", None)
    assert {segment["kind"] for segment in detail["segments"]} == {"live"}
    await desk.rows.transcript(call, (), state=TranscriptState.NOT_TRANSCRIBED)
    detail = await opened(client, call)
    assert detail["transcript_state"] == "not_transcribed"
    assert {segment["kind"] for segment in detail["segments"]} == {"live"}
    await desk.rows.transcript(call, GOOD_TRANSFER[:2])
    detail = await opened(client, call)
    assert detail["transcript_state"] == "ready"
    assert [segment["kind"] for segment in detail["segments"]] == ["final", "final"]


async def test_the_inspector_scores(client: Client, desk: Desk) -> None:
    call = await desk.checked_call()
    detail = await opened(client, call)
    answers = {**full_answers(detail), "three_questions": {"fraction": None, "comment": ""}}
    answers["manners"] = {"fraction": 0.5, "comment": "语气生硬"}
    response = await put(client, call, version=1, answers=answers, comment="语速偏快")
    assert response.status == 200, await response.text()
    view = await response.json()
    # 12 of the 90 points that apply are halved: 84/90.
    assert (view["version"], view["state"], view["score"], view["fatal"]) == (2, "submitted", 93.33, False)
    assert view["auto_score"] == detail["evaluation"]["auto_score"]
    assert view["auto_answers"] == detail["evaluation"]["auto_answers"]
    assert view["answers"] == answers
    assert (view["inspector_name"], view["comment"]) == ("inspector的姓名", "语速偏快")
    assert (await opened(client, call))["evaluation"] == view
    assert await listed(client, state="submitted") == [call.id]
    async with desk.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "qa.score"))).one()
        facts = (await session.scalars(select(OutboxEvent).where(col(OutboxEvent.type) == "EvaluationSubmitted"))).all()
    assert entry.detail["before"] == {
        "version": 1, "state": "pending", "answers": {}, "score": None, "fatal": None, "comment": "",
        "inspector_id": None,
    }  # fmt: skip
    after = entry.detail["after"]
    assert isinstance(after, dict)
    assert (after["score"], after["inspector_id"]) == ("93.33", desk.inspector.id)
    assert len(facts) == 1


async def test_a_fatal_item_makes_it_zero(client: Client, desk: Desk) -> None:
    call = await desk.checked_call()
    answers = {**full_answers(await opened(client, call)), "no_password": {"fraction": 0}}
    view = await (await put(client, call, version=1, answers=answers)).json()
    assert (view["score"], view["fatal"], view["auto_fatal"]) == (0, True, False)


async def test_who_saves_on_old_ground_is_told(client: Client, desk: Desk) -> None:
    call = await desk.checked_call()
    answers = full_answers(await opened(client, call))
    assert (await put(client, call, version=1, answers=answers)).status == 200
    late = await put(client, call, version=1, answers=full_answers(await opened(client, call), 0.0))
    assert await refusal(late) == (409, "evaluation.stale")
    assert (await opened(client, call))["evaluation"]["score"] == 100
    assert (await put(client, call, version=2, answers=answers, comment="再看一遍")).status == 200


async def test_without_a_pre_score_there_is_nothing_to_score(client: Client, desk: Desk) -> None:
    call = await desk.rows.call(desk.teller)
    detail = await opened(client, call)
    assert await refusal(await put(client, call, version=1, answers=full_answers(detail))) == (
        409,
        "evaluation.not_ready",
    )


MALFORMED = [
    ({"answers": {}}, "score.incomplete"),
    ({"answers": {"unknown_item": {"fraction": 1}}}, "score.incomplete"),
    ({"answers": {"manners": {"fraction": 1.5}}}, "input.invalid"),
    ({"answers": {"manners": {"fraction": -0.1}}}, "input.invalid"),
    ({"answers": {"manners": {"fraction": "1"}}}, "input.invalid"),
    ({"answers": {"manners": {"fraction": True}}}, "input.invalid"),
    ({"answers": {"manners": {"fraction": float("nan")}}}, "input.invalid"),
    ({"answers": {"manners": {}}}, "input.invalid"),
    ({"answers": {"manners": 1}}, "input.invalid"),
    ({"answers": []}, "input.invalid"),
    ({"version": "1"}, "input.invalid"),
    ({"version": 2**40}, "input.invalid"),
    ({"version": True}, "input.invalid"),
    ({"comment": None}, "input.invalid"),
    ({"comment": "x" * 4001}, "input.invalid"),
    ({"comment": "a\x00b"}, "input.invalid"),
    ({"score": 100}, "input.invalid"),
]


async def test_malformed_judgements_change_nothing(client: Client, desk: Desk) -> None:
    call = await desk.checked_call()
    answers = full_answers(await opened(client, call))
    for change, code in MALFORMED:
        body: dict[str, Any] = {"version": 1, "answers": answers, **change}
        assert await refusal(await put(client, call, **body)) == (400, code), change
    async with desk.database.read() as session:
        row = (await session.scalars(select(Evaluation))).one()
    assert (row.version, row.state, row.answers) == (1, "pending", {})


async def test_malformed_filters(client: Client) -> None:
    for query in (
        {"state": "sleeping"},
        {"page": "0"},
        {"page": "x"},
        {"page": "9" * 30},
        {"business": "a\x00"},
        {"business": "'; drop table call"},
        {"flag": "forbidden:"},
        {"flag": "%"},
    ):
        response = await client.get("/api/qa/calls", params=query)
        assert await refusal(response) == (400, "input.invalid"), query


async def test_only_finished_answered_calls_can_be_opened(client: Client, desk: Desk) -> None:
    running = await desk.rows.call(desk.teller, ended_at=None)
    unanswered = await desk.rows.call(None, accepted_at=None)
    for call_id in (running.id, unanswered.id, "call_none", "x"):
        assert await refusal(await client.get(f"/api/qa/calls/{call_id}")) == (404, "call.not_found")
    assert await refusal(await client.get("/api/qa/calls/a%00b")) == (400, "input.invalid")
    async with desk.database.read() as session:
        assert (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "qa.view"))).all() == []


async def test_nobody_inspects_own_work(desk: Desk) -> None:
    both = await desk.rows.staff("both", "teller", "inspector")
    own = await desk.checked_call(teller=both)
    other = await desk.checked_call()
    handed_on = await desk.checked_call()
    async with desk.database.unit_of_work(system_actor("test")) as work:
        began_at = handed_on.accepted_at or work.clock.now()
        work.session.add(CallLeg(id=new_id("leg"), call_id=handed_on.id, teller_id=both.id, began_at=began_at))
    async with serving([desk.table], always(desk.actor(both))) as client:
        assert await listed(client) == [other.id]
        assert await refusal(await client.get(f"/api/qa/calls/{own.id}")) == (403, "qa.own_call")
        assert await refusal(await client.get(f"/api/qa/calls/{handed_on.id}")) == (403, "qa.own_call")
        answers = full_answers(await opened(client, other))
        assert await refusal(await put(client, own, version=1, answers=answers)) == (403, "qa.own_call")
        assert (await put(client, other, version=1, answers=answers)).status == 200


async def test_other_posts_do_not_inspect(desk: Desk) -> None:
    call = await desk.checked_call()
    for role in ("teller", "supervisor", "auditor", "admin", "expert"):
        async with serving([desk.table], always(staff_actor("staff_other", [role]))) as client:
            for response in (
                await client.get("/api/qa/calls"),
                await client.get(f"/api/qa/calls/{call.id}"),
                await put(client, call, version=1, answers={}),
            ):
                assert await refusal(response) == (403, "auth.denied"), role


async def test_customers_and_strangers_do_not_inspect(desk: Desk) -> None:
    call = await desk.rows.call(desk.teller)
    for actor, status in ((customer_actor(call.visit_id), 403), (None, 401)):
        async with serving([desk.table], always(actor)) as client:
            assert (await client.get("/api/qa/calls")).status == status
            assert (await client.get(f"/api/qa/calls/{call.id}")).status == status
