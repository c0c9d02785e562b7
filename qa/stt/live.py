"""Live worker: takes legs from the tap, recognises them while people talk.

Workers share the legs through a consumer group; a dead worker's legs are claimed by another, which goes on where the
dead one was. A worker that falls behind drops its backlog, says so, and after a few times leaves the leg to the final
transcript.
"""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from core.ports.recognizer import Recognizer
from core.ports.speech import Party, Segment
from core.tasks import TaskOwner
from qa.stt.leg import Heard, Leg, LegPipeline, LegProgress
from qa.stt.tap import AUDIO, END, FLUSH_S, LEG_TTL_S, LEGS, leg_key, unpack
from qa.stt.vad import CutConfig, SileroVad, VoiceModel

log = structlog.get_logger(__name__)

GROUP = "speech-live"

OnSegment = Callable[[str, Party, Segment, bool], Awaitable[None]]
"""Called with call id, party, segment and whether it is final."""
HotWords = Callable[[str, Party], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class LiveDegraded:
    """Live text of a party is incomplete. The final transcript is not touched by this.

    Attributes:
        missed_s: Length of speech that was not recognised live.
        final_only: There will be no more live text of this party in this call's leg.
    """

    call_id: str
    party: Party
    missed_s: float
    final_only: bool


OnDegraded = Callable[[LiveDegraded], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Limits of a live worker.

    Attributes:
        max_legs: Legs at the same time (two per call).
        threads: Recognitions at the same time.
        max_lag_s: Backlog at which it is dropped. max_drops: times per leg, then final-only.
        idle_s: A leg without packets and without an end for this long has ended.
        claim_s: A leg whose worker was silent this long is taken over.
    """

    max_legs: int = 32
    threads: int = 2
    max_lag_s: float = 20.0
    max_drops: int = 3
    idle_s: float = 60.0
    claim_s: float = 15.0


class _Ended(Exception):
    """The leg is over."""


class LiveTranscriber:
    """One worker process's share of all live legs. The loaded engine is shared by its legs."""

    def __init__(
        self,
        redis: Redis,
        engine: Recognizer,
        on_segment: OnSegment,
        *,
        name: str,
        on_degraded: OnDegraded | None = None,
        hot_words: HotWords | None = None,
        config: LiveConfig | None = None,
        cut: CutConfig | None = None,
        voice_model: Callable[[], VoiceModel] = SileroVad,
    ) -> None:
        """
        Args:
            redis: Client without `decode_responses`.
            name: This worker's name, unique among the workers that run now.
        """
        self._redis = redis
        self._engine = engine
        self._on_segment = on_segment
        self._on_degraded = on_degraded
        self._hot_words = hot_words
        self._config = config or LiveConfig()
        self._cut = cut
        self._voice_model = voice_model
        self._name = name
        self._running: set[bytes] = set()  # announcement ids

    async def run(self) -> None:
        """Take and serve legs until cancelled. Redis being away is waited out."""
        owner = TaskOwner(f"speech live {self._name}")
        pool = ThreadPoolExecutor(self._config.threads, thread_name_prefix="speech")
        try:
            owner.start("keep legs", self._keep())
            while True:
                try:
                    await self._ensure_group()
                    while True:
                        for entry_id, fields in await self._next_legs():
                            self._running.add(entry_id)
                            owner.start(f"leg {entry_id.decode()}", self._serve(entry_id, fields, pool))
                except (RedisError, OSError) as error:
                    log.warning("live worker cannot reach redis", error=str(error))
                    await asyncio.sleep(1.0)
        finally:
            await owner.close()
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ensure_group(self) -> None:
        try:
            await self._redis.xgroup_create(LEGS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _next_legs(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Orphaned legs first, then new ones; waits about a second."""
        room = self._config.max_legs - len(self._running)
        if room <= 0:
            await asyncio.sleep(1.0)
            return []
        claimed: Any = await self._redis.xautoclaim(
            LEGS, GROUP, self._name, min_idle_time=int(self._config.claim_s * 1000), count=room
        )
        orphans = [(entry_id, fields) for entry_id, fields in claimed[1] if entry_id not in self._running]
        if orphans:
            return orphans
        streams = {LEGS: ">"}
        answer: Any = await self._redis.xreadgroup(GROUP, self._name, streams, count=room, block=1000)  # type: ignore[arg-type]
        return [entry for _stream, entries in answer or () for entry in entries]

    async def _keep(self) -> None:
        """Tell the group that this worker is alive."""
        while True:
            await asyncio.sleep(self._config.claim_s / 3)
            ids = list(self._running)
            if not ids:
                continue
            try:
                await self._redis.xclaim(LEGS, GROUP, self._name, 0, ids, justid=True)  # type: ignore[arg-type]
            except (RedisError, OSError) as error:
                log.warning("live worker cannot keep its legs", error=str(error))

    async def _serve(self, entry_id: bytes, fields: dict[bytes, bytes], pool: ThreadPoolExecutor) -> None:
        """One leg from announcement to end. If this task dies, the leg is claimed again later."""
        try:
            leg = Leg(
                fields[b"call"].decode(),
                Party(fields[b"party"].decode()),
                int(fields[b"segment"]),
                int(fields[b"start_ns"]),
            )
            hot_words = await self._hot_words(leg.call_id, leg.party) if self._hot_words else ()
            with structlog.contextvars.bound_contextvars(call_id=leg.call_id, party=leg.party.value):
                await _LegReader(self, leg, hot_words, pool).run()
            await self._redis.xack(LEGS, GROUP, entry_id)
        finally:
            self._running.discard(entry_id)


class _LegReader:
    """Reads one leg's stream and tells what is heard."""

    def __init__(self, worker: LiveTranscriber, leg: Leg, hot_words: Sequence[str], pool: ThreadPoolExecutor) -> None:
        self._worker = worker
        self._config = worker._config
        self._redis = worker._redis
        self._leg = leg
        self._hot_words = hot_words
        self._pool = pool
        self._key = leg_key(leg.call_id, leg.party.value, leg.segment)
        self._progress_key = f"{self._key}:progress"
        self._drops = 0
        self._idle_s = 0.0

    async def run(self) -> None:
        """Until the leg has ended or is left to the final transcript."""
        resume = await self._load_progress()
        self._last_id = resume.entry_id if resume else "0"
        self._pipeline = LegPipeline(
            self._leg,
            self._worker._engine,
            self._worker._voice_model(),
            hot_words=self._hot_words,
            resume=resume,
            cut=self._worker._cut,
        )
        log.info("live leg taken", resumed=resume is not None)
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

    async def _step(self) -> None:
        try:
            answer: Any = await self._redis.xread({self._key: self._last_id}, count=1000)
        except (RedisError, OSError) as error:
            log.warning("live leg cannot reach redis", error=str(error))
            await asyncio.sleep(1.0)
            return
        entries: list[tuple[bytes, dict[bytes, bytes]]] = answer[0][1] if answer else []
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
        if len(entries) < 5:
            await asyncio.sleep(FLUSH_S)

    async def _wait(self) -> None:
        self._idle_s += FLUSH_S
        if self._idle_s >= self._config.idle_s:
            await self._end("idle")
        await asyncio.sleep(FLUSH_S)

    async def _end(self, reason: str) -> None:
        await self._hear(lambda: list(self._pipeline.finish()))
        raise _Ended(reason)

    async def _drop_backlog(
        self, entries: list[tuple[bytes, dict[bytes, bytes]]]
    ) -> list[tuple[bytes, dict[bytes, bytes]]]:
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
        if self._worker._on_degraded is not None:
            await self._worker._on_degraded(LiveDegraded(self._leg.call_id, self._leg.party, missed_s, final_only))

    async def _hear(self, work: Callable[[], list[Heard]]) -> None:
        heard = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        latest_partial = max((i for i, one in enumerate(heard) if not one.is_final), default=-1)
        for index, one in enumerate(heard):
            if one.is_final or index == latest_partial:
                await self._worker._on_segment(self._leg.call_id, self._leg.party, one.segment, one.is_final)
        await self._save_progress()

    async def _load_progress(self) -> LegProgress | None:
        stored = await self._redis.get(self._progress_key)
        return LegProgress(**json.loads(stored)) if stored else None

    async def _save_progress(self) -> None:
        progress = self._pipeline.progress
        if progress is not None:
            await self._redis.set(self._progress_key, json.dumps(progress.as_dict()), ex=LEG_TTL_S)


def _entry_ms(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])
