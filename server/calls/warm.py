"""Transports opened before there is a call: a customer's while reading the recording notice, a teller's while ready.

Nothing flows through them: the pages attach no track before the consent or the ring, and a media node neither forwards
nor records before a call is activated. What is kept here, in Redis, is a convenience: when it is lost, transports are
opened anew once the call is there.
"""

import time
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from core.ids import new_id

UNUSED_S = 600.0
"""A customer who has read for so long and not joined loses the transport; joining opens another one."""

KEEP_S = 24 * 3600
_DUE = "warm:due"
_SWAP = """
local stored = redis.call('GET', KEYS[1])
if (stored or '') == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
  return ARGV[2]
end
return stored
"""


class WarmBook:
    """Which call a visit is going to have, and which media node a call has that is not in the database yet."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._swap = redis.register_script(_SWAP)

    async def reserve(self, visit_id: str) -> str:
        """The id of the call this visit will have when it joins the queue."""
        key, fresh = f"warm:visit:{visit_id}", new_id("call")
        if await self._redis.set(key, fresh, nx=True, ex=KEEP_S):
            await self._redis.zadd(_DUE, {fresh: time.time() + UNUSED_S})
            return fresh
        return await self.reserved(visit_id) or fresh

    async def reserved(self, visit_id: str) -> str | None:
        """The id reserved for this visit, if any."""
        stored = await cast(Awaitable[bytes | None], self._redis.get(f"warm:visit:{visit_id}"))
        return stored.decode() if stored else None

    async def take(self, visit_id: str) -> str | None:
        """The reserved id, for the call that is being made; it is nobody's afterwards."""
        stored = await cast(Awaitable[bytes | None], self._redis.getdel(f"warm:visit:{visit_id}"))
        return stored.decode() if stored else None

    async def node_of(self, room_id: str) -> str | None:
        """The media node of a reserved call or of a teller's waiting transport."""
        stored = await cast(Awaitable[bytes | None], self._redis.get(f"warm:node:{room_id}"))
        return stored.decode() if stored else None

    async def set_node(self, room_id: str, node: str, replacing: str | None) -> str:
        """Store the node if the stored one still is `replacing`. Returns the one stored then."""
        stored = await self._swap(keys=[f"warm:node:{room_id}"], args=[replacing or "", node, KEEP_S])
        return bytes(stored).decode() if isinstance(stored, bytes) else str(stored)

    async def pop_due(self) -> list[str]:
        """Reserved calls whose time is over, each told to one caller only."""
        due = self._redis.zrangebyscore(_DUE, 0, time.time(), start=0, num=100)
        found = await cast(Awaitable[list[bytes]], due)
        return [member.decode() for member in found if await self._redis.zrem(_DUE, member)]


def lobby_of(staff_id: str) -> str:
    """The media room in which a teller's transport waits for the next call; see `core.ports.media.is_lobby`."""
    return f"lobby_{staff_id}"
