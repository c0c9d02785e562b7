"""A call with everything behind it that moves money: the simulated bank, the worker's jobs, the desks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from business import FORMS, MASTER_KEY, PERSON, Desk, build_room, open_desk
from call_rows import CallRows
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database, UnitOfWork
from core.errors import CounterError
from core.events import Event, event_from_json
from core.jobs import Subscription
from core.models import AuthorisationLevel, OutboxEvent
from core.rate_limit import RateLimiter
from core.security.actor import Actor, staff_actor, system_actor
from core.security.keys import Secrets
from core.security.seal import load_seal
from core.security.sealing import Sealer
from core.settings import Settings
from core.store import open_store
from core.vault import Vault
from server.app import transactions
from server.app.connections import Connections
from server.counter.documents.shelf import DocumentShelf
from server.counter.flow_store import active_flow, add_version
from server.counter.review.desk import ReviewDesk
from server.counter.review.keeper import ReviewKeeper
from server.counter.review.requests import seed_review_rules
from server.counter.vouchers.service import DocumentService
from server.simbank.app import Simulator
from server.simbank.ledger import prepare

TOKEN = "token"
FORM = FORMS["transfer"]
STROKES = [[[0.1 + i / 40, 0.3 + (i % 5) / 20, i * 10.0, 0.5] for i in range(20)], [[0.5, 0.5, 300.0, 0.5]]]
ANSWERS = {
    "purpose": "family",
    "purpose_note": "给女儿的生活费",
    "relation": "family",
    "source": "savings",
    "account_checked": True,
    "identity_checked": True,
}


class MoneyHouse:
    """The parts, and the steps of a transfer."""

    def __init__(self, desk: Desk, connections: Connections, simulator: Simulator, folder: Path) -> None:
        self.desk, self.connections, self.simulator = desk, connections, simulator
        self.database = connections.database
        self.jobs: transactions.TransactionJobs | None = None
        self._done: set[str] = set()
        engine = desk.cases.engine
        self.reviews = ReviewDesk(
            self.database, engine, engine.book, Sealer(MASTER_KEY), DocumentShelf(connections.store, MASTER_KEY)
        )
        self.keeper = ReviewKeeper(self.database, engine, engine.book)
        vault = Vault(connections.store, MASTER_KEY)
        self.documents = DocumentService(
            self.database, vault, RateLimiter(connections.redis), load_seal(connections.settings.data_dir)
        )

    async def pump(self) -> None:
        """Do what a worker would."""
        assert self.jobs is not None
        await work_off(self.database, self.jobs.subscriptions, self._done)

    async def supervisor(self, level: int = 3) -> Actor:
        """A second person of this level."""
        staff = await CallRows(self.database).staff(f"boss{level}", "supervisor")
        async with self.database.unit_of_work(system_actor("test")) as work:
            row = AuthorisationLevel(staff_id=staff.id, level=level, set_by="test", at=work.clock.now())
            work.session.add(row)
        return staff_actor(staff.id, ["supervisor"])

    async def to_signature(self, *, start: bool = True, **form: Any) -> None:
        """From the form to the document on the customer's screen. Without `start` the case has begun already."""
        desk = self.desk
        if start:
            await desk.start("transfer")
        await desk.act("customer", "form", "fill", values={**FORM, **form})
        await desk.act("teller", "form", "accept")
        await self.pump()
        await desk.act("teller", "questions", "answer", **ANSWERS)
        await desk.act("customer", "questions", "heed", goes_on=True)
        await desk.act("customer", "fee", "agree")
        digest = (await desk.step("confirm", "customer")).details["digest"]
        await desk.act("customer", "confirm", "confirm", digest=digest)
        await self.pump()

    async def signature(self, **changes: Any) -> dict[str, Any]:
        """What the customer's page hands in."""
        shown = (await self.desk.step("sign", "customer")).details
        inputs = {"role": "customer", "document_sha256": shown["document_sha256"], "strokes": STROKES}
        return {**inputs, "wording_version": shown["wording_version"], **changes}

    async def to_review(self, **form: Any) -> str:
        """Signed; returns the request that waits for a second person."""
        await self.to_signature(**form)
        await self.desk.act("customer", "sign", "sign", **await self.signature())
        await self.pump()
        listed = await self.reviews.list(await self.supervisor(5))
        return listed.items[0].id


async def work_off(database: Database, subscriptions: list[Subscription], done: set[str]) -> None:
    """Do what a worker would, until nothing is left; a job that may be tried again is tried some more times.

    Args:
        done: Ids of events that were worked off before; grows.
    """
    while True:
        async with database.read() as session:
            rows = (await session.scalars(select(OutboxEvent).order_by(col(OutboxEvent.seq)))).all()
        fresh = [row for row in rows if row.event_id not in done]
        if not fresh:
            return
        for row in fresh:
            done.add(row.event_id)
            event = event_from_json(row.type, row.payload)
            for subscription in subscriptions:
                if isinstance(event, subscription.event):
                    await _tried(subscription, event)


async def _tried(subscription: Subscription, event: Event) -> None:
    for _ in range(8):
        try:
            await subscription.handler(event)
            return
        except CounterError as error:
            if not error.retryable:
                raise


async def _without_identity(work: UnitOfWork) -> None:
    """Who the customer is is another test's matter: a version of the flow without that step."""
    version, flow = await active_flow(work.session, "transfer")
    content = flow.model_dump(mode="json")
    content["steps"] = [{**step, "identity": 0} for step in content["steps"] if step["kind"] != "identity"]
    await add_version(work, "transfer", version + 1, content, "")


@asynccontextmanager
async def money_house(
    database: Database, database_url: str, bus: Bus, redis: Redis, folder: Path
) -> AsyncIterator[MoneyHouse]:
    """Everything on one database; the bank keeps its own schema in it."""
    engine = create_async_engine(database_url)
    await prepare(engine)
    simulator = Simulator(engine, TOKEN)
    await simulator.ledger.endow(FORM["account"], PERSON["name"], PERSON["id_number"], "13800138000", 100_000_000)
    await simulator.ledger.endow(FORM["payee_account"], FORM["payee_name"], "110101199003070791", "13900000000", 0)
    async with TestServer(simulator.application()) as bank, aiohttp.ClientSession() as http:
        settings = Settings(data_dir=folder, bank_url=str(bank.make_url("/")), bank_token=TOKEN)
        secrets = Secrets(MASTER_KEY, "t" * 40, "i" * 40, "r" * 40)
        store = open_store(None, folder)
        connections = Connections(settings, secrets, SystemClock(), redis, bus, database, store)
        room = build_room(database, bus, redis, folder)
        desk = await open_desk(database, room)
        async with database.unit_of_work(system_actor("test")) as work:
            await seed_review_rules(work)
            await _without_identity(work)
        house = MoneyHouse(desk, connections, simulator, folder)
        house.jobs = transactions.transaction_jobs(connections, room, http)
        for loop in house.jobs.loops.values():
            loop.close()
        yield house
    await engine.dispose()
