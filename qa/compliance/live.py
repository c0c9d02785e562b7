"""The script while the call runs: final captions in, what is missing and what was wrong out.

Every worker process runs one `LiveScript`; a lease in Redis gives each running call to exactly one of them. The bus
brings news at once; a sweep over the tables finds calls whose worker died and captions the bus has lost.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.bus import FACTS, LIVE, Bus
from core.db import Database
from core.ids import new_id
from core.models.call import Call, CallState
from core.models.system import Alarm
from core.models.transcript import TranscriptKind
from core.ports.speech import Party, Segment
from core.security.actor import system_actor
from core.tasks import run_together
from qa.compliance.rules import RuleSet
from qa.compliance.script_state import ScriptState
from qa.rules.book import FixedRules, RuleSource
from qa.transcripts import as_segment, stored_segments

log = structlog.get_logger(__name__)

LEASE_S = 15
SWEEP_S = 5.0
RECONNECT_S = 1.0
MAX_CALLS = 200
QUEUE = 1000
COMPLAINT = "customer.complaint"
_RUNNING = (CallState.ACCEPTED, CallState.CONNECTED)
_FAILURES = (RedisError, SQLAlchemyError, OSError)

# Only the holder may renew or give back a lease.
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('expire', KEYS[1], ARGV[2]) else return 0 end"
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class _Caption(BaseModel):
    """The part of a LIVE caption this needs."""

    call_id: str
    party: Party
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class _Accepted:
    call_id: str


@dataclass(frozen=True, slots=True)
class _Ended:
    call_id: str


@dataclass(frozen=True, slots=True)
class _Sweep:
    pass


_News = _Caption | _Accepted | _Ended | _Sweep


class LiveScript:
    """Follows the script of running calls and publishes its whole state after each change."""

    def __init__(
        self, bus: Bus, redis: Redis, database: Database, rules: RuleSet | RuleSource, max_calls: int = MAX_CALLS
    ) -> None:
        """`max_calls` bounds the calls followed by this process; others take the rest."""
        self._bus = bus
        self._redis: Any = redis
        self._database = database
        self._rules = FixedRules(rules) if isinstance(rules, RuleSet) else rules
        self._max_calls = max_calls
        self._name = new_id("script")
        self._actor = system_actor("qa.live")
        self._calls: dict[str, ScriptState] = {}
        self._told: set[str] = set()
        self._news: asyncio.Queue[_News] = asyncio.Queue(QUEUE)

    async def run(self) -> None:
        """Work until cancelled; then give the leases back."""
        try:
            # A part that crashes ends the whole: the supervisor must see it.
            await run_together("live script", listen=self._listen(), tick=self._tick(), work=self._work())
        finally:
            with suppress(*_FAILURES):
                for call_id in list(self._calls):
                    await self._drop(call_id)

    async def _work(self) -> None:
        while True:
            news = await self._news.get()
            try:
                await self._take_in(news)
            except _FAILURES as error:  # engines restarting: the next sweep catches up
                log.warning("live script paused", error=str(error))

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(LIVE, FACTS) as messages:
                    async for topic, message in messages:
                        self._offer(_read(topic, message))
            except (RedisError, OSError) as error:
                log.warning("live script lost the bus", error=str(error))
            await asyncio.sleep(RECONNECT_S)

    def _offer(self, news: _News | None) -> None:
        if news is None:
            return
        try:
            self._news.put_nowait(news)
        except asyncio.QueueFull:  # the newest is dropped; the sweep reads it from the table
            log.warning("live script is behind", waiting=QUEUE)

    async def _tick(self) -> None:
        while True:
            await self._news.put(_Sweep())
            await asyncio.sleep(SWEEP_S)

    async def _take_in(self, news: _News) -> None:
        match news:
            case _Sweep():
                await self._sweep()
            case _Ended(call_id):
                await self._drop(call_id)
            case _Accepted(call_id):
                await self._follow(call_id)
            case _Caption():
                script = await self._follow(news.call_id)
                if script is not None:
                    await self._hear(script, [Segment(news.party, news.start_s, news.end_s, news.text)])

    async def _follow(self, call_id: str) -> ScriptState | None:
        """The script of a call if it is, or can become, ours."""
        if call_id in self._calls or len(self._calls) >= self._max_calls:
            return self._calls.get(call_id)
        if not await self._redis.set(_lease(call_id), self._name, nx=True, ex=LEASE_S):
            return None
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            if call is None or call.state not in _RUNNING:
                await self._redis.eval(_RELEASE, 1, _lease(call_id), self._name)
                return None
            told = await stored_segments(session, [call_id], TranscriptKind.LIVE)
        script = ScriptState(await self._rules.current(), call_id, call.business_code)
        self._calls[call_id] = script
        if not await self._hear(script, [as_segment(row) for row in told]):
            await self._publish(script)
        return script

    async def _hear(self, script: ScriptState, segments: list[Segment]) -> bool:
        """Take segments in; publishes when there was one not heard before."""
        changed = await asyncio.to_thread(_add_all, script, segments)
        if changed:
            await self._publish(script)
            if script.complained:
                await self._tell_supervisors(script.call_id)
        return changed

    async def _tell_supervisors(self, call_id: str) -> None:
        """An alarm for the first complaint of a call, whichever process hears it."""
        if call_id in self._told:
            return
        async with self._database.unit_of_work(self._actor) as work:
            told = select(Alarm.id).where(col(Alarm.call_id) == call_id, col(Alarm.kind) == COMPLAINT)
            if (await work.session.scalars(told)).first() is None:
                raise_alarm(work, COMPLAINT, "a customer complains during the call", call_id)
        self._told.add(call_id)

    async def _publish(self, script: ScriptState) -> None:
        await self._bus.publish(LIVE, script.message())

    async def _sweep(self) -> None:
        for call_id in list(self._calls):
            if not await self._redis.eval(_RENEW, 1, _lease(call_id), self._name, LEASE_S):
                log.warning("lease of a live script lost", call_id=call_id)
                del self._calls[call_id]
        async with self._database.read() as session:
            query = select(col(Call.id)).where(col(Call.state).in_(_RUNNING)).order_by(col(Call.accepted_at))
            running = (await session.scalars(query)).all()
        for call_id in set(self._calls) - set(running):
            await self._drop(call_id)
        for call_id in running:
            if call_id not in self._calls:
                await self._follow(call_id)
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Read what the bus may have lost, and tell every screen again: one may have been reloaded."""
        async with self._database.read() as session:
            rows = await stored_segments(session, list(self._calls), TranscriptKind.LIVE)
        for call_id, script in self._calls.items():
            segments = [as_segment(row) for row in rows if row.call_id == call_id]
            if not await self._hear(script, segments):
                await self._publish(script)

    async def _drop(self, call_id: str) -> None:
        self._told.discard(call_id)
        if self._calls.pop(call_id, None) is not None:
            await self._redis.eval(_RELEASE, 1, _lease(call_id), self._name)


def _lease(call_id: str) -> str:
    return f"qa:script:{call_id}"


def _add_all(script: ScriptState, segments: list[Segment]) -> bool:
    return sum(script.add(segment) for segment in segments) > 0


def _read(topic: str, message: dict[str, Any]) -> _News | None:
    """What a bus message means here; None when nothing."""
    if topic == FACTS:
        fact, call_id = message.get("type"), str(message.get("payload", {}).get("call_id"))
        if fact == "CallAccepted":
            return _Accepted(call_id)
        return _Ended(call_id) if fact == "CallEnded" else None
    if message.get("kind") != "caption" or message.get("final") is not True:
        return None
    try:
        return _Caption.model_validate(message)
    except ValidationError as error:
        log.warning("caption not understood", problems=error.error_count())
        return None
