"""The loop of inspection over HTTP: draw, score, release, appeal, verdict, rectify, calibrate, report."""

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from http_app import Client, always, serving
from PIL import Image
from sqlmodel import col, select

from core.db import Database
from core.events import ComplianceChecked, TranscriptReady, event_from_json
from core.ids import new_id
from core.models import Alarm, Call, CallLeg, Evaluation, InspectionTask, OutboxEvent, Rectification, SamplePlan, Staff
from core.security.actor import staff_actor, system_actor
from core.store import open_store
from qa import room
from qa.compliance.rules import load_rules
from qa.compliance.service import ComplianceService
from qa.review.states import APPEAL_DAYS
from qa.sampling.plan import Period, period_end
from qa.sampling.service import BANK_TIME, SETTLE
from qa.scoring.form import load_form
from qa.scoring.service import ScoringService
from qa.upkeep import Upkeep

RUDE = (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你是不是傻，听不懂人话吗？"))
MASTER_KEY = bytes(32)
PROMISE = (*GOOD_TRANSFER, ("teller", 30.0, 34.0, "这个产品保本保息，稳赚不赔。"))


class House:
    """Staff of a QA department and two teams, and calls to inspect."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.store = open_store(None, folder)
        self.rows = CallRows(database)
        self.staff: dict[str, Staff] = {}

    async def hire(self, name: str, role: str, team: str | None) -> Staff:
        row = await self.rows.staff(name, role)
        async with self.database.unit_of_work(system_actor("test")) as work:
            (await work.session.get_one(Staff, row.id)).team = team
        row.team = team
        self.staff[name] = row
        return row

    async def call(self, teller: str, turns: tuple[Any, ...] = GOOD_TRANSFER, **changes: Any) -> Call:
        call = await self.rows.call(self.staff[teller], **changes)
        await self.rows.recording(call)
        await self.rows.transcript(call, turns)
        now = self.database.clock.now()
        ready = TranscriptReady(at=now, call_id=call.id, transcribed=True, engine="test")
        await ComplianceService(self.database, load_rules()).on_transcript_ready(ready)
        async with self.database.read() as session:
            query = select(OutboxEvent).where(col(OutboxEvent.type) == "ComplianceChecked")
            row = (await session.scalars(query.order_by(col(OutboxEvent.seq).desc()))).first()
        assert row is not None
        fact = event_from_json(row.type, row.payload)
        assert isinstance(fact, ComplianceChecked)
        await ScoringService(self.database, load_form()).on_compliance_checked(fact)
        return call

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator[Client]:
        row = self.staff[name]
        async with serving(
            room.tables(self.database, self.store, MASTER_KEY), always(staff_actor(row.id, row.roles))
        ) as client:
            yield client

    async def ask(self, name: str, method: str, path: str, status: int = 200, /, **body: Any) -> Any:
        """One request as this person. Returns the answer's JSON."""
        async with self.signed_in(name) as client:
            response = await client.request(method, path, json=body if method != "GET" else None)
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def refused(self, name: str, method: str, path: str, /, **body: Any) -> str:
        async with self.signed_in(name) as client:
            response = await client.request(method, path, json=body if method != "GET" else None)
            assert response.status >= 400
            return str((await response.json())["error"]["code"])

    async def score(self, name: str, call: Call, **shares: float | None) -> dict[str, Any]:
        """Score a call in full but for the given items; returns the evaluation."""
        detail = await self.ask(name, "GET", f"/api/qa/calls/{call.id}")
        items = [item["id"] for section in detail["form"]["sections"] for item in section["items"]]
        answers = {item: {"fraction": shares.get(item, 1.0), "comment": "听录音"} for item in items}
        version = detail["evaluation"]["version"]
        path = f"/api/qa/calls/{call.id}/evaluation"
        found: dict[str, Any] = await self.ask(name, "PUT", path, version=version, answers=answers, comment="")
        return found


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    made = House(database, tmp_path)
    for name, role, team in (
        ("amy", "teller", "一组"), ("bob", "teller", "二组"), ("boss", "supervisor", "一组"),
        ("other", "supervisor", "二组"), ("ins1", "inspector", "质检组"), ("ins2", "inspector", "质检组"),
        ("ins3", "inspector", "一组"), ("lead", "qa_lead", "质检组"),
    ):  # fmt: skip
        await made.hire(name, role, team)
    return made


async def test_a_draw_gives_work_evenly_and_replays(house: House) -> None:
    calls = [await house.call("amy") for _ in range(4)] + [await house.call("bob")]
    fatal = await house.call("bob", PROMISE)
    began = house.database.clock.now()
    async with house.database.unit_of_work(system_actor("test")) as work:  # bob had it from amy
        for name in ("amy", "bob"):
            work.session.add(
                CallLeg(id=new_id("leg"), call_id=fatal.id, teller_id=house.staff[name].id, began_at=began)
            )
    plan = {"strata": ["teller"], "percent": 50, "minimum": 1, "rollover": 2, "all_fatal": True}
    made = await house.ask("lead", "POST", "/api/qa/plans", name="每日抽检", plan=plan)
    plan_id = made["plans"][0]["plan_id"]
    async with house.database.unit_of_work(system_actor("test")) as work:
        (await work.session.get_one(SamplePlan, plan_id)).drawn_until = work.clock.now() - timedelta(hours=1)
    drawn = await house.ask("lead", "POST", f"/api/qa/plans/{plan_id}/draw", seed="fixed")
    picks = {pick["call_id"]: pick for pick in drawn["picks"]}
    assert (drawn["frame_size"], drawn["seed"], drawn["unassigned"]) == (6, "fixed", 0)
    assert picks[fatal.id]["reason"] == "fatal"
    assert sum(call.id in picks for call in calls[:4]) == 2
    # Who is of the teller's own team gets none of that team's calls.
    queues = {name: await house.ask(name, "GET", "/api/qa/tasks") for name in ("ins1", "ins2", "ins3")}
    loads = [len(queue["items"]) for queue in queues.values()]
    assert len(picks) == 3
    # As even as it gets: ins3 is of amy's team, and amy had the fatal call before bob.
    assert (loads[2], sorted(loads)) == (0, [0, 1, 2])
    replay = await house.ask("lead", "POST", f"/api/qa/draws/{drawn['draw_id']}/replay")
    assert (replay["same"], replay["differences"], replay["frame_sha256"]) == (True, [], drawn["frame_sha256"])
    # The same calls are not drawn twice.
    again = await house.ask("lead", "POST", f"/api/qa/plans/{plan_id}/draw")
    assert again["picked"] == 0
    # One that was transcribed only after the draw of its period is not lost: the next draw has it, once.
    late = await house.call("amy", ended_at=began, connected_at=began - timedelta(minutes=2))
    drawn = await house.ask("lead", "POST", f"/api/qa/plans/{plan_id}/draw")
    assert ([pick["call_id"] for pick in drawn["picks"]], drawn["frame_size"]) == ([late.id], 1)
    assert (await house.ask("lead", "POST", f"/api/qa/plans/{plan_id}/draw"))["frame_size"] == 0
    assert await house.refused("ins1", "POST", f"/api/qa/plans/{plan_id}/draw") == "auth.denied"
    changed = {**made["plans"][0]["plan"], "percent": 10}
    stale = {"name": "x", "version": 99, "plan": changed}
    assert await house.refused("lead", "PUT", f"/api/qa/plans/{plan_id}", **stale) == "plan.stale"


async def test_the_clock_draws_each_period_once_and_rolls_quotas_over(house: House) -> None:
    plan = {"period": "day", "percent": 0, "minimum": 2, "rollover": 3, "all_fatal": False}
    made = await house.ask("lead", "POST", "/api/qa/plans", name="保底", plan=plan)
    plan_id = made["plans"][0]["plan_id"]
    now = house.database.clock.now()
    begin = period_end(Period.DAY, now - timedelta(days=3), BANK_TIME)
    async with house.database.unit_of_work(system_actor("test")) as work:
        (await work.session.get_one(SamplePlan, plan_id)).drawn_until = begin
    ended = begin + timedelta(hours=12)
    await house.call("amy", ended_at=ended, connected_at=ended - timedelta(minutes=2))
    # One day has certainly settled; the second one has unless it is just after the bank's midnight.
    days = 2 if begin + timedelta(days=2) + SETTLE <= now else 1
    upkeep = Upkeep(house.database)
    assert (await upkeep.once())["draws"] == days
    assert (await upkeep.once())["draws"] == 0
    view = (await house.ask("lead", "GET", "/api/qa/plans"))["plans"][0]
    # Each day two calls of each teller were owed, and only one could be drawn; no more than the limit is carried.
    owed = {1: (1, 2), 2: (3, 3)}[days]
    assert view["owed"] == {house.staff[name].display_name: n for name, n in zip(("amy", "bob"), owed, strict=True)}


async def test_drafts_survive_and_tasks_belong_to_one_inspector(house: House) -> None:
    call = await house.call("amy")
    now = house.database.clock.now()
    async with house.database.unit_of_work(system_actor("test")) as work:
        work.session.add(
            InspectionTask(
                id="task_1",
                call_id=call.id,
                inspector_id=house.staff["ins1"].id,
                state="open",
                reason="share",
                due_at=now,
                created_at=now,
            )
        )
    path = f"/api/qa/calls/{call.id}/draft"
    draft = {"version": 1, "answers": {"manners": {"fraction": 0.5, "comment": "急"}}, "comment": "半截"}
    saved = await house.ask("ins1", "PUT", path, **draft)
    assert saved["version"] == 2
    assert await house.refused("ins1", "PUT", path, **draft) == "evaluation.stale"
    detail = await house.ask("ins1", "GET", f"/api/qa/calls/{call.id}")
    assert detail["evaluation"]["draft"]["answers"] == draft["answers"]
    assert (detail["task"]["mine"], detail["evaluation"]["state"]) == (True, "pending")
    assert await house.refused("ins2", "PUT", path, **{**draft, "version": 2}) == "task.other_inspector"
    assert await house.refused("ins3", "GET", f"/api/qa/calls/{call.id}") == "qa.own_team"
    moved = f"/api/qa/tasks/task_1/inspector/{house.staff['ins2'].id}"
    await house.ask("lead", "PUT", moved)
    own_team = f"/api/qa/tasks/task_1/inspector/{house.staff['ins3'].id}"
    assert await house.refused("lead", "PUT", own_team) == "qa.own_team"
    assert (await house.score("ins2", call))["draft"] is None
    queue = await house.ask("ins2", "GET", "/api/qa/tasks")
    assert (queue["items"], queue["done_today"]) == ([], 1)


async def test_appeal_supervisor_lead_final(house: House) -> None:
    call = await house.call("amy", RUDE)
    evaluation = await house.score("ins1", call, manners=0.0, identity=0.5)
    assert evaluation["score"] == 80.5
    assert (await house.ask("amy", "GET", "/api/my/evaluations"))["items"] == []
    release = f"/api/qa/calls/{call.id}/release"
    assert await house.refused("ins2", "POST", release, version=evaluation["version"]) == "evaluation.not_yours"
    await house.ask("ins1", "POST", release, version=evaluation["version"])
    assert await house.refused("ins1", "POST", release, version=evaluation["version"] + 1) == "evaluation.wrong_state"
    mine = (await house.ask("amy", "GET", "/api/my/evaluations"))["items"][0]
    path = f"/api/my/evaluations/{mine['evaluation_id']}"
    seen = await house.ask("amy", "GET", path)
    assert (seen["score"], seen["passed"], seen["answers"]["manners"]["fraction"]) == (80.5, True, 0.0)
    assert await house.refused("bob", "GET", path) == "evaluation.not_found"
    wrong = [{"item_id": "nothing", "reason": "不对"}]
    assert await house.refused("amy", "POST", f"{path}/appeal", version=seen["version"], items=wrong) == "appeal.items"
    items = [
        {"item_id": "identity", "reason": "已核验身份证，手机13812345678"},
        {"item_id": "manners", "reason": "客户先骂人"},
    ]
    await house.ask("amy", "POST", f"{path}/appeal", version=seen["version"], items=items)
    assert (await house.ask("other", "GET", "/api/team/appeals"))["items"] == []
    appeal = (await house.ask("boss", "GET", "/api/team/appeals"))["items"][0]
    reasons = {item["item_id"]: item["reason"] for item in appeal["items"]}
    assert reasons == {"identity": "已核验身份证，手机＊＊＊＊＊＊＊＊＊＊＊", "manners": "客户先骂人"}
    for_lead = (await house.ask("lead", "GET", "/api/qa/appeals"))["items"][0]
    assert "13812345678" in str(for_lead)
    opinion, verdict = (f"/api/{part}" for part in (
        f"team/appeals/{appeal['appeal_id']}/opinion", f"qa/appeals/{appeal['appeal_id']}/verdict",
    ))  # fmt: skip
    said = [{"item_id": "identity", "supported": True, "note": "属实"}, {"item_id": "manners", "supported": False}]
    decided = [{"item_id": "identity", "upheld": True, "fraction": 1.0}, {"item_id": "manners", "upheld": False}]
    assert await house.refused("lead", "POST", verdict, items=decided, note="x") == "appeal.wrong_state"
    assert await house.refused("other", "POST", opinion, items=said) == "appeal.not_found"
    assert await house.refused("boss", "POST", opinion, items=said[:1]) == "appeal.items"
    await house.ask("boss", "POST", opinion, items=said)
    assert await house.refused("ins1", "POST", verdict, items=decided, note="x") == "auth.denied"
    await house.ask("lead", "POST", verdict, items=decided, note="身份核验属实，用语不当")
    after = await house.ask("amy", "GET", path)
    # Identity gets its 7.5 points back; manners stays lost.
    assert (after["state"], after["score"], after["appeal"]["state"]) == ("final", 88.0, "decided")
    steps = [step["action"] for step in after["steps"]]
    assert steps == ["submitted", "released", "appealed", "opinion", "decided"]
    assert (after["steps"][-1]["score_before"], after["steps"][-1]["score_after"]) == (80.5, 88.0)
    assert await house.refused("ins1", "PUT", f"/api/qa/calls/{call.id}/draft", version=after["version"],
                               answers={}, comment="") == "evaluation.wrong_state"  # fmt: skip


async def test_nobody_judges_a_case_in_which_he_had_a_part(house: House) -> None:
    judge = await house.hire("judge", "inspector", "质检组")
    judge.roles = ["inspector", "qa_lead"]
    call = await house.call("bob")
    evaluation = await house.score("judge", call, closing=0.0)
    await house.ask("judge", "POST", f"/api/qa/calls/{call.id}/release", version=evaluation["version"])
    path = f"/api/my/evaluations/{evaluation['id']}"
    seen = await house.ask("bob", "GET", path)
    items = [{"item_id": "closing", "reason": "说了再见"}]
    await house.ask("bob", "POST", f"{path}/appeal", version=seen["version"], items=items)
    appeal = (await house.ask("other", "GET", "/api/team/appeals"))["items"][0]["appeal_id"]
    said = [{"item_id": "closing", "supported": True}]
    await house.ask("other", "POST", f"/api/team/appeals/{appeal}/opinion", items=said)
    decided = [{"item_id": "closing", "upheld": False}]
    refusal = await house.refused("judge", "POST", f"/api/qa/appeals/{appeal}/verdict", items=decided, note="维持")
    assert refusal == "appeal.own_part"
    await house.ask("lead", "POST", f"/api/qa/appeals/{appeal}/verdict", items=decided, note="维持")


async def test_what_nobody_appeals_becomes_final(house: House) -> None:
    call = await house.call("amy")
    evaluation = await house.score("ins1", call)
    await house.ask("ins1", "POST", f"/api/qa/calls/{call.id}/release", version=evaluation["version"])
    path = f"/api/my/evaluations/{evaluation['id']}"
    await house.ask("amy", "POST", f"{path}/acknowledge", version=evaluation["version"] + 1)
    assert (await Upkeep(house.database).once())["final"] == 0
    async with house.database.unit_of_work(system_actor("test")) as work:
        row = await work.session.get_one(Evaluation, evaluation["id"])
        row.released_at = work.clock.now() - timedelta(days=APPEAL_DAYS, minutes=1)
    assert (await Upkeep(house.database).once())["final"] == 1
    assert (await house.ask("amy", "GET", path))["state"] == "final"


async def test_a_rectification_goes_round_until_it_is_effective(house: House) -> None:
    call = await house.call("amy", queued_at=house.database.clock.now() - timedelta(days=1))
    later = await house.call("amy")
    strange = await house.call("bob")
    wanted = {
        "call_id": call.id, "title": "身份核验", "demand": "学习制度，回访13812345678",
        "category": "verification", "due_days": 3,
    }  # fmt: skip
    opened = (await house.ask("ins1", "POST", "/api/qa/rectifications", **wanted))["items"][0]
    assert opened["demand"] == "学习制度，回访＊＊＊＊＊＊＊＊＊＊＊"
    prove, check = (f"/api/{who}/rectifications/{opened['id']}" for who in ("my", "qa"))
    proof = {"version": opened["version"], "text": "已学习", "call_number": strange.number}
    assert await house.refused("amy", "POST", f"{prove}/proof", **proof) == "rectification.proof_call"
    assert await house.refused("bob", "POST", f"{prove}/proof", **proof) == "rectification.not_found"
    kept = await _proof_files(house, opened["id"])
    row = (await house.ask("amy", "POST", f"{prove}/proof", **{**proof, "call_number": later.number}))["items"][0]
    assert [file["id"] for file in row["files"]] == [kept]
    remove = f"/api/my/rectification-files/{kept}/remove"
    assert await house.refused("amy", "POST", remove) == "rectification.wrong_state"
    assert (row["state"], row["steps"][-1]["proof_call_id"]) == ("proven", later.id)
    back = {"version": row["version"], "effective": False, "note": "仍未核验", "due_days": 2}
    row = (await house.ask("ins1", "POST", f"{check}/check", **back))["items"][0]
    assert (row["state"], row["round"]) == ("open", 2)
    async with house.database.unit_of_work(system_actor("test")) as work:
        late = await work.session.get_one(Rectification, opened["id"])
        late.due_at = work.clock.now() - timedelta(seconds=1)
    assert [(await Upkeep(house.database).once())["overdue"] for _ in range(2)] == [1, 0]
    async with house.database.read() as session:
        alarm = (await session.scalars(select(Alarm))).one()
    assert (alarm.kind, alarm.call_id) == ("rectification.overdue", call.id)
    row = (await house.ask("boss", "GET", "/api/team/rectifications"))["items"][0]
    assert row["overdue"] is True
    # The person, the supervisor and the QA lead are told; the other team is not.
    told = {"tab": "rectifications", "count": 1, "overdue": 1}
    for name, page in (("amy", "myquality"), ("boss", "teamquality"), ("lead", "qa")):
        assert (await house.ask(name, "GET", "/api/my/waiting"))["items"] == [{"page": page, **told}], name
    for name in ("other", "bob", "ins1"):
        assert (await house.ask(name, "GET", "/api/my/waiting"))["items"] == [], name
    # What was handed in stays, in its round; the new one may have files of its own.
    assert await house.refused("amy", "POST", remove) == "rectification.wrong_state"
    proof = {"version": row["version"], "text": "再次学习"}
    row = (await house.ask("amy", "POST", f"{prove}/proof", **proof))["items"][0]
    assert (await house.ask("ins1", "GET", "/api/my/waiting"))["items"][0]["count"] == 1
    done = {"version": row["version"], "effective": True}
    row = (await house.ask("ins2", "POST", f"{check}/check", **done))["items"][0]
    assert (row["state"], [step["action"] for step in row["steps"]]) == (
        "effective",
        ["opened", "proven", "returned", "overdue", "proven", "effective"],
    )


async def _proof_files(house: House, rectification_id: str) -> str:
    """Hand in good and bad files; returns the id of the one that is left."""
    path = f"/api/my/rectifications/{rectification_id}/files"
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "PNG")
    picture, pdf = out.getvalue(), b"%PDF-1.4\n1 0 obj << /Type /Page >>\n%%EOF"

    async def send(name: str, content: bytes, kind: str, called: str = "x") -> Any:
        async with house.signed_in(name) as client:
            answer = await client.post(
                path, params={"name": called}, data=io.BytesIO(content), headers={"Content-Type": kind}
            )
            return await answer.json()

    for content, kind, code in (
        (b"", "image/png", "empty"), (b"MZ...", "image/png", "type"), (picture, "image/jpeg", "type"),
        (picture[:200], "image/png", "unreadable"), (pdf + b"/JavaScript ", "application/pdf", "active"),
        (b"x" * (10 * 1024 * 1024 + 1), "image/png", "too_large"),
    ):  # fmt: skip
        assert (await send("amy", content, kind))["error"]["code"] == f"document.{code}"
    assert (await send("bob", picture, "image/png"))["error"]["code"] == "rectification.not_found"
    files = (await send("amy", picture, "image/png", "../证书\u202egnp.exe"))["items"][0]["files"]
    assert [(file["name"], file["size_b"], file["round"]) for file in files] == [("证书gnp.png", len(picture), 1)]
    kept = str(files[0]["id"])
    second = (await send("amy", pdf, "application/pdf"))["items"][0]["files"][1]
    gone = await house.ask("amy", "POST", f"/api/my/rectification-files/{second['id']}/remove")
    assert [file["id"] for file in gone["items"][0]["files"]] == [kept]
    for name, status in (("amy", 200), ("boss", 200), ("ins1", 200), ("bob", 404), ("other", 404), ("ins3", 403)):
        async with house.signed_in(name) as client:
            answer = await client.get(f"/api/rectification-files/{kept}")
            assert answer.status == status, name
            if status == 200:
                assert (await answer.read(), answer.content_type) == (picture, "image/png")
    (stored,) = await house.store.keys("rectifications")
    assert picture[:40] not in await house.store.get(stored), "proof is encrypted"
    for _ in range(4):
        full = await send("amy", picture, "image/png")
    assert len(full["items"][0]["files"]) == 5
    assert (await send("amy", picture, "image/png"))["error"]["code"] == "rectification.files"
    for file in full["items"][0]["files"][1:]:
        await house.ask("amy", "POST", f"/api/my/rectification-files/{file['id']}/remove")
    assert await house.store.keys("rectifications") == [stored], "what was taken back or refused leaves nothing behind"
    return kept


async def test_coaching_and_best_cases(house: House) -> None:
    call = await house.call("amy", (*GOOD_TRANSFER, ("customer", 14.0, 14.9, "我的手机号是13812345678")))
    await house.ask("ins1", "POST", "/api/qa/coaching", call_id=call.id, at_s=9.0, text="语速放慢，回访13812345678")
    note = (await house.ask("amy", "GET", "/api/my/coaching"))["items"][0]
    assert (note["text"], note["read_at"]) == ("语速放慢，回访＊＊＊＊＊＊＊＊＊＊＊", None)
    assert (await house.ask("bob", "GET", "/api/my/coaching"))["items"] == []
    read = await house.ask("amy", "POST", f"/api/my/coaching/{note['id']}/read")
    assert read["items"][0]["read_at"] is not None
    case = {"call_id": call.id, "title": "开场白示范", "lesson": "亲切自然", "from_s": 0, "to_s": 15}
    await house.ask("ins1", "POST", "/api/cases", **case)
    found = (await house.ask("bob", "GET", "/api/cases"))["items"][0]
    assert ([line["start_s"] for line in found["lines"]], found["can_play"]) == ([2.0, 9.0, 14.0], False)
    assert "138" not in found["lines"][2]["text"]  # everybody reads the library
    assert await house.refused("ins1", "POST", "/api/cases", **{**case, "from_s": 50, "to_s": 60}) == "case.empty"
    await house.ask("lead", "POST", f"/api/cases/{found['id']}/withdraw")
    assert (await house.ask("bob", "GET", "/api/cases"))["items"] == []


async def test_calibration_is_blind_until_it_is_closed(house: House) -> None:
    call = await house.call("amy")
    await house.score("ins1", call, closing=0.0)
    ids = {name: row.id for name, row in house.staff.items()}
    session = {"title": "十一月校准", "call_number": call.number, "expert_id": ids["lead"]}
    made = await house.ask("lead", "POST", "/api/qa/calibrations", **session, participants=[ids["ins1"], ids["ins2"]])
    path = f"/api/qa/calibrations/{made['items'][0]['id']}"
    detail = await house.ask("ins2", "GET", f"/api/qa/calls/{call.id}")
    assert (detail["evaluation"]["answers"], detail["evaluation"]["score"], detail["steps"]) == ({}, None, [])
    items = [item["id"] for section in detail["form"]["sections"] for item in section["items"]]

    def marks(**shares: float | None) -> dict[str, Any]:
        return {item: {"fraction": shares.get(item, 1.0)} for item in items}

    await house.ask("ins1", "PUT", f"{path}/marks", answers=marks(closing=0.0))
    await house.ask("ins2", "PUT", f"{path}/marks", answers=marks(closing=0.5, fees=None))
    assert await house.refused("ins3", "PUT", f"{path}/marks", answers=marks()) == "calibration.not_found"
    seen = (await house.ask("ins2", "GET", "/api/qa/calibrations"))["items"][0]
    assert [scorer["answers"] is not None for scorer in seen["scorers"]] == [
        scorer["staff_id"] == ids["ins2"] for scorer in seen["scorers"]
    ]
    assert await house.refused("lead", "POST", f"{path}/close") == "calibration.no_expert"
    await house.ask("lead", "PUT", f"{path}/marks", answers=marks(closing=0.0))
    closed = (await house.ask("lead", "POST", f"{path}/close"))["items"][0]
    scorers = {scorer["staff_id"]: scorer for scorer in closed["scorers"]}
    assert (scorers[ids["ins1"]]["kappa"], scorers[ids["ins1"]]["deviation"]) == (1.0, 0.0)
    assert scorers[ids["ins2"]]["kappa"] < 1
    assert scorers[ids["ins2"]]["deviation"] == pytest.approx((0.5 + 1) / len(items), abs=0.001)
    assert 0 < closed["fleiss"] < 1
    assert await house.refused("ins1", "PUT", f"{path}/marks", answers=marks()) == "calibration.closed"


async def test_forms_are_drafted_checked_activated_and_then_left_alone(house: House) -> None:
    packaged = await house.ask("lead", "GET", "/api/qa/forms/counter_form-1")
    form = packaged["form"]
    form["sections"][0]["items"][0]["weight"] = 7
    check = await house.ask("lead", "POST", "/api/qa/forms/check", revision=0, form=form)
    assert (check["total"], len(check["problems"])) == (99.0, 1)
    assert await house.refused("lead", "POST", "/api/qa/forms", revision=0, form=form) == "form.invalid"
    form["sections"][0]["items"][0]["weight"], form["sections"][0]["items"][1]["weight"] = 7.5, 12.5
    draft = await house.ask("lead", "POST", "/api/qa/forms", revision=0, form=form)
    assert (draft["form_version"], draft["state"], draft["revision"]) == ("counter_form-2", "draft", 1)
    assert await house.refused("lead", "POST", "/api/qa/forms", revision=0, form=form) == "form.stale"
    before = await house.call("amy")
    path = "/api/qa/forms/counter_form-2/activate"
    assert await house.refused("ins1", "POST", path, revision=1) == "auth.denied"
    assert (await house.ask("lead", "POST", path, revision=1))["state"] == "active"
    assert await house.refused("lead", "POST", path, revision=1) == "form.not_draft"
    after = await house.call("amy")
    versions = [
        (await house.ask("ins1", "GET", f"/api/qa/calls/{call.id}"))["form"]["version"] for call in (before, after)
    ]
    assert versions == ["counter_form-1", "counter_form-2"]
    # The next save begins version 3; version 2 stays as it is.
    third = await house.ask("lead", "POST", "/api/qa/forms", revision=0, form=form)
    assert third["form_version"] == "counter_form-3"
    rows = {row["form_version"]: row for row in (await house.ask("lead", "GET", "/api/qa/forms"))["items"]}
    assert {key: row["state"] for key, row in rows.items()} == {
        "counter_form-1": "packaged", "counter_form-2": "active", "counter_form-3": "draft",
    }  # fmt: skip
    assert rows["counter_form-2"]["used"] == 1


async def test_every_number_of_the_report_is_the_length_of_its_list(house: House) -> None:
    await house.score("ins1", await house.call("amy"))
    await house.score("ins2", await house.call("amy", PROMISE), no_promise=0.0)
    await house.score("ins1", await house.call("bob"), identity=0.0, closing=0.0, greeting=0.0)
    today = (house.database.clock.now() + timedelta(hours=8)).date()
    span = f"first={today - timedelta(days=2)}&last={today}"
    report = await house.ask("lead", "GET", f"/api/qa/reports?{span}")
    totals = report["totals"]
    assert (totals["inspected"], totals["passed"], totals["fatal"]) == (3, 1, 1)
    assert (totals["pass_rate"], totals["fatal_rate"]) == (33.3, 33.3)

    async def length(metric: str, value: str = "", more: str = "") -> int:
        rows = await house.ask("lead", "GET", f"/api/qa/reports/rows?{span}&metric={metric}&value={value}{more}")
        assert rows["total"] == len(rows["items"])
        return int(rows["total"])

    for metric in ("inspected", "passed", "fatal", "appealed", "upheld"):
        assert await length(metric) == totals[metric], metric
    for defect in report["defects"]:
        assert await length("defect", defect["category"]) == defect["count"]
    for rule in report["rules"]:
        assert await length("rule", rule["rule_id"]) == rule["hits"]
    for teller in report["tellers"]:
        assert await length("inspected", more=f"&teller={teller['key']}") == teller["inspected"]
    for by in ("quality", "team", "defect", "rule"):
        trends = await house.ask("lead", "GET", f"/api/qa/reports/trends?{span}&by={by}")
        days = [f"&first={one['first']}&last={one['last']}" for one in trends["spans"]]
        assert trends["rows"]
        for row in trends["rows"][:4]:
            group = f"&team={row['key']}" if by == "team" else ""
            for day, cell in zip(days, row["cells"], strict=True):
                path = f"/api/qa/reports/rows?metric={row['metric']}&value={row['value']}{group}{day}"
                assert (await house.ask("lead", "GET", path))["total"] == cell["count"], (by, row["key"])
    assert {defect["category"]: defect["count"] for defect in report["defects"]} == {
        "entry_error": 0, "operation": 2, "verification": 1, "other": 0,
    }  # fmt: skip
    assert sum(bucket["inspected"] for bucket in report["trend"]) == 3
    assert [team["key"] for team in report["teams"]] == ["一组", "二组"]
    confined = await house.ask("boss", "GET", f"/api/qa/reports?{span}&team=二组")
    assert (confined["scope"], confined["totals"]["inspected"], confined["inspectors"]) == ("一组", 2, [])
    assert await house.refused("amy", "GET", f"/api/qa/reports?{span}") == "auth.denied"
    assert await house.refused("lead", "GET", "/api/qa/reports?first=2026-02-30&last=2026-03-01") == "report.days"


async def test_exports_are_real_files(house: House) -> None:
    await house.score("ins1", await house.call("amy"), closing=0.0)
    today = (house.database.clock.now() + timedelta(hours=8)).date()
    span = f"first={today}&last={today}"
    async with house.signed_in("lead") as client:
        book = await (await client.get(f"/api/qa/reports/workbook.xlsx?{span}")).read()
        lines = await (await client.get(f"/api/qa/reports/rows.csv?{span}&metric=inspected")).read()
        month = await (await client.get(f"/api/qa/reports/months/{today:%Y-%m}.pdf")).read()
        for wrong in ("0000-01", "9999-12", "2026-13"):
            assert (await client.get(f"/api/qa/reports/months/{wrong}.pdf")).status == 400
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert archive.testzip() is None
        strings = archive.read("xl/sharedStrings.xml").decode()
        assert all(word in strings for word in ("结束语", "整改按时", "录入差错"))
    text = lines.decode("utf-8-sig").splitlines()
    assert len(text) == 2
    assert house.staff["amy"].display_name in text[1]
    assert month.startswith(b"%PDF-")
    assert b"NotoSansSC" in month
