"""A media node's name is its own: two processes of one name would end each other's recordings and share heartbeats.

On one journals folder a file lock decides; it falls with the process, so that a killed node starts again at once.
Between machines a claim in Redis decides, held under the folder's own id and renewed with every beat.
"""

import asyncio
import contextlib
import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import ConflictError
from core.heartbeats import BEAT_S, GONE_AFTER_S
from core.ids import new_id

LOOK_S = 0.25

log = structlog.get_logger(__name__)

# Takes or renews the claim unless somebody else holds it.
_HOLD = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class NameTakenError(ConflictError):
    """Another media process has this name."""

    code = "node.name_taken"


class NodeName:
    """The claim on a media node's name. `take` it, then `keep` it for as long as the process lives.

    Args:
        folder: The journals: whoever records into them must not share a name with another.
    """

    def __init__(self, redis: Redis, folder: Path, name: str) -> None:
        self._redis = redis
        self._folder = folder
        self._name = name
        self._key = f"claim:media:{name}"
        self._hold = redis.register_script(_HOLD)
        self._release = redis.register_script(_RELEASE)
        self._lock: IO[str] | None = None
        self._owner = ""

    async def take(self) -> None:
        """Make the name this process's own. A dead holder on another machine is waited for.

        Raises:
            NameTakenError: A live process has it.
        """
        self._lock, self._owner = await asyncio.to_thread(self._take_file)
        for _ in range(round((GONE_AFTER_S + BEAT_S) / LOOK_S)):
            try:
                if await self._held():
                    return
            except RedisError as error:  # calls can be carried without it; `keep` finds out when it is back
                log.warning("not known whether this node's name is free", node_id=self._name, error=str(error))
                return
            await asyncio.sleep(LOOK_S)
        self.drop()
        raise self._taken("on another machine")

    async def keep(self, on_lost: Callable[[], None]) -> None:
        """Renew the claim until cancelled, then give it back.

        Args:
            on_lost: Called once when another process holds the name: both were started while Redis was away.
        """
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                try:
                    held = await self._held()
                except RedisError:
                    continue  # nobody can take it either
                if not held:
                    log.error("another media process has taken this node's name", node_id=self._name)
                    on_lost()
                    return
        finally:
            with contextlib.suppress(RedisError):  # it expires by itself in any case
                await self._release(keys=[self._key], args=[self._owner])
            self.drop()

    def drop(self) -> None:
        """Let go of the file, as the end of the process does."""
        if self._lock is not None:
            self._lock.close()

    async def _held(self) -> bool:
        return bool(await self._hold(keys=[self._key], args=[self._owner, int(GONE_AFTER_S * 1000)]))

    def _take_file(self) -> tuple[IO[str], str]:
        """The locked file and the id in it, made with the file: the same machine comes back under the same id."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (self._folder / f"{self._name}.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise self._taken(f"on {self._folder}") from error
        file.seek(0)
        owner = file.read().strip()
        if not owner:
            owner = new_id("host")
            file.write(owner)
            file.flush()
        return file, owner

    def _taken(self, where: str) -> NameTakenError:
        return NameTakenError(
            f"another media process {where} is called {self._name}; "
            "give each one a name of its own with AIRCOUNTER_MEDIA_NODE_ID",
            name=self._name,
        )
