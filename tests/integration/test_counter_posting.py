"""Transactions: worker and bank die between any two effects; money is conserved and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from call_rows import CallRows
from http_app import always, serving
from posting_processes import KEY, TOKEN, spawn_bank, spawn_worker
from running_house import free_port
from sqlmodel import select

from core.db import Database
from core.events import PostingRequested
from core.ids import new_id
from core.models import Alarm, Call, Posting, PostingState, PostingStepState
from core.ports.banking import BankDownError, BankMisuseError, BankRequest
from core.security.actor import staff_actor, system_actor
from core.security.sealing import Sealer
from server.counter.banking.client import HttpCoreBanking
from server.counter.banking.desk import PostingDesk
from server.counter.banking.plans import Operation, plan_for
from server.counter.banking.routes import routes
from server.counter.banking.rows import add_posting, new_posting, steps_of
from server.counter.banking.runner import MAX_ATTEMPTS, BusyError, PostingRunner
from server.simbank.customers import DEMO_ACCOUNTS
from server.simbank.ledger import CLEARING, FEES

PAYER, PAYEE = DEMO_ACCOUNTS[0], DEMO_ACCOUNTS[1]
AMOUNT, FEE = 8_000_000, 1600
SUPERVISOR = staff_actor("staff_boss", ["supervisor"])


class Bank:
    """The simulated bank, its books and its faults."""

    def __init__(self, database_url: str, http: aiohttp.ClientSession) -> None:
        self.database_url, self.http, self.port = database_url, http, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = spawn_bank(database_url, self.port)
        self.headers = {"Authorization": f"Bearer {TOKEN}"}

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    async with self.http.get(f"{self.url}/health") as answer:
                        assert answer.status == 200
                        return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)

    async def restart(self) -> None:
        await asyncio.to_thread(self.process.join, 10)
        self.process = spawn_bank(self.database_url, self.port)
        await self.ready()

    async def faults(self, *faults: dict[str, Any]) -> None:
        async with self.http.post(f"{self.url}/v1/faults", json=list(faults), headers=self.headers) as answer:
            assert answer.status == 200

    async def books(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/v1/trial-balance", headers=self.headers) as answer:
            told: dict[str, Any] = await answer.json()
        assert (told["entries_fen"], told["wrong"]) == (0, [])
        return told


class House:
    """Postings of one call against the bank."""

    def __init__(self, database: Database, bank: Bank, call: Call) -> None:
        self.database, self.bank, self.call = database, bank, call
        self.client = HttpCoreBanking(bank.http, bank.url, TOKEN)
        self.runner = PostingRunner(database, self.client, Sealer(KEY))

    async def posting(self, **changes: Any) -> str:
        """A transfer with a fee, not yet run."""
        fields = {"account": PAYER.number, "payee_account": PAYEE.number, "payee_name": PAYEE.owner_name, **changes}
        plan: Any = [
            ("hold", {"account": PAYER.number, "amount_fen": AMOUNT + FEE}),
            ("transfer", {**fields, "amount_fen": AMOUNT}),
            ("fee", {"account": PAYER.number, "amount_fen": FEE}),
        ]
        return await self.planned("transfer", plan, AMOUNT, FEE)

    async def planned(self, business: str, plan: Any, amount_fen: int = 0, fee_fen: int = 0) -> str:
        """A posting of these requests, not yet run."""
        async with self.database.unit_of_work(system_actor("test")) as work:
            row = new_posting(work, "case_1", "posting", 1, self.call.id, business)
            row.amount_fen, row.fee_fen = amount_fen, fee_fen
            await add_posting(work, Sealer(KEY), row, plan)
        return row.id

    async def account(self) -> str:
        """A new account of the payer's with some money, opened and filled by requests of its own."""
        owner = {"owner_name": PAYER.owner_name, "id_number": PAYER.id_number, "phone": PAYER.phone}
        number = str((await self.client.book(BankRequest(new_id("req"), "open", owner))).result["account"])
        moved = {"account": PAYER.number, "amount_fen": 500}
        to = {"payee_account": number, "payee_name": PAYER.owner_name}
        assert (await self.client.book(BankRequest(new_id("req"), "hold", moved))).done
        assert (await self.client.book(BankRequest(new_id("req"), "transfer", {**moved, **to}))).done
        return number

    async def run(self, posting_id: str) -> Posting:
        """As the job engine would: again after every failure to get an answer."""
        while True:
            try:
                await self.runner.run(self.requested(posting_id))
            except BusyError:  # the dead worker's connection still holds it
                await asyncio.sleep(0.01)
            except BankDownError:
                if not self.bank.process.is_alive():
                    await self.bank.restart()
            else:
                return await self.row(posting_id)

    def requested(self, posting_id: str) -> PostingRequested:
        """The fact that has a worker run it."""
        return PostingRequested(at=self.database.clock.now(), call_id=self.call.id, posting_id=posting_id, run=1)

    async def row(self, posting_id: str) -> Posting:
        async with self.database.read() as session:
            return await session.get_one(Posting, posting_id)

    async def dies(self, posting_id: str, point: int) -> bool:
        """A worker of its own that dies at this point; False when the posting has fewer."""
        arguments = (self.bank.database_url, self.bank.url, posting_id, point)
        process = await asyncio.to_thread(spawn_worker, *arguments)
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode in (0, 9)
        return process.exitcode == 9

    async def booked_since(self, before: dict[str, Any]) -> tuple[int, int, int]:
        """What payer, payee and fees have more than before. Nothing is set aside any more."""
        now = await self.bank.books()
        assert now["held_fen"] == 0
        numbers = (PAYER.number, PAYEE.number, FEES)
        payer, payee, fees = (now["balances"][number] - before["balances"][number] for number in numbers)
        return payer, payee, fees


DONE, UNDONE = (-AMOUNT - FEE, AMOUNT, FEE), (0, 0, 0)
LATE_S = 0.6  # what the bank takes longer than the counter waits in the test of late answers
POINT = {"slow": "before", "silent": "after"}


@pytest.fixture
async def house(database: Database, database_url: str) -> AsyncIterator[House]:
    async with aiohttp.ClientSession() as http:
        bank = Bank(database_url, http)
        await bank.ready()
        call = await CallRows(database).call(None)
        yield House(database, bank, call)
        bank.process.kill()
        await asyncio.to_thread(bank.process.join, 10)


async def test_worker_dies_between_any_two_effects_of_a_transfer(house: House) -> None:
    point = 0
    while True:
        posting_id, before = await house.posting(), await house.bank.books()
        died = await house.dies(posting_id, point)
        row = await house.run(posting_id)
        assert (row.state, await house.booked_since(before)) == (PostingState.DONE, DONE), point
        if not died:
            break
        point += 1
    assert point == 10  # three requests with three points each, and the end


async def test_worker_dies_between_any_two_effects_of_a_rollback(house: House) -> None:
    refuse = {"kind": "fee", "action": "refuse"}
    point = 6  # the first two requests are as above
    while True:
        posting_id, before = await house.posting(), await house.bank.books()
        await house.bank.faults(refuse)
        died = await house.dies(posting_id, point)
        row = await house.run(posting_id)
        assert (row.state, row.reason) == (PostingState.ROLLED_BACK, "bank.simulated_refusal"), point
        assert await house.booked_since(before) == UNDONE, point
        if not died:
            break
        point += 1
    assert point == 17  # as above, the turn, and two reversals with three points each


async def test_bank_dies_before_and_after_every_commit(house: House) -> None:
    for kind in ("hold", "transfer", "fee", "reverse"):
        for moment in ("before", "after"):
            posting_id, before = await house.posting(), await house.bank.books()
            refuse = [{"kind": "fee", "action": "refuse"}] if kind == "reverse" else []
            await house.bank.faults({"kind": kind, "action": "exit", "point": moment}, *refuse)
            row = await house.run(posting_id)
            state, booked = (PostingState.ROLLED_BACK, UNDONE) if refuse else (PostingState.DONE, DONE)
            assert (row.state, await house.booked_since(before)) == (state, booked), (kind, moment)


async def test_answers_that_come_too_late(house: House) -> None:
    """The counter stops waiting; the bank books all the same: before the request is sent again, or after."""
    patient, start = house.runner, await house.bank.books()
    impatient = PostingRunner(house.database, HttpCoreBanking(house.bank.http, house.bank.url, TOKEN, 0.2), Sealer(KEY))
    for kind in ("hold", "transfer", "fee", "reverse"):
        for action in ("slow", "silent"):
            posting_id, before = await house.posting(), await house.bank.books()
            refuse = [{"kind": "fee", "action": "refuse"}] if kind == "reverse" else []
            await house.bank.faults(
                {"kind": kind, "action": action, "point": POINT[action], "delay_s": LATE_S}, *refuse
            )
            house.runner = impatient
            with pytest.raises(BankDownError):
                await impatient.run(house.requested(posting_id))
            house.runner = patient
            row = await house.run(posting_id)
            state, booked = (PostingState.ROLLED_BACK, UNDONE) if refuse else (PostingState.DONE, DONE)
            assert (row.state, await house.booked_since(before)) == (state, booked), (kind, action)
    await asyncio.sleep(LATE_S + 0.2)  # the last that were slow arrive now, and find what was booked in their place
    assert await house.booked_since(start) == tuple(6 * each for each in DONE)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_bank_dies_in_every_other_operation(house: House, moment: str) -> None:
    phone = "13912345678" if moment == "before" else "13987654321"

    async def run(operation: Operation, values: dict[str, Any], *faults: dict[str, Any]) -> Posting:
        posting_id = await house.planned(operation, plan_for(operation, values, 0))
        await house.bank.faults(*faults)
        return await house.run(posting_id)

    def dies(kind: str) -> dict[str, str]:
        return {"kind": kind, "action": "exit", "point": moment}

    number = await house.account()
    of_account = {"account": number, "id_number": PAYER.id_number}
    before = await house.bank.books()
    person = {"name": PAYER.owner_name, "id_number": PAYER.id_number, "phone": PAYER.phone}
    assert (await run("open", person, dies("open"))).state == PostingState.DONE
    after = await house.bank.books()
    assert len(after["balances"]) == len(before["balances"]) + 1

    assert (await run("password", {"account": number}, dies("password"))).state == PostingState.DONE
    assert (await run("contact", {**of_account, "phone": phone}, dies("contact"))).state == PostingState.DONE
    assert await house.client.holds(PAYER.id_number, phone)
    for operation, status in (("lock", "frozen"), ("unlock", "active")):
        assert (await run("lock", {**of_account, "operation": operation}, dies("status"))).state == PostingState.DONE
        facts = await house.client.account(number)
        assert facts is not None
        assert facts.status == status
    # Closing is two requests: swept and not closed must not be its end.
    closing = {"account": number, "to_account": PAYER.number}
    row = await run("close", closing, {"kind": "status", "action": "refuse"}, dies("reverse"))
    assert (row.state, row.reason) == (PostingState.ROLLED_BACK, "bank.simulated_refusal")
    assert (await house.bank.books())["balances"] == after["balances"]
    for kind in ("sweep", "status"):
        into = await house.account()
        row = await run("close", {"account": into, "to_account": number}, dies(kind))
        facts = await house.client.account(into)
        assert facts is not None
        assert (row.state, facts.status, facts.balance_fen) == (PostingState.DONE, "closed", 0), kind
    books = await house.bank.books()
    assert (books["balances"][number], books["held_fen"]) == (1_500, 0)


async def test_a_bank_that_stays_away_puts_it_on_the_list_and_a_supervisor_clears_it_up(house: House) -> None:
    before = await house.bank.books()
    await house.bank.faults({"kind": "transfer", "action": "down", "times": MAX_ATTEMPTS})
    first, second, third = [await house.posting() for _ in range(3)]
    row = await house.run(first)
    assert (row.state, row.reason) == (PostingState.RECONCILE, "bank.unavailable")
    async with house.database.read() as session:
        assert [alarm.kind for alarm in (await session.scalars(select(Alarm))).all()] == ["posting.reconcile"]
    async with serving([routes(PostingDesk(house.database))], always(SUPERVISOR)) as client:

        async def decide(posting_id: str, decision: str, **changes: Any) -> tuple[int, str]:
            body = {"version": (await house.row(posting_id)).version, "decision": decision, "reason": "已与核心对账"}
            answer = await client.post(f"/api/postings/{posting_id}/decision", json=body | changes)
            told = await answer.json()
            return answer.status, told.get("state") or told["error"]["code"]

        listed = await (await client.get("/api/postings")).json()
        assert (listed["open"], listed["items"][0]["id"], listed["items"][0]["may"]) == (
            1,
            first,
            ["retry", "undo", "settle"],
        )
        assert await decide(first, "retry", version=0) == (409, "posting.stale")
        assert await decide(first, "retry", reason="    ") == (400, "input.invalid")
        assert await decide(second, "retry") == (409, "posting.not_open")
        assert await decide(first, "retry") == (200, "running")
        assert (await house.run(first)).state == PostingState.DONE
        assert await decide(first, "undo") == (409, "posting.not_open")
        # A request that may still be on its way is withdrawn: it must not be booked when it comes after all.
        await house.bank.faults({"kind": "transfer", "action": "down", "times": MAX_ATTEMPTS})
        assert (await house.run(second)).state == PostingState.RECONCILE
        assert await decide(second, "undo") == (200, "undoing")
        assert (await house.run(second)).state == PostingState.ROLLED_BACK
        async with house.database.read() as session:
            late = (await steps_of(session, second))[1]
        fields = {"account": PAYER.number, "payee_account": PAYEE.number, "payee_name": PAYEE.owner_name}
        answer = await house.client.book(BankRequest(late.request_id, "transfer", {**fields, "amount_fen": AMOUNT}))
        assert (answer.done, answer.code) == (False, "bank.withdrawn")
        await house.bank.faults({"kind": "hold", "action": "down", "times": MAX_ATTEMPTS})
        assert (await house.run(third)).state == PostingState.RECONCILE
        assert await decide(third, "settle") == (200, "settled")
        assert await decide(third, "settle") == (409, "posting.not_open")
    assert await house.booked_since(before) == DONE


async def test_nobody_decides_about_own_work(house: House) -> None:
    teller = await CallRows(house.database).staff("both", "teller", "supervisor")
    house.call = await CallRows(house.database).call(teller)
    await house.bank.faults({"kind": "hold", "action": "down", "times": MAX_ATTEMPTS})
    posting_id = await house.posting()
    await house.run(posting_id)
    own = staff_actor(teller.id, ["teller", "supervisor"])
    async with serving([routes(PostingDesk(house.database))], always(own)) as client:
        body = {"version": (await house.row(posting_id)).version, "decision": "settle", "reason": "自己处理一下"}
        answer = await client.post(f"/api/postings/{posting_id}/decision", json=body)
        assert (answer.status, (await answer.json())["error"]["code"]) == (403, "posting.own_work")
    assert (await house.row(posting_id)).state == PostingState.RECONCILE


async def test_money_already_spent_cannot_be_undone_silently(house: House) -> None:
    posting_id = await house.posting()
    await house.bank.faults({"kind": "fee", "action": "refuse"})

    async def spend_it(point: str) -> None:
        async with house.database.read() as session:
            arrived = (await steps_of(session, posting_id))[1].state == PostingStepState.DONE
        facts = await house.client.account(PAYEE.number)
        if arrived and facts is not None and facts.available_fen:
            hold = {"account": PAYEE.number, "amount_fen": facts.available_fen}
            assert (await house.client.book(BankRequest("spend", "hold", hold))).done

    house.runner = PostingRunner(house.database, house.client, Sealer(KEY), spend_it)
    row = await house.run(posting_id)
    assert (row.state, row.reason) == (PostingState.RECONCILE, "bank.already_spent")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"payee_name": "王芳"}, "bank.payee_name"),
        ({"payee_account": PAYER.number}, "bank.same_account"),
    ],
)
async def test_refused_by_the_core_system(house: House, changes: dict[str, str], code: str) -> None:
    before = await house.bank.books()
    row = await house.run(await house.posting(**changes))
    assert (row.state, row.reason, await house.booked_since(before)) == (PostingState.ROLLED_BACK, code, UNDONE)


async def test_requests_are_booked_once_and_nonsense_never(house: House) -> None:
    hold = BankRequest("same", "hold", {"account": PAYER.number, "amount_fen": 100})
    assert [(await house.client.book(hold)).done for _ in range(2)] == [True, True]
    assert (await house.bank.books())["held_fen"] == 100
    with pytest.raises(BankMisuseError):
        await house.client.book(BankRequest("same", "hold", {"account": PAYER.number, "amount_fen": 101}))
    for amount in (0, -1, 10**16):
        answer = await house.client.book(
            BankRequest(f"bad {amount}", "hold", {"account": PAYER.number, "amount_fen": amount})
        )
        assert answer.code == "bank.bad_amount"
    facts = await house.client.account(PAYER.number)
    assert facts is not None
    assert facts.available_fen == facts.balance_fen - 100
    assert await house.client.account("６２２２０２０２００００１２３４５６７") is None
    assert await house.client.account(CLEARING) is None
    await house.bank.faults({"kind": "account", "action": "down"})
    with pytest.raises(BankDownError):
        await house.client.account(PAYER.number)
