"""Who is alive: media nodes and workers announce themselves in Redis; three missed beats and they are gone."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.clock import Clock

BEAT_S = 1.0
GONE_AFTER_S = 3.0
ASK_EVERY_S = 0.5
_DRAIN = "drain:media"


async def beat(redis: Redis, kind: str, name: str, facts: Callable[[], dict[str, Any]]) -> None:
    """Announce this process until cancelled, then withdraw at once."""
    key = f"alive:{kind}:{name}"
    try:
        while True:
            with contextlib.suppress(RedisError):  # the next beat tries again; whoever asks notices missing ones
                await redis.set(key, json.dumps(facts()), px=int(GONE_AFTER_S * 1000))
            await asyncio.sleep(BEAT_S)
    finally:
        with contextlib.suppress(RedisError):  # it expires by itself in any case
            await redis.delete(key)


class AliveBook:
    """Who of a kind is alive, asked at most every half second; a death takes longer to be noticed."""

    def __init__(self, redis: Redis, clock: Clock, kind: str) -> None:
        self._redis = redis
        self._clock = clock
        self._kind = kind
        self._found: dict[str, dict[str, Any]] = {}
        self._asked_s: float | None = None

    async def now(self) -> dict[str, dict[str, Any]]:
        """Facts of all live processes, by name. While there are none, every question is asked anew."""
        now_s = self._clock.monotonic_s()
        if self._asked_s is None or not self._found or now_s - self._asked_s >= ASK_EVERY_S:
            self._found, self._asked_s = await alive(self._redis, self._kind), now_s
        return self._found


async def alive(redis: Redis, kind: str) -> dict[str, dict[str, Any]]:
    """Facts of all live processes of a kind, by name."""
    found: dict[str, dict[str, Any]] = {}
    async for key in redis.scan_iter(match=f"alive:{kind}:*", count=100):
        value = await redis.get(key)
        if value is not None:
            found[key.decode().split(":", 2)[2]] = json.loads(value)
    return found


async def ask_to_drain(redis: Redis, name: str, on: bool) -> None:
    """Ask a media node to take no new calls, or to take them again. It holds until taken back, also over a restart."""
    await (redis.sadd(_DRAIN, name) if on else redis.srem(_DRAIN, name))


async def asked_to_drain(redis: Redis, name: str) -> bool:
    """Whether somebody has asked this node to drain. RedisError."""
    return bool(await redis.sismember(_DRAIN, name))
