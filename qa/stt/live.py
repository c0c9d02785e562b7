"""Live worker: takes legs from the tap, recognises them while people talk.

Workers share the legs through a consumer group; a dead worker's legs are claimed by another, which goes on where the
dead one was. A worker that falls behind drops its backlog, says so, and after a few times leaves the leg to the final
transcript.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from core.ports.recognizer import Recognizer
from core.ports.speech import Party
from core.tasks import TaskOwner
from qa.stt.leg import Leg
from qa.stt.leg_reader import LegReader, LiveConfig, LiveListener
from qa.stt.tap import LEG_TTL_S, LEGS, leg_key

log = structlog.get_logger(__name__)

GROUP = "speech-live"

_Announcement = tuple[bytes, dict[bytes, bytes]]


class LiveTranscriber:
    """One worker process's share of all live legs. The loaded engine is shared by its legs."""

    def __init__(
        self,
        redis: Redis,
        engine: Recognizer,
        listener: LiveListener,
        *,
        name: str,
        config: LiveConfig | None = None,
    ) -> None:
        """
        Args:
            redis: Client without `decode_responses`.
            name: This worker's name, unique among the workers that run now.
        """
        self._redis = redis
        self._engine = engine
        self._listener = listener
        self._config = config or LiveConfig()
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
        """Every time, since Redis may have come back empty."""
        try:
            await self._redis.xgroup_create(LEGS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _next_legs(self) -> list[_Announcement]:
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
            leg = _parse(fields)
            if leg is not None and await self._is_first(leg, entry_id):
                with structlog.contextvars.bound_contextvars(call_id=leg.call_id, party=leg.party.value):
                    await LegReader(self._redis, self._engine, self._listener, self._config, leg, pool).run()
            await self._redis.xack(LEGS, GROUP, entry_id)
        finally:
            self._running.discard(entry_id)

    async def _is_first(self, leg: Leg, entry_id: bytes) -> bool:
        """A node that got no answer announces a leg twice; only the first announcement counts."""
        key = f"{leg_key(leg.call_id, leg.party.value, leg.segment)}:entry"
        if await self._redis.set(key, entry_id, nx=True, ex=LEG_TTL_S):
            return True
        return bool(await self._redis.get(key) == entry_id)


def _parse(fields: dict[bytes, bytes]) -> Leg | None:
    try:
        return Leg(
            fields[b"call"].decode(),
            Party(fields[b"party"].decode()),
            int(fields[b"segment"]),
            int(fields[b"start_ns"]),
        )
    except (KeyError, ValueError) as error:
        log.error("leg announcement not understood", error=repr(error))
        return None
