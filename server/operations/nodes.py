"""Who runs where; taking media nodes out."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.db import Database
from core.errors import NotFoundError, UnavailableError
from core.heartbeats import alive, ask_to_drain
from core.security.actor import Actor
from core.security.permissions import Permission
from server.operations.schemas import ProcessView

KINDS = ("edge", "media", "worker")


class NodeDesk:
    """What administrators see of processes, and what they may ask of them."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._redis = redis

    async def processes(self, actor: Actor) -> list[ProcessView]:
        """All live processes, by kind, host and name. UnavailableError ``redis.unreachable``."""
        actor.require(Permission.NODE_DRAIN)
        try:
            found = [
                ProcessView.model_validate({"kind": kind, "name": name, **facts})
                for kind in KINDS
                for name, facts in (await alive(self._redis, kind)).items()
            ]
        except (RedisError, OSError) as error:
            raise UnavailableError(f"Redis does not answer ({error})", code="redis.unreachable") from error
        return sorted(found, key=lambda each: (KINDS.index(each.kind), each.host, each.name))

    async def drain(self, actor: Actor, name: str, on: bool) -> None:
        """Ask a media node to take no new calls, or to take them again; it holds over a restart. Audited.

        Raises:
            NotFoundError: ``node.not_found``. UnavailableError: ``redis.unreachable``.
        """
        actor.require(Permission.NODE_DRAIN)
        try:
            if on and name not in await alive(self._redis, "media"):
                raise NotFoundError("no such media node is alive", code="node.not_found")
            async with self._database.unit_of_work(actor) as work:
                work.audit("node.drain" if on else "node.undrain", "node", name)
                await ask_to_drain(self._redis, name, on)
        except (RedisError, OSError) as error:
            raise UnavailableError(f"Redis does not answer ({error})", code="redis.unreachable") from error
