"""Another system books, follows a call, fetches its result and is told by webhook; with the example client."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from counter import Counter, open_counter
from http_app import serving
from redis.asyncio import Redis
from sqlmodel import col, select
from test_booking import open_books

from core.bus import Bus
from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.events import Event, WebhookQueued, event_from_json
from core.http import SignedIn
from core.models import Alarm, AuditEntry
from core.models.booking import Appointment
from core.models.open import ApiKey, EntryPass, Webhook, WebhookDelivery
from core.models.system import OutboxEvent
from core.rate_limit import RateLimiter
from core.security.actor import customer_actor, staff_actor
from server.booking.appointments import AppointmentBook
from server.open.calls import OpenDesk
from server.open.deliver import TargetDownError, WebhookSender
from server.open.keys import KeyBook
from server.open.messages import EVENTS
from server.open.passes import PassBook
from server.open.routes import admin_routes, open_routes
from server.open.schemas import KeyRequest, WebhookRequest
from server.open.targets import TargetError, networks_from
from server.open.webhooks import WebhookBook

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from bank_client import BankClient, Receiver, RefusedError, verify_webhook

KEY = bytes(32)
ADMIN = staff_actor("staff_admin", ["admin"])
HERE = networks_from("127.0.0.0/8")


class House:
    """The open room over a counter."""

    def __init__(self, counter: Counter, books: AppointmentBook, redis: Redis) -> None:
        database = counter.database
        self.database = database
        self.books = books
        self.keys = KeyBook(database, RateLimiter(redis))
        self.webhooks = WebhookBook(database, KEY, HERE)
        self.sender = WebhookSender(database, KEY, HERE, max_attempts=2)

        async def stages(call_id: str) -> dict[str, str]:
            return {"recording": "none"}

        async def no_voucher(key: str) -> bytes:
            raise NotFoundError("none")

        desk = OpenDesk(database, books, stages, no_voucher, "https://counter.bank")
        self.passes = PassBook(database, RateLimiter(redis), "https://counter.bank")
        self.tables = [open_routes(desk, self.passes), admin_routes(self.keys, self.webhooks)]

    async def authenticate(self, request: Any) -> SignedIn | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        actor = await self.keys.authenticate(token)
        return SignedIn(actor) if actor else None

    async def facts(self, *kinds: type[Event]) -> list[Any]:
        """Committed facts of these kinds, in order."""
        query = select(OutboxEvent).where(col(OutboxEvent.type).in_([kind.__name__ for kind in kinds]))
        async with self.database.read() as session:
            rows = (await session.scalars(query.order_by(col(OutboxEvent.seq)))).all()
        return [event_from_json(row.type, row.payload) for row in rows]

    async def deliveries(self) -> list[WebhookDelivery]:
        async with self.database.read() as session:
            return list((await session.scalars(select(WebhookDelivery).order_by(col(WebhookDelivery.id)))).all())


@asynccontextmanager
async def open_house(database: Database, bus: Bus, redis: Redis) -> AsyncIterator[tuple[Counter, House]]:
    async with open_counter(database, bus, redis) as counter:
        books, _, _ = await open_books(counter, redis)
        yield counter, House(counter, books, redis)


async def test_the_example_books_follows_fetches_and_is_told(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_house(database, bus, redis) as (counter, house), serving(house.tables, house.authenticate) as http:
        made = await house.keys.make(ADMIN, KeyRequest(name="手机银行", scopes=["appointments", "results"]))
        other = await house.keys.make(ADMIN, KeyRequest(name="other", scopes=["results"]))
        told: list[dict[str, Any]] = []
        hook = await house.webhooks.make(
            ADMIN, WebhookRequest(key_id=made.key.id, url="http://127.0.0.1:1/", events=["call.queued", "call.ended"])
        )
        receiver = Receiver(hook.secret, 0, told.append)
        foreign = await house.webhooks.make(
            ADMIN,
            WebhookRequest(key_id=other.key.id, url=f"http://127.0.0.1:{receiver.port}/", events=["call.ended"]),
        )
        async with database.unit_of_work(ADMIN) as work:  # the secret is known only now, and so is the port
            row = await work.session.get_one(Webhook, hook.webhook.id)
            row.url = f"http://127.0.0.1:{receiver.port}/hook"
        client = BankClient(str(http.make_url("/")), made.token)
        try:
            slot = (await asyncio.to_thread(client.slots, "transfer"))[0]
            wish = ("transfer", slot["starts_at"], "13800138000", "order-1")
            both = await asyncio.gather(*(asyncio.to_thread(client.book, *wish) for _ in range(2)))
            assert both[0] == both[1]  # asking twice books once
            booked = both[0]
            assert booked["state"] == "booked"
            assert booked["call_id"] is None
            with pytest.raises(RefusedError, match=r"open\.reference_used"):
                await asyncio.to_thread(client.book, "account_opening", *wish[1:])
            # The customer comes with the link, waits and leaves.
            visit_id = await counter.add_visit("transfer")
            await house.books.check_in(customer_actor(visit_id), booked["code"])
            customer = await counter.customer(visit_id)
            call_id = (await customer.ask("queue.join"))["call"]["call_id"]
            assert (await asyncio.to_thread(client.appointment, "order-1"))["call_id"] == call_id
            stranger = BankClient(str(http.make_url("/")), other.token)
            with pytest.raises(RefusedError, match=r"call\.not_found"):
                await asyncio.to_thread(stranger.call, call_id)
            with pytest.raises(RefusedError, match=r"auth\.denied"):
                await asyncio.to_thread(stranger.slots, "transfer")
            await customer.ask("queue.leave")
            states: list[str] = []
            ended = await asyncio.to_thread(client.follow, call_id, lambda call: states.append(call["state"]), 0.05)
            assert (ended["reference"], ended["end_reason"]) == ("order-1", "customer_left_queue")
            result = await asyncio.to_thread(client.result, call_id)
            assert (result["stages"], result["vouchers"], result["score"]) == ({"recording": "none"}, [], None)
            # Facts become messages once, whoever repeats them; only what the key may see.
            for fact in [*await house.facts(*EVENTS), *await house.facts(*EVENTS)]:
                await house.webhooks.tell(fact)
            for queued in await house.facts(WebhookQueued):
                await house.sender.deliver(queued)
                await house.sender.deliver(queued)
            assert [(each["event"], each["call_id"], each["reference"]) for each in told] == [
                ("call.queued", call_id, "order-1"),
                ("call.ended", call_id, "order-1"),
            ]
            rows = await house.deliveries()
            assert {row.webhook_id for row in rows} == {hook.webhook.id} != {foreign.webhook.id}
            assert [(row.state, row.status, row.attempts) for row in rows] == [("sent", 204, 1)] * 2
            assert "13800138000" not in "".join(row.body for row in rows)
        finally:
            receiver.close()


async def test_a_customer_the_bank_knows_waits_as_what_the_customer_is(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_house(database, bus, redis) as (counter, house), serving(house.tables, house.authenticate) as http:
        made = await house.keys.make(ADMIN, KeyRequest(name="手机银行", scopes=["appointments"]))
        header = {"Authorization": f"Bearer {made.token}"}
        client = BankClient(str(http.make_url("/")), made.token)

        async def link(business: str = "transfer") -> str:
            answer = await asyncio.to_thread(client.entry, business, "vip")
            assert answer["link"].startswith(f"https://counter.bank/?business={business}&entry=")
            return str(answer["link"].rpartition("=")[2])

        wrong = {"business_code": "transfer", "customer_class": "royal"}
        assert (await http.post("/api/open/v1/entries", json=wrong, headers=header)).status == 400
        assert (await http.post("/api/open/v1/entries", json=wrong)).status == 401
        first, known = await counter.add_visit(), await counter.add_visit()
        token = await link()
        for visit_id, secret in ((first, "x" * 40), (first, await link("enquiry"))):
            with pytest.raises(NotFoundError, match="not valid any more"):
                await house.passes.claim(customer_actor(visit_id), secret)
        await house.passes.claim(customer_actor(known), token)
        with pytest.raises(NotFoundError):  # once
            await house.passes.claim(customer_actor(first), token)
        with pytest.raises(NotFoundError):  # one each
            await house.passes.claim(customer_actor(known), await link())
        ordinary = await counter.customer(first)
        assert (await ordinary.ask("queue.join"))["call"]["position"] == 1
        vip = await counter.customer(known)
        joined = (await vip.ask("queue.join"))["call"]
        assert joined["position"] == 1, "before the one who came earlier"
        call = await counter.call(joined["call_id"])
        assert (call.customer_class, call.class_source) == ("vip", "bank")
        late = await link()
        async with database.unit_of_work(ADMIN) as work:
            for row in await work.session.scalars(select(EntryPass).where(col(EntryPass.visit_id).is_(None))):
                row.expires_at = work.clock.now()
        with pytest.raises(NotFoundError):
            await house.passes.claim(customer_actor(first), late)


async def test_a_target_that_is_down_is_tried_again_then_a_person_is_called(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_house(database, bus, redis) as (counter, house):
        made = await house.keys.make(ADMIN, KeyRequest(name="warehouse", scopes=["calls", "everybody"]))
        await house.webhooks.make(
            ADMIN, WebhookRequest(key_id=made.key.id, url="http://127.0.0.1:1/", events=["call.queued"])
        )
        customer = await counter.customer(await counter.add_visit())
        await customer.ask("queue.join")
        for fact in await house.facts(*EVENTS):
            await house.webhooks.tell(fact)
        (queued,) = await house.facts(WebhookQueued)
        with pytest.raises(TargetDownError):
            await house.sender.deliver(queued)
        with pytest.raises(ConflictError, match="on its way"):
            await house.webhooks.replay(ADMIN, queued.delivery_id)
        await house.sender.deliver(queued)  # the last attempt: nothing is raised, the row says it
        failed = await house.webhooks.deliveries("failed")
        assert (failed.failed, failed.items[0].error, failed.items[0].attempts) == (1, "webhook.unreachable", 2)
        async with database.read() as session:
            alarms = (await session.scalars(select(Alarm))).all()
        assert [alarm.kind for alarm in alarms] == ["webhook.failed"]
        await house.webhooks.replay(ADMIN, queued.delivery_id)
        *_, again = await house.facts(WebhookQueued)
        assert again.round == 2
        await house.keys.revoke(ADMIN, made.key.id)
        await house.sender.deliver(again)  # a revoked key's webhooks are told nothing
        assert (await house.deliveries())[0].error == "webhook.off"


async def test_keys_are_hashed_expire_are_revoked_and_audited(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_house(database, bus, redis) as (_, house):
        made = await house.keys.make(ADMIN, KeyRequest(name="app", scopes=["calls"]))
        actor = await house.keys.authenticate(made.token)
        assert actor is not None
        assert actor.name == f"key:{made.key.id}"
        assert await house.keys.authenticate(made.token + "x") is None
        assert await house.keys.authenticate("ack_") is None
        async with database.read() as session:
            row = (await session.scalars(select(ApiKey))).one()
            assert made.token not in str(row.model_dump())
            assert row.last_used_at is not None
        async with database.unit_of_work(ADMIN) as work:
            row = await work.session.get_one(ApiKey, made.key.id)
            row.expires_at = work.clock.now()
        assert await house.keys.authenticate(made.token) is None
        assert [key.state for key in await house.keys.all()] == ["expired"]
        await house.keys.revoke(ADMIN, made.key.id)
        with pytest.raises(ConflictError, match="revoked already"):
            await house.keys.revoke(ADMIN, made.key.id)
        async with database.read() as session:
            noted = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
            assert [action for action in noted if action.startswith("key.")] == ["key.make", "key.revoke"]
            assert not (await session.scalars(select(Appointment))).all()


async def test_a_name_that_leads_into_the_house_is_refused_when_it_is_used(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_house(database, bus, redis) as (counter, house):
        closed = WebhookBook(database, KEY, ())
        made = await house.keys.make(ADMIN, KeyRequest(name="app", scopes=["calls", "everybody"]))
        with pytest.raises(TargetError):
            await closed.make(
                ADMIN, WebhookRequest(key_id=made.key.id, url="https://127.0.0.1/", events=["call.queued"])
            )
        await closed.make(ADMIN, WebhookRequest(key_id=made.key.id, url="https://localhost/", events=["call.queued"]))
        customer = await counter.customer(await counter.add_visit())
        await customer.ask("queue.join")
        for fact in await house.facts(*EVENTS):
            await house.webhooks.tell(fact)
        (queued,) = await house.facts(WebhookQueued)
        await WebhookSender(database, KEY, ()).deliver(queued)
        (row,) = await house.deliveries()
        assert (row.state, row.error) == ("failed", "webhook.target_denied")


def test_a_forged_changed_or_old_message_is_not_believed() -> None:
    from server.open.messages import signature

    now, body = int(time.time()), b'{"id":"delivery_1"}'
    good = signature("whs_1", now, body)
    assert verify_webhook("whs_1", good, body, now) == {"id": "delivery_1"}
    for secret, header, sent, at in (
        ("whs_2", good, body, now),
        ("whs_1", good, body + b" ", now),
        ("whs_1", good.replace(f"t={now}", f"t={now + 1}"), body, now),
        ("whs_1", "", body, now),
        ("whs_1", good, body, now + 301),
    ):
        with pytest.raises(ValueError, match=r"signature|too old"):
            verify_webhook(secret, header, sent, at)
