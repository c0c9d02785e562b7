"""Verdicts on findings and corrections of transcripts over HTTP, against the real database."""

from typing import Any

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from http_app import always, serving
from sqlmodel import col, select

from core.db import Database
from core.events import TranscriptReady
from core.models.qa import Finding
from core.models.system import AuditEntry
from core.models.transcript import TranscriptCorrection, TranscriptSegment
from core.redaction import MASK, redact, uncover
from core.security.actor import staff_actor
from qa.compliance.rules import load_rules
from qa.compliance.service import ComplianceService
from qa.desk.service import DeskService
from qa.evidence.error_rate import character_errors
from qa.evidence.routes import routes
from qa.evidence.service import EvidenceService
from qa.scoring.form import load_form


@pytest.fixture
def rows(database: Database) -> CallRows:
    return CallRows(database)


async def refusal(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def checked_call(rows: CallRows, teller: Any) -> Any:
    call = await rows.call(teller)
    await rows.transcript(call, (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你烦不烦，听不懂吗？")))
    ready = TranscriptReady(at=rows.database.clock.now(), call_id=call.id, transcribed=True, engine="test")
    await ComplianceService(rows.database, load_rules()).on_transcript_ready(ready)
    return call


async def test_an_inspector_confirms_rejects_and_takes_back(rows: CallRows, database: Database) -> None:
    teller, inspector = await rows.staff("t", "teller"), await rows.staff("i", "inspector")
    call = await checked_call(rows, teller)
    async with database.read() as session:
        rude = select(Finding).where(col(Finding.call_id) == call.id, col(Finding.rule_id) == "rude_words")
        finding = (await session.scalars(rude)).first()
    assert finding is not None
    assert finding.verdict is None
    path = f"/api/qa/findings/{finding.id}/verdict"
    table = routes(EvidenceService(database))
    async with serving([table], always(staff_actor(inspector.id, inspector.roles))) as client:
        for verdict in ("rejected", "confirmed", "confirmed", None):
            told = await (await client.put(path, json={"verdict": verdict})).json()
            assert told["verdict"] == verdict
            assert told["verdict_by"] == ("i的姓名" if verdict else None)
        assert await refusal(await client.put(path, json={"verdict": "perhaps"})) == (400, "input.invalid")
        assert await refusal(await client.put("/api/qa/findings/no/verdict", json={"verdict": None})) == (
            404,
            "finding.not_found",
        )
    async with serving([table], always(staff_actor(teller.id, ["teller", "inspector"]))) as client:
        assert await refusal(await client.put(path, json={"verdict": "rejected"})) == (403, "qa.own_call")
    async with serving([table], always(staff_actor(teller.id, ["teller"]))) as client:
        assert await refusal(await client.put(path, json={"verdict": "rejected"})) == (403, "auth.denied")
    async with database.read() as session:
        audited = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "qa.verdict"))).all()
    assert [entry.detail["after"] for entry in audited] == ["rejected", "confirmed", None]


async def test_a_correction_is_kept_beside_the_machine_text(rows: CallRows, database: Database) -> None:
    teller, inspector = await rows.staff("t", "teller"), await rows.staff("i", "inspector")
    call = await checked_call(rows, teller)
    async with database.read() as session:
        mine = select(TranscriptSegment).where(col(TranscriptSegment.call_id) == call.id)
        segment = (await session.scalars(mine.order_by(col(TranscriptSegment.start_s)))).first()
    assert segment is not None
    path = f"/api/qa/segments/{segment.id}/correction"
    said = segment.text.replace("空中柜面", "空中柜台")
    async with serving(
        [routes(EvidenceService(database))], always(staff_actor(inspector.id, inspector.roles))
    ) as client:
        first = await (await client.put(path, json={"version": 0, "text": said})).json()
        assert (first["version"], first["text"], first["corrected_by"]) == (1, said, "i的姓名")
        stale = await client.put(path, json={"version": 0, "text": "别的"})
        assert await refusal(stale) == (409, "transcript.correction_stale")
        again = await (await client.put(path, json={"version": 1, "text": said})).json()
        assert again["version"] == 2
        told = await (await client.get(f"/api/qa/calls/{call.id}/corrections")).json()
        assert [item["segment_id"] for item in told["items"]] == [segment.id]
        assert told["character_errors"] == 1
        assert told["characters"] == character_errors("", said)[1]
        missing = await client.put("/api/qa/segments/no/correction", json={"version": 0, "text": "x"})
        assert await refusal(missing) == (404, "transcript.segment_not_found")
        voice = await (await client.get(f"/api/qa/calls/{call.id}/voice")).json()
        assert voice["end_reason"] == call.end_reason
        assert voice["teller"]["share"] + voice["customer"]["share"] == pytest.approx(1.0, abs=0.01)
        assert voice["teller"]["talk_s"] > 0
        assert voice["teller"]["chars_per_s"] > 0
        assert voice["teller"]["level_db"] == -20.5
        nowhere = await client.get("/api/qa/calls/call_none/voice")
        assert await refusal(nowhere) == (404, "call.not_found")
    async with database.read() as session:
        kept = await session.get(TranscriptSegment, segment.id)
    assert kept is not None
    assert kept.text == segment.text


async def test_numbers_are_covered_for_inspectors_but_not_for_their_lead(rows: CallRows, database: Database) -> None:
    teller = await rows.staff("t", "teller")
    people = {role: await rows.staff(role, role) for role in ("inspector", "qa_lead")}
    call = await rows.call(teller, note="回拨13800138000")
    spoken = (("customer", 2.0, 4.0, "我的电话是一三八零零"), ("customer", 5.0, 7.0, "一三八零零零，再见"))
    await rows.transcript(call, spoken)
    shown = {}
    for role, person in people.items():
        desk = DeskService(database, load_form())
        detail = await desk.open_call(staff_actor(person.id, person.roles), call.id)
        shown[role] = [segment.text for segment in detail.segments]
        assert detail.note == ("回拨13800138000" if role == "qa_lead" else f"回拨{MASK * 11}"), "typed ones, too"
        segment_id = detail.segments[0].id
    assert shown["qa_lead"] == [text for *_, text in spoken]
    assert shown["inspector"] == [f"我的电话是{MASK * 5}", f"{MASK * 6}，再见"]
    # An inspector corrects other words of a covered text without seeing the number.
    path = f"/api/qa/segments/{segment_id}/correction"
    inspector = staff_actor(people["inspector"].id, ["inspector"])
    async with serving([routes(EvidenceService(database))], always(inspector)) as client:
        alone = redact("我的电话是一三八零零")  # five digits are no phone: only together with what follows
        assert alone == "我的电话是一三八零零"
        fewer = await client.put(path, json={"version": 0, "text": f"我的号码是{MASK * 4}"})
        assert await refusal(fewer) == (400, "transcript.covered")
        kept = await (await client.put(path, json={"version": 0, "text": f"我的号码是{MASK * 5}"})).json()
        assert kept["text"] == f"我的号码是{MASK * 5}"
        listed = await (await client.get(f"/api/qa/calls/{call.id}/corrections")).json()
        assert listed["items"][0]["text"] == kept["text"]
    async with database.read() as session:
        correction = await session.get(TranscriptCorrection, segment_id)
    assert correction is not None
    assert correction.text == "我的号码是一三八零零"


def test_covered_numbers_come_back() -> None:
    said = "电话13800138000，谢谢"
    assert uncover(redact(said).replace("谢谢", "再见"), said, redact(said)) == "电话13800138000，再见"
    assert uncover(f"电话{MASK * 3}", said, redact(said)) is None


def test_numbers_and_punctuation_are_no_errors() -> None:
    assert character_errors("我是柜员1001号", "我是柜员一零零一号。") == (0, 9)
    assert character_errors("宝本保锡", "保本保息") == (2, 4)
