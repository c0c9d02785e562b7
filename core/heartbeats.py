"""Who is alive: processes announce themselves in Redis; three missed beats and they are gone."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.clock import Clock

BEAT_S = 1.0
GONE_AFTER_S = 3.0
ASK_EVERY_S = 0.5
_DRAIN = "drain:media"
_KNOWN = "known"


async def beat(redis: Redis, kind: str, name: str, facts: Callable[[], dict[str, Any]]) -> None:
    """Announce this process until cancelled, then withdraw at once: who ends without that is missed."""
    key, told = f"alive:{kind}:{name}", {"host": socket.gethostname(), "started_at": time.time()}
    try:
        while True:
            with contextlib.suppress(RedisError):  # the next beat tries again; whoever asks notices missing ones
                await redis.set(key, json.dumps(told | facts()), px=int(GONE_AFTER_S * 1000))
                await redis.hset(_KNOWN, f"{kind}:{name}", json.dumps(told | {"seen_at": time.time()}))
            await asyncio.sleep(BEAT_S)
    finally:
        with contextlib.suppress(RedisError):  # it expires by itself in any case
            await redis.hdel(_KNOWN, f"{kind}:{name}")
            await redis.delete(key)


async def missed(redis: Redis, present: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Processes that neither beat nor have withdrawn: ``{"kind:name": {"host", "started_at", "seen_at"}}``. RedisError.

    Args:
        present: Facts of all that are alive, by ``kind:name``.
    """
    known = await cast(Awaitable[dict[bytes, bytes]], redis.hgetall(_KNOWN))
    named = {field.decode(): json.loads(told) for field, told in known.items()}
    return {name: told for name, told in named.items() if name not in present}


async def forget(redis: Redis, name: str) -> None:
    """Miss this one (``kind:name``) no more. RedisError."""
    await redis.hdel(_KNOWN, name)


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
