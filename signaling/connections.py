"""Who has a live socket, on any edge: keys in Redis that their edge keeps alive."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Literal

from redis.asyncio import Redis

Kind = Literal["visit", "staff"]

REFRESH_S = 5.0
AT_ONCE = 32  # thousands of sockets may come or go in one moment; each would open a connection of its own to Redis
GONE_AFTER_S = 15  # an edge that stopped refreshing is gone, and its sockets with it

_FORGET = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisConnections:
    """Implements `core.ports.calls.Connections`.

    One key per person holds the newest socket's id. A page that reloads connects again before or after its old
    socket is noticed gone: the old socket's end only counts while the key still names it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._forget = redis.register_script(_FORGET)

    async def connected(self, kind: Kind, person_id: str, sid: str) -> None:
        """A socket is up."""
        async with self._turn:
            await self._redis.set(_key(kind, person_id), sid, ex=GONE_AFTER_S)

    async def disconnected(self, kind: Kind, person_id: str, sid: str) -> None:
        """A socket is gone."""
        async with self._turn:
            await self._forget(keys=[_key(kind, person_id)], args=[sid])

    async def refresh(self, sockets: Iterable[tuple[Kind, str, str]]) -> None:
        """These sockets (kind, person, sid) are still up; the last of a person wins."""
        pipeline = self._redis.pipeline(transaction=False)
        for kind, person_id, sid in sockets:
            pipeline.set(_key(kind, person_id), sid, ex=GONE_AFTER_S)
        await pipeline.execute()

    async def online_visits(self, visit_ids: Collection[str]) -> set[str]:
        """Those of the visits whose page is connected."""
        return await self._online("visit", visit_ids)

    async def online_staff(self, staff_ids: Collection[str]) -> set[str]:
        """Those of the staff whose console is connected."""
        return await self._online("staff", staff_ids)

    async def _online(self, kind: Kind, ids: Collection[str]) -> set[str]:
        asked = list(ids)
        if not asked:
            return set()
        values = await self._redis.mget([_key(kind, person_id) for person_id in asked])
        return {person_id for person_id, value in zip(asked, values, strict=True) if value is not None}


def _key(kind: Kind, person_id: str) -> str:
    return f"online:{kind}:{person_id}"
