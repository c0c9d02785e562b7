"""The script of a running call, over the real bus: told at once, taken over after a death, repaired from the tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database
from core.events import CallAccepted, CallEnded
from core.models.call import Call, CallState
from core.models.system import Alarm
from core.models.transcript import TranscriptKind
from core.security.actor import system_actor
from core.tasks import TaskOwner
from qa.compliance import live
from qa.compliance.live import LiveScript
from qa.compliance.rules import load_rules

State = dict[str, Any]
HEARD = {"greeting_identity", "recording_consent", "customer_consent", "identity_check"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SWEEP_S", 0.2)


@pytest.fixture
def rows(database: Database) -> CallRows:
    return CallRows(database)


@pytest.fixture
async def call(rows: CallRows) -> Call:
    teller = await rows.staff("teller", "teller")
    return await rows.call(teller, state=CallState.CONNECTED, ended_at=None, end_reason=None)


class Screen:
    """Collects what the teller's screen would be told."""

    def __init__(self, messages: AsyncIterator[tuple[str, dict[str, Any]]]) -> None:
        self._messages = messages

    async def until(self, wanted: Callable[[State], bool]) -> State:
        async with asyncio.timeout(20):
            async for _, message in self._messages:
                if message["kind"] == "script" and wanted(message):
                    return message
        raise AssertionError("the bus ended")


@asynccontextmanager
async def running(*scripts: LiveScript) -> AsyncIterator[TaskOwner]:
    owner = TaskOwner("test")
    for number, script in enumerate(scripts):
        owner.start(str(number), script.run())
    try:
        yield owner
    finally:
        await owner.close()


@asynccontextmanager
async def watching(bus: Bus) -> AsyncIterator[Screen]:
    async with bus.subscribe(LIVE) as messages:
        yield Screen(messages)


def caption(call: Call, turn: tuple[str, float, float, str], final: bool = True) -> dict[str, Any]:
    party, start_s, end_s, text = turn
    return {
        "kind": "caption",
        "call_id": call.id,
        "party": party,
        "start_s": start_s,
        "end_s": end_s,
        "text": text,
        "final": final,
    }


async def alarms_of(database: Database, call: Call) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(Alarm.kind).where(col(Alarm.call_id) == call.id)))


def done(state: State) -> set[str]:
    return {node["rule_id"] for node in state["nodes"] if node["done"]}


async def test_told_at_accept_and_after_each_change(call: Call, bus: Bus, redis: Redis, database: Database) -> None:
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        async with database.unit_of_work(system_actor("test")) as work:
            now = work.clock.now()
            work.emit(CallAccepted(at=now, call_id=call.id, offer_id="offer_1", teller_id=call.teller_id or ""))
        first = await screen.until(lambda state: True)
        assert done(first) == set()
        assert first["warnings"] == []
        assert set(first["nodes"][0]) == {"rule_id", "label_zh", "label_en", "required", "done", "at_s"}
        dissuade = next(node for node in first["nodes"] if node["rule_id"] == "dissuade")
        assert dissuade["required"] is False

        await bus.publish(LIVE, caption(call, GOOD_TRANSFER[0], final=False))  # a partial text is no evidence
        await bus.publish(LIVE, caption(call, GOOD_TRANSFER[1]))
        state = await screen.until(lambda state: bool(done(state)))
        assert done(state) == {"recording_consent"}

        await bus.publish(LIVE, caption(call, ("teller", 40.0, 44.0, "你是不是傻，听不懂人话吗？")))
        await bus.publish(LIVE, caption(call, ("customer", 50.0, 55.0, "对方让我把钱转到安全账户。")))
        state = await screen.until(lambda state: len(state["warnings"]) >= 3)
        kinds = {warning["kind"] for warning in state["warnings"]}
        assert kinds == {"forbidden", "danger"}
        for turn in (("customer", 60.0, 63.0, "你什么态度，我要投诉你！"), ("customer", 70.0, 73.0, "我非投诉不可。")):
            await bus.publish(LIVE, caption(call, turn))
        state = await screen.until(lambda state: sum(w["kind"] == "complaint" for w in state["warnings"]) >= 2)
        async with asyncio.timeout(20):
            while not (alarms := await alarms_of(database, call)):
                await asyncio.sleep(0.05)
        assert alarms == ["customer.complaint"]  # once, however often it is said
        assert set(state["warnings"][0]) == {
            "rule_id", "kind", "severity", "label_zh", "label_en", "party", "at_s", "phrase", "evidence",
        }  # fmt: skip
        assert next(node for node in state["nodes"] if node["rule_id"] == "dissuade")["required"] is True


async def test_words_lost_by_the_bus_are_read_from_the_table(
    call: Call, rows: CallRows, bus: Bus, redis: Redis, database: Database
) -> None:
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        await screen.until(lambda state: not done(state))  # found by the sweep: its CallAccepted was never heard
        await rows.transcript(call, GOOD_TRANSFER, TranscriptKind.LIVE)
        await screen.until(lambda state: done(state) >= HEARD)


async def test_one_worker_follows_a_call(
    call: Call, rows: CallRows, bus: Bus, redis: Redis, database: Database
) -> None:
    first, second = (LiveScript(bus, redis, database, load_rules()) for _ in range(2))
    async with watching(bus) as screen, running(first, second):
        await screen.until(lambda state: True)
        holder = await redis.get(f"qa:script:{call.id}")
        await asyncio.sleep(0.6)  # three sweeps of both
        assert await redis.get(f"qa:script:{call.id}") == holder
        assert 0 < await redis.ttl(f"qa:script:{call.id}") <= live.LEASE_S


async def test_the_call_of_a_dead_worker_is_taken_over_with_all_its_words(
    call: Call, rows: CallRows, bus: Bus, redis: Redis, database: Database
) -> None:
    await rows.transcript(call, GOOD_TRANSFER, TranscriptKind.LIVE)
    await redis.set(f"qa:script:{call.id}", "dead worker", px=1500)
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.8):
                await screen.until(lambda state: True)
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        state = await screen.until(lambda state: True)  # the first state told is already whole
        assert done(state) >= HEARD
        assert await redis.get(f"qa:script:{call.id}") != b"dead worker"


async def test_an_ended_call_is_dropped_and_its_lease_given_back(
    call: Call, bus: Bus, redis: Redis, database: Database
) -> None:
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        await screen.until(lambda state: True)
        async with database.unit_of_work(system_actor("test")) as work:
            row = await work.session.get_one(Call, call.id)
            row.state, row.ended_at = CallState.WRAP_UP, work.clock.now()
            work.emit(
                CallEnded(
                    at=work.clock.now(),
                    call_id=call.id,
                    reason="customer_hung_up",
                    teller_id=call.teller_id,
                    was_answered=True,
                )
            )
        async with asyncio.timeout(20):
            while await redis.exists(f"qa:script:{call.id}"):
                await asyncio.sleep(0.05)


async def test_malformed_captions_are_skipped(call: Call, bus: Bus, redis: Redis, database: Database) -> None:
    async with watching(bus) as screen, running(LiveScript(bus, redis, database, load_rules())):
        await screen.until(lambda state: True)
        await bus.publish(LIVE, {"kind": "caption", "call_id": call.id, "final": True, "party": "ghost"})
        await bus.publish(LIVE, caption(call, GOOD_TRANSFER[1]))
        assert done(await screen.until(lambda state: bool(done(state)))) == {"recording_consent"}


async def test_a_full_worker_leaves_calls_to_others(call: Call, bus: Bus, redis: Redis, database: Database) -> None:
    async with watching(bus) as screen:
        async with running(LiveScript(bus, redis, database, load_rules(), max_calls=0)):
            await asyncio.sleep(0.5)
            assert not await redis.exists(f"qa:script:{call.id}")
        async with running(LiveScript(bus, redis, database, load_rules())):
            assert (await screen.until(lambda state: True))["call_id"] == call.id
        assert not await redis.exists(f"qa:script:{call.id}")  # an orderly end gives the leases back
