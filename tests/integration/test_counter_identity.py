"""Identity with real OCR of generated cards, simulated services in every mood, documents and what is refused."""

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from business import FORMS, Desk, build_room, hand_in, let_jobs_run, open_desk
from id_cards import Card, back, front, jpeg, photographed
from PIL import Image
from redis.asyncio import Redis
from sqlalchemy import text
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.models import AuditEntry, CaseDocument, CaseStep, Consent, PhoneCode, metadata
from core.rate_limit import RateLimiter
from server.counter.id_card import ID_FIELDS_BACK, ID_FIELDS_FRONT
from server.counter.ocr import engine as ocr_engine
from server.counter.ocr.card import Read
from server.counter.ocr.engine import CardReading
from server.counter.schemas import ConsentRequest
from server.counter.service import CounterService
from server.counter.simulators.identity import right_answer
from server.counter.who.codes import CodeBook
from server.counter.wordings import current_wording

FACE = jpeg(Image.new("RGB", (640, 480), (180, 150, 130)))
FRONT, BACK = jpeg(front(Card())), jpeg(back(Card()))


async def refusal(call: Any) -> str:
    with pytest.raises(CounterError) as refused:
        await call
    return refused.value.code


async def desk_at_identity(
    database: Database, bus: Bus, redis: Redis, folder: Path, business: str = "account_opening", **more: Any
) -> Desk:
    """The form is taken over, the identity step is open."""
    simulation = more.pop("simulation", "")
    desk = await open_desk(database, build_room(database, bus, redis, folder, identity_simulation=simulation), business)
    await desk.start(business)
    values = {**FORMS[business], **more}
    await desk.act("customer", "form", "fill", values=values)
    await desk.act("teller", "form", "accept")
    return desk


@pytest.fixture
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> dict[str, Card]:
    """Reads every card without looking, where the reading itself is not what is tested."""
    shown = {"card": Card()}

    def read(picture: bytes, face: Any) -> CardReading:
        names = ID_FIELDS_FRONT if face == "front" else ID_FIELDS_BACK
        return CardReading(face, {name: Read(shown["card"].fields[name], 0.99) for name in names})

    monkeypatch.setattr("server.counter.who.ask.read_picture", read)
    return shown


async def agree(desk: Desk, granted: bool = True) -> None:
    version = (await desk.step("identity", "customer")).details["face_consent"]["wording_version"]
    await desk.act("customer", "identity", "consent_face", wording_version=version, granted=granted)


async def show_card(desk: Desk) -> None:
    await agree(desk)
    for code, picture in (("id_front", FRONT), ("id_back", BACK), ("face", FACE)):
        await hand_in(desk, "identity", code, picture)
    await let_jobs_run(desk)


@pytest.mark.parametrize(
    "look", [{"turned": 90}, {"turned": 183, "blur": 1.2, "glare": True}, {"turned": -18}], ids=str
)
def test_real_reading_of_photographed_cards(look: dict[str, Any]) -> None:
    card = Card()
    got: dict[str, str] = {}
    for face, image in (("front", front(card)), ("back", back(card))):
        reading = ocr_engine.read_picture(jpeg(photographed(image, **look)), face)  # type: ignore[arg-type]
        got |= {name: read.value for name, read in reading.fields.items()}
    wrong = {name: got.get(name) for name, value in card.fields.items() if got.get(name) != value}
    assert len(wrong) <= 1, wrong
    assert not wrong.keys() & {"id_number", "name", "valid_until"}


async def test_opening_with_a_read_card(database: Database, bus: Bus, redis: Redis, tmp_path: Path) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path)
    await hand_in(desk, "identity", "id_front", jpeg(photographed(front(Card()), turned=3)))
    assert (await desk.step("identity")).state == "waiting"
    await hand_in(desk, "identity", "id_back", BACK)
    assert await refusal(hand_in(desk, "identity", "face", FACE)) == "consent.face_required"
    assert await refusal(desk.act("customer", "identity", "consent_face", wording_version="1", granted=True)) == (
        "consent.outdated"
    )
    await agree(desk)
    await hand_in(desk, "identity", "face", FACE)
    assert await let_jobs_run(desk) == 2
    seen = await desk.step("identity")
    assert seen.state == "active"
    assert {key: seen.details["fields"][key] for key in ("name", "id_number", "valid_until")} == {
        key: Card().fields[key] for key in ("name", "id_number", "valid_until")
    }
    assert "fields" not in (await desk.step("identity", "customer")).details
    await desk.act("teller", "identity", "correct", fields={**Card().fields})
    assert await refusal(desk.act("teller", "identity", "accept")) == "identity.incomplete"
    await desk.act("teller", "identity", "verify")
    await let_jobs_run(desk)
    await let_jobs_run(desk, again=True)  # handlers run at least once: a second time changes nothing
    after = await desk.act("teller", "identity", "accept")
    assert (after.identity_level, after.customer_class) == (2, "adult")
    assert await refusal(desk.act("teller", "documents", "fly")) == "step.unknown_action"
    async with database.read() as session:
        stored = (await session.scalars(select(CaseDocument))).all()
        audit = " ".join(str(row.detail) for row in (await session.scalars(select(AuditEntry))).all())
    assert Card().id_number not in audit
    content, kind = await desk.room.documents.open(desk.teller, stored[0].id, small=True)
    assert (kind, content[:2]) == ("image/jpeg", b"\xff\xd8")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "objects").rglob("*") if path.is_file())
    assert FACE[:200] not in kept


@pytest.mark.parametrize(
    ("change", "simulation", "form", "reason", "ended"),
    [
        ({"valid_until": "2020-01-01", "valid_from": "2010-01-01"}, "", {}, "identity.expired", True),
        ({"birth": "1990-03-08"}, "", {}, "identity.mismatch", False),
        ({}, "", {"name": "王大明"}, "identity.form_differs", False),
        ({}, "registry=no_match", {}, "identity.not_registered", True),
        ({}, "registry=down", {}, "identity.registry_unavailable", False),
        ({}, "face=no_match", {}, "identity.face_differs", False),
        ({}, "face=down", {}, "identity.face_unavailable", False),
    ],
)
async def test_what_does_not_fit_goes_no_further(
    database: Database,
    bus: Bus,
    redis: Redis,
    tmp_path: Path,
    read_at_once: dict[str, Card],
    change: dict[str, str],
    simulation: str,
    form: dict[str, str],
    reason: str,
    ended: bool,
) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path, simulation=simulation, **form)
    await show_card(desk)
    if change:
        await desk.act("teller", "identity", "correct", fields=change)
    await desk.act("teller", "identity", "verify")
    await let_jobs_run(desk)
    step = await desk.step("identity")
    assert (step.reason, (await desk.seen("teller")).state == "stopped") == (reason, ended)
    code = "case.ended" if ended else "identity.incomplete"
    assert await refusal(desk.act("teller", "identity", "accept")) == code
    assert (await desk.seen("teller")).identity_level == 0


async def test_no_code_goes_to_a_phone_that_the_bank_does_not_hold(
    database: Database, bus: Bus, redis: Redis, tmp_path: Path, read_at_once: dict[str, Card]
) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path, "password_reset", phone="13911112222")
    await show_card(desk)
    await desk.act("teller", "identity", "verify")
    await let_jobs_run(desk)
    await desk.act("teller", "identity", "send_code")
    code = CodeBook(desk.cases.engine.book._sealer, b"m" * 32).open(await _newest_code(database))
    await let_jobs_run(desk)
    step = await desk.step("identity")
    assert (step.reason, step.details["phone"]["state"]) == ("identity.phone_not_on_file", "failed")
    assert await refusal(desk.act("customer", "identity", "enter_code", code=code)) == "identity.no_code"


async def everything_kept(database: Database, desk: Desk) -> str:
    """All rows of all tables as text, with what is sealed in steps opened."""
    sealer = desk.cases.engine.book._sealer
    async with database.read() as session:
        rows = [
            row
            for table in metadata.sorted_tables
            for row in (await session.scalars(text(f'select to_jsonb(t)::text from "{table.name}" t'))).all()
        ]
        steps = (await session.scalars(select(CaseStep))).all()
    opened = [sealer.open(step.sealed, f"{step.case_id}/{step.key}") for step in steps]
    return "\n".join([*rows, json.dumps(opened, ensure_ascii=False)])


async def test_codes_and_questions_of_a_password_reset(
    database: Database,
    bus: Bus,
    redis: Redis,
    tmp_path: Path,
    read_at_once: dict[str, Card],
    capfd: pytest.CaptureFixture[str],
) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path, "password_reset")
    await show_card(desk)
    assert await refusal(desk.act("customer", "identity", "enter_code", code="123456")) == "identity.no_code"
    assert await refusal(desk.act("teller", "identity", "send_code")) == "identity.incomplete"
    await desk.act("teller", "identity", "verify")
    await let_jobs_run(desk)
    await desk.act("teller", "identity", "send_code")
    code_row = await _newest_code(database)
    code = CodeBook(desk.cases.engine.book._sealer, b"m" * 32).open(code_row)
    await let_jobs_run(desk)
    assert (await _newest_code(database)).sealed is None
    assert await refusal(desk.act("customer", "identity", "enter_code", code="１２３４５６")) == "input.invalid"
    wrong = "000000" if code != "000000" else "111111"
    await desk.act("customer", "identity", "enter_code", code=wrong)
    assert (await desk.step("identity", "customer")).reason == "identity.code_wrong"
    await desk.act("customer", "identity", "enter_code", code=code)
    assert (await desk.step("identity")).details["phone"]["verdict"] == "match"
    # Neither the right code nor a wrong one is kept anywhere, nor logged. (Not within longer numbers or ids.)
    written = await everything_kept(database, desk) + "".join(capfd.readouterr())
    assert Card().id_number in written
    for typed in (code, wrong):
        assert re.search(rf"(?<![\w.]){typed}(?!\w)", written) is None
    await desk.act("teller", "identity", "ask_challenge")
    await let_jobs_run(desk)
    questions = (await desk.step("identity", "customer")).details["challenge"]["questions"]
    bad = {question["key"]: "别的" for question in questions}
    assert await refusal(desk.act("customer", "identity", "answer", answers=bad)) == "input.invalid"
    right = {question["key"]: right_answer(Card().id_number, question["key"]) for question in questions}
    await desk.act("customer", "identity", "answer", answers=right)
    await let_jobs_run(desk)
    assert (await desk.act("teller", "identity", "accept")).identity_level == 3


async def _newest_code(database: Database) -> PhoneCode:
    async with database.read() as session:
        return (await session.scalars(select(PhoneCode))).one()


async def test_documents_are_judged_one_by_one(
    database: Database, bus: Bus, redis: Redis, tmp_path: Path, read_at_once: dict[str, Card]
) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path)
    await show_card(desk)
    await desk.act("teller", "identity", "verify")
    await let_jobs_run(desk)
    await desk.act("teller", "identity", "accept")
    picture = jpeg(Image.new("RGB", (600, 800), "white"))
    script = b"%PDF-1.4 /Type /Page /OpenAction << /JS (x) >> %%EOF"
    for content, kind, code in (
        (b"", "image/jpeg", "document.empty"),
        (b"GIF89a" + b"x" * 300, "image/gif", "document.type"),
        (picture, "application/pdf", "document.type"),
        (picture[: len(picture) // 2], "image/jpeg", "document.unreadable"),
        (script, "application/pdf", "document.active"),
        (b"%PDF-1.4 /Type /Page /Names << /J#61vaScript (x) >> %%EOF", "application/pdf", "document.active"),
    ):
        assert await refusal(hand_in(desk, "documents", "residence_proof", content, kind=kind)) == code
    assert await refusal(hand_in(desk, "documents", "passport", picture)) == "document.unknown"
    assert await refusal(hand_in(desk, "identity", "id_front", picture)) == "step.not_open"
    assert not list((tmp_path / "objects").rglob("*thumbnail*"))[4:]
    first = await hand_in(desk, "documents", "residence_proof", picture)
    assert await refusal(desk.act("teller", "documents", "done")) == "document.missing"
    unsure = {"document_id": first, "genuine": True, "complete": False, "valid": True}
    assert await refusal(desk.act("teller", "documents", "accept", **unsure)) == "input.invalid"
    await desk.act("teller", "documents", "return", document_id=first, reason="not_complete", note="请把整页拍进来")
    told = await desk.step("documents", "customer")
    assert (told.reason, told.details["documents"][0]["note"]) == ("document.not_complete", "请把整页拍进来")
    second = await hand_in(
        desk, "documents", "residence_proof", b"%PDF-1.4\n1 0 obj<</Type /Page >>\n%%EOF", kind="application/pdf"
    )
    checks = {"genuine": True, "complete": True, "valid": True}
    await desk.act("teller", "documents", "accept", document_id=second, **checks)
    await desk.act("teller", "documents", "done")
    assert (await desk.step("fee")).state == "active"
    assert await refusal(desk.room.documents.open(desk.customer, "doc_unknown", small=False)) == "document.not_found"


async def test_who_takes_the_consent_to_the_face_back_answers_questions(
    database: Database, bus: Bus, redis: Redis, tmp_path: Path, read_at_once: dict[str, Card]
) -> None:
    desk = await desk_at_identity(database, bus, redis, tmp_path)
    visits = CounterService(database, RateLimiter(redis), "key", 60.0, AsyncMock())
    word = ConsentRequest(purpose="face", wording_version=current_wording("face").version, granted=False)
    await show_card(desk)
    await desk.act("teller", "identity", "verify")  # the question is on its way
    picture = next(each for each in (await desk.step("identity")).details["documents"] if each["code"] == "face")
    await visits.record_consent(desk.customer, word)
    assert await refusal(desk.room.documents.open(desk.teller, picture["id"], small=False)) == "document.forgotten"
    await let_jobs_run(desk)
    seen = (await desk.step("identity")).details
    assert seen["face"].get("verdict") is None, "nothing was compared"
    assert "face" not in seen["wanted"]
    assert "face" not in {each["code"] for each in seen["documents"]}
    assert seen["outstanding"] == ["challenge"]
    assert await refusal(desk.act("teller", "identity", "accept")) == "identity.incomplete"
    await desk.act("teller", "identity", "ask_challenge")
    await let_jobs_run(desk)
    asked = (await desk.step("identity", "customer")).details["challenge"]["questions"]
    answers = {each["key"]: right_answer(Card().id_number, each["key"]) for each in asked}
    await desk.act("customer", "identity", "answer", answers=answers)
    await let_jobs_run(desk)
    assert (await desk.act("teller", "identity", "accept")).identity_level == 2
    told = {each.purpose: each for each in await visits.consents(desk.customer)}
    assert (told["face"].granted, told["recording"].granted) == (False, True)
    assert "照片" in told["face"].text_zh
    async with database.read() as session:
        words = (await session.scalars(select(Consent).where(col(Consent.purpose) == "face"))).all()
        actions = {row.action for row in (await session.scalars(select(AuditEntry))).all()}
    assert sorted(row.granted for row in words) == [False, True]
    assert {row.wording_sha256 for row in words} == {current_wording("face").sha256("zh-CN")}
    assert "document.forgotten" in actions
