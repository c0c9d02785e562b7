"""One leg of a live worker: reads its stream, has it recognised in a thread, tells the listener."""

import asyncio
import json
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.ports.recognizer import Recognizer
from core.ports.speech import Party, Segment
from qa.stt.leg import Heard, Leg, LegPipeline, LegProgress
from qa.stt.tap import AUDIO, END, FLUSH_S, LEG_TTL_S, leg_key, unpack
from qa.stt.vad import CutConfig, SileroVad, VoiceModel

log = structlog.get_logger(__name__)

_Entries = list[tuple[bytes, dict[bytes, bytes]]]


@dataclass(frozen=True, slots=True)
class LiveDegraded:
    """Live text of a party is incomplete. The final transcript is not touched by this.

    Attributes:
        missed_s: Length of the call that was not recognised live.
        final_only: There will be no more live text of this leg.
    """

    call_id: str
    party: Party
    missed_s: float
    final_only: bool


class LiveListener(Protocol):
    """Who wants to know what is said. Calls are awaited: a slow listener slows the leg."""

    async def hot_words(self, call_id: str, party: Party) -> Sequence[str]:
        """Terms likely to be said in this call."""
        ...

    async def on_leg(self, call_id: str, party: Party, running: bool) -> None:
        """A leg was taken, or has ended."""
        ...

    async def on_segment(self, call_id: str, party: Party, segment: Segment, is_final: bool) -> None:
        """Something was said. A final segment may be told again after a worker's death."""
        ...

    async def on_degraded(self, what: LiveDegraded) -> None:
        """Live recognition cannot keep up."""
        ...


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Limits of a live worker.

    Attributes:
        max_legs: Legs at the same time (two per call).
        threads: Recognitions at the same time.
        max_lag_s: Backlog at which it is dropped. max_drops: times per leg, then final-only.
        idle_s: A leg without packets and without an end for this long has ended.
        claim_s: A leg whose worker was silent this long is taken over.
        cut: How utterances are cut.
    """

    max_legs: int = 32
    threads: int = 2
    max_lag_s: float = 20.0
    max_drops: int = 3
    idle_s: float = 60.0
    claim_s: float = 15.0
    cut: CutConfig = field(default_factory=CutConfig)
    voice_model: Callable[[], VoiceModel] = SileroVad


class _Ended(Exception):
    """The leg is over."""


class LegReader:
    """Reads one leg's stream until the leg has ended or is left to the final transcript."""

    def __init__(
        self,
        redis: Redis,
        engine: Recognizer,
        listener: LiveListener,
        config: LiveConfig,
        leg: Leg,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._redis = redis
        self._engine = engine
        self._listener = listener
        self._config = config
        self._leg = leg
        self._pool = pool
        self._key = leg_key(leg.call_id, leg.party.value, leg.segment)
        self._progress_key = f"{self._key}:progress"
        self._drops = 0
        self._idle_s = 0.0

    async def run(self) -> None:
        """Serve the leg. Redis being away is waited out."""
        await self._listener.on_leg(self._leg.call_id, self._leg.party, True)
        await self._prepare()
        try:
            while True:
                await self._step()
        except _Ended as end:
            log.info("live leg ended", reason=str(end), lost=self._pipeline.timeline.lost)
        except (RuntimeError, ValueError, struct.error) as error:
            # One broken stream must not take the others along; the file is transcribed later anyway.
            log.error("live leg given up", exc_info=error)
            await self._degraded(0.0, final_only=True)
        await self._redis.delete(self._key, self._progress_key)
        await self._listener.on_leg(self._leg.call_id, self._leg.party, False)

    async def _prepare(self) -> None:
        resume = await self._load_progress()
        self._last_id = resume.entry_id if resume else "0"
        self._pipeline = LegPipeline(
            self._leg,
            self._engine,
            self._config.voice_model(),
            hot_words=await self._listener.hot_words(self._leg.call_id, self._leg.party),
            resume=resume,
            cut=self._config.cut,
        )
        log.info("live leg taken", resumed=resume is not None)

    async def _step(self) -> None:
        try:
            answer: Any = await self._redis.xread({self._key: self._last_id}, count=1000)
        except (RedisError, OSError) as error:
            log.warning("live leg cannot reach redis", error=str(error))
            await asyncio.sleep(1.0)
            return
        entries: _Entries = answer[0][1] if answer else []
        if not entries:
            await self._wait()
            return
        self._idle_s = 0.0
        entries = await self._drop_backlog(entries)
        self._last_id = entries[-1][0].decode()
        audio = [(entry_id.decode(), list(unpack(data[AUDIO]))) for entry_id, data in entries if AUDIO in data]
        ended = next((data[END].decode() for _id, data in entries if END in data), None)
        await self._hear(lambda: list(self._pipeline.hear(audio)))
        if ended is not None:
            await self._end(ended)
        await asyncio.sleep(FLUSH_S)

    async def _wait(self) -> None:
        self._idle_s += FLUSH_S
        if self._idle_s >= self._config.idle_s:
            await self._end("idle")
        await asyncio.sleep(FLUSH_S)

    async def _end(self, reason: str) -> None:
        await self._hear(lambda: list(self._pipeline.finish()))
        raise _Ended(reason)

    async def _drop_backlog(self, entries: _Entries) -> _Entries:
        """Entry ids begin with Redis's clock in ms: their span is the backlog, whatever our clocks say."""
        newest_ms = _entry_ms(entries[-1][0])
        lag_s = (newest_ms - _entry_ms(entries[0][0])) / 1000
        if lag_s <= self._config.max_lag_s:
            return entries
        self._drops += 1
        final_only = self._drops > self._config.max_drops
        await self._hear(lambda: list(self._pipeline.skip()))
        log.warning("live backlog dropped", lag_s=lag_s, final_only=final_only)
        await self._degraded(lag_s, final_only=final_only)
        if final_only:
            raise _Ended("overloaded")
        return [entry for entry in entries if newest_ms - _entry_ms(entry[0]) < 1000]

    async def _degraded(self, missed_s: float, *, final_only: bool) -> None:
        await self._listener.on_degraded(LiveDegraded(self._leg.call_id, self._leg.party, missed_s, final_only))

    async def _hear(self, work: Callable[[], list[Heard]]) -> None:
        heard = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        newest = len(heard) - 1
        for index, one in enumerate(heard):
            if one.is_final or index == newest:  # an overtaken partial is of no use
                await self._listener.on_segment(self._leg.call_id, self._leg.party, one.segment, one.is_final)
        await self._save_progress()

    async def _load_progress(self) -> LegProgress | None:
        stored = await self._redis.get(self._progress_key)
        return LegProgress(**json.loads(stored)) if stored else None

    async def _save_progress(self) -> None:
        progress = self._pipeline.progress
        if progress is None:
            return
        try:
            await self._redis.set(self._progress_key, json.dumps(progress.as_dict()), ex=LEG_TTL_S)
        except (RedisError, OSError) as error:
            log.warning("live progress not saved", error=str(error))


def _entry_ms(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])
