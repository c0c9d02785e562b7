"""Who may connect, and what malformed or forbidden messages do: an answer with a code, and nothing else."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import socketio
from aiohttp import ClientSession
from counter import TOKEN_KEY, Counter, open_counter
from redis.asyncio import Redis
from sqlmodel import col, func, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.events import StaffSessionEnded
from core.models import AuditEntry, Call, CallOffer, OutboxEvent, TellerPresence
from core.security.actor import system_actor
from core.security.tokens import issue_visit_token, sha256_hex
from server.acd.lease import Lease
from signaling.client import SignalingClient


async def refusal(counter: Counter, namespace: str, auth: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Why a connection was refused, or None when it was not."""
    client = socketio.AsyncClient(reconnection=False)
    said: list[Any] = []

    async def refused(reason: Any) -> None:
        said.append(reason)

    client.on("connect_error", refused, namespace=namespace)
    try:
        await client.connect(
            counter.url, auth=auth, headers=headers or {}, namespaces=[namespace], transports=["websocket"]
        )
    except socketio.exceptions.ConnectionError:
        return said[0]["data"]["code"] if said and isinstance(said[0], dict) else "refused"
    finally:
        await client.disconnect()
    return None


async def test_customers_need_a_valid_token(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        now = database.clock.now()
        expired = issue_visit_token(TOKEN_KEY, "visit_1", now - timedelta(hours=2), 60)
        forged = issue_visit_token("another key that is long enough too", "visit_1", now, 60)
        assert await refusal(counter, "/customer", {"token": expired}) == "visit.token_expired"
        for bad in (None, {}, {"token": ""}, {"token": 7}, {"token": forged}, ["x"], "text"):
            assert await refusal(counter, "/customer", bad) == "visit.token_invalid", bad
        assert not counter.signaling.gateway.sockets


async def test_staff_need_a_session_and_our_own_page(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        await counter.add_staff("chen", ["teller"])
        own, cookie = {"Origin": counter.url}, {"Cookie": "ac_session=staff_chen"}
        assert await refusal(counter, "/staff", headers=own | cookie) is None
        assert await refusal(counter, "/staff", headers=own) == "auth.required"
        assert await refusal(counter, "/staff", headers=own | {"Cookie": "ac_session=other"}) == "auth.required"
        assert await refusal(counter, "/staff", headers=cookie) == "auth.origin"
        assert await refusal(counter, "/staff", headers=cookie | {"Origin": "http://evil.example"}) == "refused"
        async with ClientSession() as http:
            handshake = f"{counter.url}/socket.io/?EIO=4&transport=polling"
            async with http.get(handshake, headers={"Origin": "http://evil.example"}) as answer:
                assert answer.status == 400
                assert "Access-Control-Allow-Origin" not in answer.headers


async def written(database: Database) -> list[int | None]:
    """How many rows of everything a message could write."""
    async with database.read() as session:
        tables = (Call, CallOffer, TellerPresence, OutboxEvent, AuditEntry)
        return [(await session.scalars(select(func.count()).select_from(table))).first() for table in tables]


@pytest.mark.parametrize("namespace", ["/customer", "/staff"])
async def test_malformed_messages_change_nothing(database: Database, bus: Bus, redis: Redis, namespace: str) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        await counter.add_staff("chen", ["teller"])
        if namespace == "/staff":
            page = await counter.staff("staff_chen")
        else:
            page = await counter.customer(await counter.add_visit())
        before = await written(database)
        socket = page.client._socket
        big = "x" * 70_000
        messages: list[tuple[str, Any]] = [
            ("queue.join", {"priority": 9}),
            ("queue.join", "text"),
            ("queue.leave", [1]),
            ("call.hangup", {"call_id": 7}),
            ("call.hangup", {"call_id": "x", "more": 1}),
            ("media.answer", {"peer_id": "p", "sdp_answer": big, "call_id": "x"}),
            ("media.answer", {"peer_id": "p", "sdp_answer": b"\x00"}),
            ("captions.set", {"on": "perhaps"}),
            ("presence.set", {"state": "in_call", "reason": ""}),
            ("presence.set", {"state": "ready", "reason": "x" * 101}),
            ("offer.accept", {}),
            ("offer.accept", {"offer_id": None}),
            ("call.wrapup", {"call_id": "x", "disposition": "unspecified", "note": ""}),
            ("no.such.message", {}),
            ("connect", {"token": "x"}),
            ("disconnect", {}),
            ("__class__", {}),
        ]
        for name, payload in messages:
            answer = await socket.call(name, payload, namespace=namespace, timeout=5)
            assert answer["ok"] is False, name
            assert answer["error"]["code"] == "input.invalid", name
            assert big not in str(answer)
        answer = await socket.call("call.hangup", ({}, {}), namespace=namespace, timeout=5)
        assert answer["error"]["code"] == "input.invalid"
        assert await written(database) == before
        alive = await page.ask("presence.get" if namespace == "/staff" else "call.snapshot")
        assert alive["ok"] is True


async def test_permissions_and_other_peoples_objects(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        inspector = await counter.staff(await counter.add_staff("li", ["inspector"]))
        for name, payload in (
            ("presence.set", {"state": "ready", "reason": ""}),
            ("presence.get", {}),
            ("offer.accept", {"offer_id": "x"}),
            ("media.join", {"call_id": "x"}),
        ):
            with pytest.raises(CounterError) as denied:
                await inspector.ask(name, **payload)
            assert denied.value.code == "auth.denied"
        teller = await counter.teller("chen")
        other = await counter.teller("wang", ready=False)
        customer = await counter.customer(await counter.add_visit())
        stranger = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        peer_id = (await customer.ask("media.join"))["peer_id"]
        await stranger.ask("queue.join")
        ring = await teller.see("offer.ring", call_id=call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        answer = {"peer_id": peer_id, "sdp_answer": "v=0"}
        for page, name, payload, code in (
            (stranger, "media.answer", answer, "media.peer_not_found"),
            (
                teller,
                "media.answer",
                {"call_id": call_id, "peer_id": peer_id, "sdp_answer": "v"},
                "media.peer_not_found",
            ),
            (other, "media.join", {"call_id": call_id}, "call.not_found"),
            (other, "call.hangup", {"call_id": call_id}, "call.not_found"),
            (other, "call.wrapup", {"call_id": call_id, "disposition": "resolved", "note": ""}, "call.not_found"),
        ):
            with pytest.raises(CounterError) as refused:
                await page.ask(name, **payload)
            assert refused.value.code == code, name
        assert ("answer", call_id, peer_id, "v=0") not in counter.media.log
        assert (await counter.call(call_id)).state == "accepted"


async def test_a_flood_is_slowed_down_and_forgiven(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        page = await counter.customer(await counter.add_visit())
        (socket,) = counter.signaling.gateway.sockets.values()
        socket._tokens = -1000.0  # as after a flood
        with pytest.raises(CounterError) as slow:
            await page.ask("call.snapshot")
        assert slow.value.code == "rate.limited"
        socket._tokens = 1.0
        assert (await page.ask("call.snapshot"))["ok"] is True


async def test_failures_of_ours_are_answered_without_detail(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        page = await counter.customer(await counter.add_visit())
        await database.engine.dispose()
        table = counter.signaling.gateway._tables["/customer"]
        message, _ = table._handlers["call.snapshot"]

        async def fails(*_: object) -> Any:
            raise ZeroDivisionError("secret detail")

        table._handlers["call.snapshot"] = (message, fails)
        with pytest.raises(CounterError) as failed:
            await page.ask("call.snapshot")
        assert failed.value.code == "internal"
        assert "secret" not in str(failed.value)


async def test_the_end_of_a_session_ends_its_sockets(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        console = await counter.teller("chen")
        counter.sessions.pop("staff_chen")
        with pytest.raises(CounterError) as ended:
            await console.ask("presence.get")
        assert ended.value.code == "auth.required"
        gateway = counter.signaling.gateway
        assert len(gateway.sockets) == 1
        async with database.unit_of_work(system_actor("test")) as work:
            now, session = work.clock.now(), sha256_hex("staff_chen")[:16]
            work.emit(StaffSessionEnded(at=now, staff_id="staff_chen", session=session, reason="logout"))
        async with asyncio.timeout(5):
            while gateway.sockets:
                await asyncio.sleep(0.02)


async def test_a_console_that_is_gone_is_off_duty(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        console = await counter.teller("chen")
        other = await counter.teller("wang")
        await console.client.close()
        async with asyncio.timeout(5):
            while await counter.connections.online_staff({"staff_chen"}):
                await asyncio.sleep(0.02)
        dispatcher = counter.acd.dispatcher
        await dispatcher.housekeep()
        assert (await counter.acd.tellers.presence("staff_chen")).state == "ready"
        dispatcher._gone["staff_chen"] -= 11  # as if it had been missed eleven seconds ago
        await dispatcher.housekeep()
        gone = await counter.acd.tellers.presence("staff_chen")
        assert (gone.state, gone.reason) == ("offline", "connection_lost")
        assert (await other.ask("presence.get"))["presence"]["state"] == "ready"
        async with database.read() as session:
            rows = await session.scalars(select(OutboxEvent.type).where(col(OutboxEvent.type) == "TellerStateChanged"))
            assert len(rows.all()) == 3


async def test_only_one_dispatcher_at_a_time(database: Database, bus: Bus, redis: Redis) -> None:
    one, two = (Lease(redis, database.clock, "dispatcher") for _ in range(2))
    assert await one.hold()
    assert not await two.hold()
    await one.release()
    assert await two.hold()
    assert not await one.hold()
    assert (two.token or 0) > 1


async def test_the_public_client_reports_a_refusal(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, started=False) as counter:
        with pytest.raises(CounterError) as refused:
            await SignalingClient("/customer", auth={"token": "x"}).connect(counter.url)
        assert refused.value.code == "signaling.unreachable"
