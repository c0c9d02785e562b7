"""Live fan-out: at once within the process, over Redis pub/sub to the others. May be lost: PostgreSQL is the truth."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.asyncio import Redis

from core.ids import new_id
from core.tasks import TaskOwner

log = structlog.get_logger(__name__)

FACTS = "facts"  # every committed event: {"type", "payload"}
MEDIA = "media"  # transport changes seen by media nodes: PeerChange as a dict
QUALITY = "quality"  # {"samples": [QualitySample as a dict, …]}, once per second from each media node
LIVE = "live"  # captions and live script state: {"kind", "call_id", …}

MAX_WAITING = 10_000
"""Messages kept for a subscriber that is busy; then the oldest goes."""

_ORIGIN = "_origin"

Message = dict[str, Any]
_Queue = asyncio.Queue[tuple[str, Message] | BaseException]


class Bus:
    """Publish and subscribe to topics of JSON objects.

    Subscribers in this process get a message before `publish` has talked to Redis: the way there and back costs a call
    that is being set up several milliseconds at every hop. What comes back from Redis of our own is left out.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._name = new_id("bus")
        self._here: dict[str, set[_Queue]] = {}

    async def publish(self, topic: str, *messages: Message) -> None:
        """Send messages to whoever listens now. A subscriber must not change what it is given."""
        packed = [json.dumps({_ORIGIN: self._name, **message}, ensure_ascii=False) for message in messages]
        if here := self._here.get(topic):
            for each in packed:
                message = json.loads(each)  # the very same that others get
                del message[_ORIGIN]
                for queue in here:
                    _put(queue, (topic, message))
        task = asyncio.current_task()
        asked = task.cancelling() if task is not None else 0
        pipeline = self._redis.pipeline(transaction=False)
        for each in packed:
            pipeline.publish(f"bus:{topic}", each)
        await pipeline.execute()
        # Who acts on what was heard here may cancel us meanwhile; a write to Redis can lose that, see TaskOwner.
        if task is not None and task.cancelling() > asked:
            raise asyncio.CancelledError

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, Message]]]:
        """Listen to topics; yields an endless iterator of ``(topic, message)``.

        The subscription is in place when the context is entered, so nothing sent afterwards is missed.
        """
        pubsub: Any = self._redis.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(*(f"bus:{topic}" for topic in topics))
        queue: _Queue = asyncio.Queue(MAX_WAITING)
        for topic in topics:
            self._here.setdefault(topic, set()).add(queue)
        pump = TaskOwner("bus")
        pump.start(", ".join(topics), self._pump(pubsub, queue))
        try:
            yield _messages(queue)
        finally:
            for topic in topics:
                self._here[topic].discard(queue)
            await pump.close()
            await pubsub.aclose()

    async def _pump(self, pubsub: Any, queue: _Queue) -> None:
        """What other processes say. A failure goes to the subscriber, who knows what to do about it."""
        try:
            async for raw in pubsub.listen():
                channel = raw["channel"]
                name = channel.decode() if isinstance(channel, bytes) else channel
                message = json.loads(raw["data"])
                if message.pop(_ORIGIN, None) != self._name:
                    _put(queue, (name.removeprefix("bus:"), message))
        except Exception as error:  # noqa: BLE001 - raised again where the messages are read
            _put(queue, error)


def _put(queue: _Queue, item: tuple[str, Message] | BaseException) -> None:
    if queue.full():
        queue.get_nowait()
        log.warning("message dropped because its subscriber is too slow")
    queue.put_nowait(item)


async def _messages(queue: _Queue) -> AsyncIterator[tuple[str, Message]]:
    while True:
        item = await queue.get()
        if isinstance(item, BaseException):
            raise item
        yield item
