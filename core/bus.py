"""Live fan-out over Redis pub/sub. What travels here may be lost: PostgreSQL is the truth."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

FACTS = "facts"  # every committed event: {"type", "payload"}
MEDIA = "media"  # transport changes seen by media nodes: PeerChange as a dict
QUALITY = "quality"  # {"samples": [QualitySample as a dict, …]}, once per second from each media node
LIVE = "live"  # captions and live script state: {"kind", "call_id", …}


class Bus:
    """Publish and subscribe to topics of JSON objects."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send one message to whoever listens now."""
        await self._redis.publish(f"bus:{topic}", json.dumps(message, ensure_ascii=False))

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
        """Listen to topics; yields an endless iterator of ``(topic, message)``.

        The subscription is in place when the context is entered, so nothing sent afterwards is missed.
        """
        pubsub: Any = self._redis.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(*(f"bus:{topic}" for topic in topics))
        try:
            yield self._messages(pubsub)
        finally:
            await pubsub.aclose()

    async def _messages(self, pubsub: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        async for raw in pubsub.listen():
            channel = raw["channel"]
            name = channel.decode() if isinstance(channel, bytes) else channel
            yield name.removeprefix("bus:"), json.loads(raw["data"])
