"""Every business to its end as the pages do it: sockets of both sides, uploads and the second person over HTTP, the
worker's jobs, the simulated bank. And what each refuses on the way.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from business import FORMS, PERSON
from call_rows import CallRows
from edge_house import EdgeHouse, edge_house
from id_cards import Card, back, front, jpeg
from money_house import ANSWERS, STROKES, work_off
from PIL import Image
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select
from test_counter_identity import read_at_once

from core.errors import CounterError
from core.ids import new_id
from core.models import Call, Consent, Recording, RecordingState, Staff
from core.rate_limit import RateLimiter
from core.security.actor import system_actor
from core.settings import Settings
from server.app import transactions
from server.counter import room as counter_room
from server.simbank.app import Simulator
from server.simbank.ledger import prepare
from signaling.client import SignalingClient

__all__ = ["read_at_once"]

ACCOUNT, SPARE, PAYEE = FORMS["transfer"]["account"], "6222021234567890456", FORMS["transfer"]["payee_account"]
PHONE = "13800138000"
ALL: dict[str, dict[str, Any]] = {
    "inquiry": {"topic": "fees", "question": "转账要收多少钱？"},
    "account_opening": FORMS["account_opening"],
    "transfer": FORMS["transfer"],
    "bill_payment": {**PERSON, "account": ACCOUNT, "kind": "water", "customer_number": "A-10 023", "amount": 12_345},
    "wealth_signing": {
        **PERSON, "account": ACCOUNT, "product": "stable_r1", "risk_class": "c3", "amount": 5_000_000,
    },
    "password_reset": FORMS["password_reset"],
    "loss_report": {**PERSON, "account": SPARE, "phone": PHONE, "operation": "lock", "remark": "昨天在公交车上丢的"},
    "info_change": {**PERSON, "phone": "13900139000", "address": "北京市海淀区中关村大街1号"},
    "account_closing": {**PERSON, "account": ACCOUNT, "to_account": SPARE, "cause": "moving"},
}  # fmt: skip
PICTURES = {
    "id_front": jpeg(front(Card())),
    "id_back": jpeg(back(Card())),
    "face": jpeg(Image.new("RGB", (640, 480), (180, 150, 130))),
}
# What no field of a type may hold: look-alikes, invisible letters, too long, another type, amounts that are none.
WRONG: dict[str, tuple[Any, ...]] = {
    "name": ("王小明1", "王\u200b小明", "Ｗang", "明" * 60, 5),
    "id_number": ("11010519900307453６", "110105199003074537", "110105199013074536", "1", 110105199003074536),
    "account": ("62220212345678901２3", "6222 0212 3456 7890", "-622202123456789", "6" * 30, 6222021234567890),
    "amount": (0, -1, 10**30, "100", 1.5, True, None),
    "phone": ("1380013800", "１3800138000", "+8613800138000", 13800138000),
    "text": ("x" * 300, "a\u202eb", "ＡＢＣ123", 7),
    "choice": ("nothing", "ＬＯＣＫ", 3),
    "email": ("a@b", "ａ@b.com", "x" * 70 + "@b.com"),
}


class Floor:
    """One running call on a real edge, and everybody who takes part."""

    def __init__(self, house: EdgeHouse, bank: Simulator, stack: AsyncExitStack) -> None:
        self.house, self.bank, self._stack = house, bank, stack
        self.call: Call
        self.customer: SignalingClient
        self.teller: SignalingClient
        self.subscriptions: list[Any] = []
        self._done: set[str] = set()
        self._tried: set[tuple[str, str]] = set()  # fields of the forms so far: each is tried wrongly once
        self._kinds: set[str] = set()  # kinds of steps so far: what a kind refuses is tried once
        self._unchanged: dict[str, Any] | None = None  # the teller's view that refusals since have to leave as it is

    async def open(self) -> None:
        """A recorded call with consent, as calls and recording would have written it; both sides connect."""
        database, house = self.house.database, self.house
        async with database.read() as session:
            teller = (await session.scalars(select(Staff).where(col(Staff.username) == "teller1"))).one()
        now = database.clock.now()  # accepted since this house began: it is none of those a restart left behind
        running = {"state": "connected", "accepted_at": now, "ended_at": None, "end_reason": None}
        self.call = await CallRows(database).call(teller, "inquiry", **running)
        async with database.unit_of_work(system_actor("test")) as work:
            work.session.add(
                Consent(
                    id=new_id("consent"), visit_id=self.call.visit_id, purpose="recording", wording_version="1",
                    wording_sha256="0" * 64, granted=True, at=now,
                )
            )  # fmt: skip
            work.session.add(
                Recording(
                    id=new_id("rec"), call_id=self.call.id, state=RecordingState.CAPTURING, node_id="media-1",
                    wrapped_key=b"key", started_at=now - timedelta(seconds=90),
                )
            )  # fmt: skip
        self.customer = await self.connect("/customer", house.customer("customer", self.call.visit_id))
        self.teller = await self.connect("/staff", house.who["teller1"])

    async def connect(self, namespace: str, who: dict[str, str]) -> SignalingClient:
        token = who.get("Authorization", "").removeprefix("Bearer ")
        headers = {"Cookie": who["Cookie"], "Origin": self.house.url} if "Cookie" in who else {}
        client = SignalingClient(namespace, {"token": token} if token else None, headers)
        self._stack.push_async_callback(client.close)
        return await client.connect(self.house.url)

    async def pump(self) -> None:
        """What a worker would do."""
        await work_off(self.house.database, self.subscriptions, self._done)

    async def seen(self, side: str) -> dict[str, Any]:
        if side == "customer":
            case = (await self.customer.request("counter.get"))["case"]
        else:
            case = (await self.teller.request("counter.get", call_id=self.call.id))["case"]
        return case or {}

    async def details(self, side: str, key: str) -> dict[str, Any]:
        found = next(step["details"] for step in (await self.seen(side))["steps"] if step["key"] == key)
        return dict(found)

    async def act(self, side: str, step: str, action: str, version: int | None = None, **inputs: Any) -> dict[str, Any]:
        """On the version this side sees now, or on another one."""
        await self.still()
        return await self._send(await self.seen(side), side, step, action, version, **inputs)

    async def _send(
        self, case: dict[str, Any], side: str, step: str, action: str, version: int | None = None, **inputs: Any
    ) -> dict[str, Any]:
        client = self.customer if side == "customer" else self.teller
        version = version or case["version"]
        body = {"case_id": case["case_id"], "step": step, "version": version, "action": action, "inputs": inputs}
        return dict((await client.request("counter.act", **body))["case"])

    async def refused(self, side: str, step: str, action: str, **more: Any) -> str:
        """The code; `still` looks whether anything has changed."""
        if self._unchanged is None:
            self._unchanged = await self.seen("teller")
        with pytest.raises(CounterError) as refused:
            await self._send(self._unchanged, side, step, action, **more)
        return refused.value.code

    async def still(self) -> None:
        """Nothing has changed by what was refused."""
        if self._unchanged is not None:
            assert await self.seen("teller") == self._unchanged
            self._unchanged = None

    def first(self, kind: str) -> bool:
        """Whether this kind of step comes for the first time."""
        known = kind in self._kinds
        self._kinds.add(kind)
        return not known

    async def run(self, code: str, values: dict[str, Any]) -> dict[str, Any]:
        """A business from its beginning to its end; the teller's last view."""
        started = await self.teller.request("counter.start", call_id=self.call.id, business_code=code)
        assert started["case"]["business_code"] == code
        for _ in range(12):
            case = await self.seen("teller")
            if case["state"] != "running":
                return case
            step = next(step for step in case["steps"] if step["state"] in ("active", "waiting"))
            await getattr(self, f"_{step['kind']}")(step["key"], values)
            await self.pump()
        raise AssertionError(f"{code} does not end: {await self.seen('teller')}")

    async def _form(self, key: str, values: dict[str, Any]) -> None:
        assert await self.refused("teller", key, "accept") == "form.not_filled"
        case, fields = await self.seen("customer"), (await self.details("customer", key))["fields"]
        fresh = [field for field in fields if (field["key"], field["type"]) not in self._tried]
        self._tried |= {(field["key"], field["type"]) for field in fields}
        for field in fresh:
            for wrong in WRONG[field["type"]]:
                body = {"case_id": case["case_id"], "step": key, "version": case["version"], "action": "fill"}
                inputs = {"values": {**values, field["key"]: wrong}}
                with pytest.raises(CounterError) as refused:
                    await self.customer.request("counter.act", **body, inputs=inputs)
                assert refused.value.code in ("fields.invalid", "input.invalid"), (field, wrong)
        assert await self.seen("customer") == case
        if self.first("form"):
            assert await self.refused("customer", key, "fill", values={**values, "more": "x"}) == "fields.invalid"
            assert await self.refused("customer", key, "accept") == "step.not_yours"
        filled_case = await self.act("customer", key, "fill", values=values)
        stale = filled_case["version"] - 1
        assert await self.refused("customer", key, "fill", version=stale, values=values) == "case.stale"
        await self.still()
        await self.act("teller", key, "accept")

    async def _identity(self, key: str, values: dict[str, Any]) -> None:
        case_id = (await self.seen("customer"))["case_id"]
        word = (await self.details("customer", key))["face_consent"]
        if word["granted"] is None:  # asked once in a call
            version = word["wording_version"]
            assert await self.refused("teller", key, "consent_face", wording_version=version, granted=True) == (
                "step.not_yours"
            )
            await self.act("customer", key, "consent_face", wording_version=version, granted=True)
        for code, picture in PICTURES.items():
            path = f"/api/visit/cases/{case_id}/documents?step={key}&code={code}&source=camera"
            headers = {**self.house.who["customer"], "Content-Type": "image/jpeg"}
            async with self.house.http.post(self.house.url + path, data=picture, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
        await self.pump()
        if self.first("identity"):
            assert await self.refused("teller", key, "accept") == "identity.incomplete"
        await self.act("teller", key, "verify")
        await self.pump()
        details = await self.details("customer", key)
        if details["phone"]["needed"]:
            await self.act("teller", key, "send_code")
            await self.pump()
            _, _, text = await self.house.ask("customer", "GET", "/api/visit/demo")
            await self.act("customer", key, "enter_code", code=text.split("验证码是 ")[1][:6])
        if details["challenge"]["needed"]:
            await self.act("teller", key, "ask_challenge")
            await self.pump()
            async with self.house.http.get(
                self.house.url + "/api/visit/demo", headers=self.house.who["customer"]
            ) as it:
                right = [each["answer"] for each in (await it.json())["answers"]]
            asked = (await self.details("customer", key))["challenge"]["questions"]
            answers = {question["key"]: answer for question, answer in zip(asked, right, strict=True)}
            await self.act("customer", key, "answer", answers=answers)
            await self.pump()
        await self.act("teller", key, "accept")

    async def _documents(self, key: str, values: dict[str, Any]) -> None:
        await self.act("teller", key, "done")

    async def _questions(self, key: str, values: dict[str, Any]) -> None:
        if self.first("questions"):
            assert await self.refused("customer", key, "heed", goes_on=True) == "questions.not_answered"
        await self.act("teller", key, "answer", **ANSWERS)
        await self.act("customer", key, "heed", goes_on=True)

    async def _fee(self, key: str, values: dict[str, Any]) -> None:
        if self.first("fee"):
            assert await self.refused("teller", key, "agree") == "step.not_yours"
        await self.act("customer", key, "agree")

    async def _confirm(self, key: str, values: dict[str, Any]) -> None:
        if self.first("confirm"):
            assert await self.refused("customer", key, "confirm", digest="0" * 64) == "confirm.changed"
        await self.act("customer", key, "confirm", digest=(await self.details("customer", key))["digest"])

    async def _sign(self, key: str, values: dict[str, Any]) -> None:
        if self.first("sign"):
            await self._sign_wrongly(key)
        shown = await self.details("customer", key)
        inputs = {"role": "customer", "strokes": STROKES, "wording_version": shown["wording_version"]}
        await self.act("customer", key, "sign", document_sha256=shown["document_sha256"], **inputs)

    async def _sign_wrongly(self, key: str) -> None:
        """With an interpreter noted meanwhile: the document is made anew."""
        before = await self.details("customer", key)
        for wrong in ({"name": "", "language": "手语"}, {"name": "李\u202e华", "language": "手语"}, {"name": "李华"}):
            assert await self.refused("teller", key, "interpreter", **wrong) == "input.invalid"
        assert await self.refused("customer", key, "interpreter", name="李华", language="手语") == "step.not_yours"
        await self.act("teller", key, "interpreter", name="李华", language="手语")
        await self.pump()
        shown = await self.details("customer", key)
        assert shown["interpreter"] == {"name": "李华", "language": "手语"}
        assert shown["document_sha256"] != before["document_sha256"]  # made anew, with the note in it
        inputs = {"role": "customer", "strokes": STROKES, "wording_version": shown["wording_version"]}
        for digest in ("0" * 64, before["document_sha256"]):
            told = await self.refused("customer", key, "sign", document_sha256=digest, **inputs)
            assert told == "sign.other_document"
        assert await self.refused("teller", key, "sign", document_sha256="0" * 64, **inputs) == "step.not_yours"
        status, _, pdf = await self.house.ask("teller1", "GET", f"/api/papers/{shown['document_id']}")
        assert (status, pdf[:4]) == (200, "%PDF")  # the teller reads what the customer reads

    async def _review(self, key: str, values: dict[str, Any]) -> None:
        async with self.house.http.get(f"{self.house.url}/api/reviews", headers=self.house.who["supervisor1"]) as it:
            review_id = (await it.json())["items"][0]["id"]
        url = f"{self.house.url}/api/reviews/{review_id}"
        async with self.house.http.get(url, headers=self.house.who["supervisor1"]) as answer:
            review = await answer.json()
        yes = {"decision": "approve", "case_version": review["case_version"], "shown_sha256": review["shown_sha256"]}
        yes["reason"] = "已核对客户身份和用途，同意办理"
        path = f"/api/reviews/{review_id}/decision"
        for who, body, code in (
            ("teller1", yes, "auth.denied"),
            ("supervisor1", {**yes, "case_version": 1}, "review.stale"),
            ("supervisor1", {**yes, "shown_sha256": "0" * 64}, "review.other_content"),
            ("supervisor1", yes, ""),
            ("supervisor1", yes, "review.decided"),
        ):
            assert (await self.house.ask(who, "POST", path, body))[1] == code, (who, body)


@pytest.fixture
async def floor(
    database_url: str, redis_url: str, tmp_path: Path, read_at_once: dict[str, Card], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Floor]:
    monkeypatch.setattr("signaling.table.RATE_HZ", 1e6)  # nobody types as fast as this test
    engine = create_async_engine(database_url)
    await prepare(engine)
    bank = Simulator(engine, "token")
    for number, name, amount in (
        (ACCOUNT, PERSON["name"], 100_000_000),
        (SPARE, PERSON["name"], 0),
        (PAYEE, "李华", 0),
    ):
        id_number = PERSON["id_number"] if name == PERSON["name"] else "110101199003070791"
        await bank.ledger.endow(number, name, id_number, PHONE, amount)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(bank.application()))
        box = str(server.make_url("/sms"))
        chosen = {"bank_url": str(server.make_url("/")), "bank_token": "token", "sms_url": box, "sms_token": "token"}
        house = await stack.enter_async_context(
            edge_house(database_url, redis_url, tmp_path, letter_box_url=box, **chosen)
        )
        connections, settings = house.connections, house.connections.settings
        assert isinstance(settings, Settings)
        room = counter_room.build(
            house.database, connections.bus, connections.store, connections.secrets.master_key, settings,
            RateLimiter(connections.redis), house.http,
        )  # fmt: skip
        jobs = transactions.transaction_jobs(connections, room, house.http)
        for loop in jobs.loops.values():
            loop.close()
        floor = Floor(house, bank, stack)
        floor.subscriptions = [*jobs.subscriptions, *room.subscriptions]
        await floor.open()
        yield floor
    await engine.dispose()


async def test_all_nine_businesses_to_their_end(floor: Floor) -> None:
    house = floor.house
    found_again = ("loss_report", {**ALL["loss_report"], "operation": "unlock"})
    done = list(ALL.items())
    done.insert(1 + list(ALL).index("loss_report"), found_again)
    for code, values in done:
        ended = await floor.run(code, values)
        assert (ended["business_code"], ended["state"], ended["end_reason"]) == (code, "done", None), ended
    # Acts on what is over, or on another call's business, change nothing.
    assert await floor.refused("customer", "form", "fill", values=ALL["account_closing"]) == "case.ended"
    await floor.still()
    case = await floor.seen("customer")
    stranger = await CallRows(house.database).call(None)
    other = await floor.connect("/customer", house.customer("stranger", stranger.visit_id))
    with pytest.raises(CounterError) as refused:
        await other.request("counter.act", case_id=case["case_id"], step="form", version=1, action="fill", inputs={})
    assert refused.value.code == "case.not_found"

    books = await floor.bank.ledger.trial_balance()
    assert (books["entries_fen"], books["wrong"], books["held_fen"]) == (0, [], 0)
    account, spare = await floor.bank.ledger.account(ACCOUNT), await floor.bank.ledger.account(SPARE)
    assert account is not None
    assert spare is not None
    # 1 000 000 yuan less the transfer with its fee and the bill; the rest was moved when the account was closed.
    assert (account["status"], account["balance_fen"]) == ("closed", 0)
    assert (spare["status"], spare["balance_fen"]) == ("active", 100_000_000 - 8_000_000 - 1_600 - 12_345)
    assert await floor.bank.ledger.holds(PERSON["id_number"], "13900139000")

    async with house.http.get(f"{house.url}/api/visit/vouchers", headers=house.who["customer"]) as answer:
        vouchers = await answer.json()
    assert len(vouchers) == len(done) - 1  # all but the inquiry
    path = f"/api/calls/{floor.call.id}/papers"
    papers: dict[str, Any] = {}
    may = {"teller1": "", "supervisor1": "", "auditor1": "", "qalead1": ""}
    may |= {"teller2": "call.not_found", "inspector1": "auth.denied", "stranger": "auth.denied"}
    for who, code in may.items():
        status, told, papers[who] = await house.ask(who, "GET", path)
        assert told == code, (who, status, told)
    # The voucher and the document of each, and the one before somebody was noted who interpreted.
    assert papers["auditor1"].count('"kind"') == 2 * len(vouchers) + 1
    for who, code in (("supervisor1", ""), ("teller2", "document.not_found")):
        assert (await house.ask(who, "GET", f"/api/papers/{vouchers[0]['id']}"))[1] == code


async def test_a_business_made_on_the_page_runs_at_the_counter(floor: Floor) -> None:
    house = floor.house

    async def ask(who: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        async with house.http.request(method, house.url + path, json=body, headers=house.who[who]) as answer:
            told: dict[str, Any] = await answer.json()
        assert answer.status == 200, told
        return told

    seen = await ask("admin1", "GET", "/api/flows/bill_payment")
    flow = {**seen["flow"], "code": "donation", "fee_zh": "捐款不收费。"}
    flow["limits"] = {**flow["limits"], "amount_max_fen": 1_000_000}
    business = {**seen["business"], "name_zh": "爱心捐款", "name_en": "Donation"}
    body = {"business": business, "flow": flow, "note": "新业务", "based_on": 0}
    assert (await ask("admin1", "POST", "/api/flows/donation/check", {"flow": flow}))["problems"] == []
    change = await ask("admin1", "POST", "/api/flows/donation/changes", body)
    assert (await house.ask("admin1", "POST", f"/api/changes/{change['id']}/decision", {"approve": True}))[1] == (
        "change.own"
    )
    await ask("supervisor1", "POST", f"/api/changes/{change['id']}/decision", {"approve": True})
    rules = await ask("admin1", "GET", "/api/review-rules")
    mine = {
        "reason": "donation",
        "business": "donation",
        "amount_from_fen": 500_000,
        "level": 2,
        "label_zh": "大额捐款",
    }
    body = {"rules": [*rules["rules"], mine], "note": "大额捐款要复核", "based_on": rules["version"]}
    change = await ask("admin1", "POST", "/api/review-rules/changes", body)
    await ask("supervisor1", "POST", f"/api/changes/{change['id']}/decision", {"approve": True})

    values = {**ALL["bill_payment"], "amount": 600_000}
    choices = (await floor.teller.request("counter.get", call_id=floor.call.id))["choices"]
    assert "爱心捐款" in [choice["name_zh"] for choice in choices]
    ended = await floor.run("donation", values)
    assert (ended["state"], ended["name_zh"]) == ("done", "爱心捐款")
    review = next(step for step in ended["steps"] if step["kind"] == "review")
    assert (review["state"], review["details"]["labels"]) == ("done", {"donation": ["大额捐款", ""]})
    await floor.teller.request("counter.start", call_id=floor.call.id, business_code="donation")
    assert await floor.refused("customer", "form", "fill", values={**values, "amount": 1_000_001}) == "fields.invalid"
    await floor.still()
