"""The demo's helper: one-time codes through the simulated message centre, only in the demo, only the visit's own."""

from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from business import FORMS, MASTER_KEY, PhoneFile, build_room, let_jobs_run, open_desk
from id_cards import Card
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from test_counter_identity import read_at_once, refusal, show_card

from core.bus import Bus
from core.db import Database
from core.rate_limit import RateLimiter
from core.settings import Settings
from core.store import open_store
from server.app.bank import bring_bank
from server.counter import room as counter_room
from server.counter.demo.aids import DemoAids, demo_card, demo_people
from server.counter.ocr.engine import read_picture
from server.simbank.app import Simulator
from server.simbank.customers import DEMO_ACCOUNTS
from server.simbank.ledger import prepare

__all__ = ["read_at_once"]


async def test_a_code_reaches_the_simulated_phone_and_nobody_else(
    database: Database, database_url: str, bus: Bus, redis: Redis, tmp_path: Path, read_at_once: dict[str, Card]
) -> None:
    engine = create_async_engine(database_url)
    await prepare(engine)
    async with TestServer(Simulator(engine, "token").application()) as centre, ClientSession() as http:
        url = str(centre.make_url("/sms"))
        settings = Settings(data_dir=tmp_path, demo=True, sms_url=url, sms_token="token", letter_box_url=url)
        store = open_store(None, tmp_path)
        room = counter_room.build(database, bus, store, MASTER_KEY, settings, RateLimiter(redis), http, PhoneFile())
        aids = DemoAids(database, room.cases.engine.book, MASTER_KEY, settings, http)
        desk = await open_desk(database, room, "password_reset")
        await desk.start("password_reset")
        await desk.act("customer", "form", "fill", values=FORMS["password_reset"])
        await desk.act("teller", "form", "accept")
        await show_card(desk)
        await desk.act("teller", "identity", "verify")
        await let_jobs_run(desk)
        assert (await aids.help(desk.customer)).messages == []
        await desk.act("teller", "identity", "send_code")
        await let_jobs_run(desk)
        await let_jobs_run(desk, again=True)  # a repeated job is the same message
        seen = await aids.help(desk.customer)
        assert [message.phone for message in seen.messages] == ["138****8000"]
        code = seen.messages[0].text.split("验证码是 ")[1][:6]
        await desk.act("customer", "identity", "enter_code", code=code)
        assert (await desk.step("identity")).details["phone"]["verdict"] == "match"
        right = [answer.answer for answer in seen.answers]
        await desk.act("teller", "identity", "ask_challenge")
        await let_jobs_run(desk)
        questions = (await desk.step("identity", "customer")).details["challenge"]["questions"]
        answers = {question["key"]: answer for question, answer in zip(questions, right, strict=True)}
        await desk.act("customer", "identity", "answer", answers=answers)
        await let_jobs_run(desk)
        assert (await desk.act("teller", "identity", "accept")).identity_level == 3
        other = await open_desk(database, room, "password_reset")
        assert (await aids.help(other.customer)).messages == []
        real = Settings(data_dir=tmp_path, sms_url=url, sms_token="token", letter_box_url=url)
        quiet = DemoAids(database, room.cases.engine.book, MASTER_KEY, real, http)
        assert (await quiet.help(desk.customer)).model_dump() == {
            "on": False, "people": [], "messages": [], "answers": [],
        }  # fmt: skip
    await engine.dispose()


async def test_a_centre_that_is_down_sends_no_code(
    database: Database, bus: Bus, redis: Redis, tmp_path: Path, read_at_once: dict[str, Card]
) -> None:
    async with ClientSession() as http:
        settings = Settings(data_dir=tmp_path, sms_url="http://127.0.0.1:9/sms")
        room = counter_room.build(
            database, bus, open_store(None, tmp_path), MASTER_KEY, settings, RateLimiter(redis), http, PhoneFile()
        )
        desk = await open_desk(database, room, "password_reset")
        await desk.start("password_reset")
        await desk.act("customer", "form", "fill", values=FORMS["password_reset"])
        await desk.act("teller", "form", "accept")
        await show_card(desk)
        await desk.act("teller", "identity", "verify")
        await let_jobs_run(desk)
        await desk.act("teller", "identity", "send_code")
        await let_jobs_run(desk)
        step = await desk.step("identity")
        assert (step.state, step.reason) == ("active", "identity.phone_unavailable")


def test_only_an_own_centre_has_a_letter_box(tmp_path: Path) -> None:
    demo, other = Settings(data_dir=tmp_path, demo=True), Settings(data_dir=tmp_path)
    real = Settings(data_dir=tmp_path, demo=True, sms_url="http://127.0.0.1:9/sms")
    assert all(bring_bank(settings) for settings in (demo, other, real))
    assert demo.letter_box_url == demo.sms_url
    assert (other.letter_box_url, real.letter_box_url) == (None, None)


def test_invented_customers_have_accounts_and_cards() -> None:
    accounts = {(each.number, each.owner_name, each.id_number, each.phone) for each in DEMO_ACCOUNTS}
    for person in demo_people():
        values = person.values
        assert (values["account"], values["name"], values["id_number"], values["phone"]) in accounts
        for side in ("front", "back"):
            assert demo_card(person.key, side).startswith(b"\xff\xd8")
    front = read_picture(demo_card("xiuying", "front"), "front").fields
    assert (front["name"].value, front["id_number"].value) == ("王秀英", "310104195005121220")


async def test_no_card_for_anybody_else(database: Database, bus: Bus, redis: Redis, tmp_path: Path) -> None:
    for person, side in (("../people", "front"), ("wang", "top")):

        async def ask(person: str = person, side: str = side) -> bytes:
            return demo_card(person, side)

        assert await refusal(ask()) == "object.not_found"
    assert not DemoAids(
        database, build_room(database, bus, redis, tmp_path).cases.engine.book, MASTER_KEY, Settings(demo=True), None
    ).on


@pytest.mark.parametrize("phone", ["", "abc"])
async def test_the_letter_box_needs_the_token(database_url: str, phone: str) -> None:
    engine = create_async_engine(database_url)
    await prepare(engine)
    async with TestServer(Simulator(engine, "token").application()) as centre, ClientSession() as http:
        assert (await http.get(centre.make_url("/sms"), params={"phone": phone})).status == 401
        headers = {"Authorization": "Bearer token"}
        answer = await http.get(centre.make_url("/sms"), params={"phone": phone}, headers=headers)
        assert await answer.json() == []
    await engine.dispose()
