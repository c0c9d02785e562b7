"""A media node that is to end: it takes no new calls, the ones it has go on, and the last one ends it."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.heartbeats import asked_to_drain

log = structlog.get_logger(__name__)

LOOK_S = 1.0


class Drain:
    """Whether this node drains: because somebody asked over Redis, or because the process is to end.

    Attributes:
        on: Told to the edges with every heartbeat.
    """

    def __init__(self, redis: Redis, name: str, send_waiting_away: Callable[[], Awaitable[None]]) -> None:
        self._redis = redis
        self._name = name
        self._send_waiting_away = send_waiting_away
        self._ending = False
        self.on = False

    async def run(self) -> None:
        """Look whether somebody has asked."""
        while True:
            try:
                await self._set(self._ending or await asked_to_drain(self._redis, self._name))
            except RedisError as error:  # as before, until it can be asked again
                log.warning("not known whether to drain", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def until_empty(self, load: Callable[[], int], longest_s: float) -> None:
        """Drain and return when no call is left, or after `longest_s` seconds; the rest move on to other nodes."""
        if longest_s <= 0:
            return
        self._ending = True
        await self._set(True)
        for _ in range(math.ceil(longest_s / LOOK_S)):
            if not load():
                break
            await asyncio.sleep(LOOK_S)
        log.info("drained", calls_left=load())

    async def _set(self, on: bool) -> None:
        if on == self.on:
            return
        self.on = on
        log.info("node drains" if on else "node takes calls again", node_id=self._name)
        if on:
            # Edges know after the next beat; whoever is sent away before that would come back here.
            await asyncio.sleep(2 * LOOK_S)
            await self._send_waiting_away()
