"""Pushes the wallboard to those who oversee, and their words to the tellers."""

import asyncio
from typing import Any

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, Bus
from core.ports.wallboard import WallboardSource
from core.security.permissions import Permission
from core.tasks import OnCrash, TaskOwner
from signaling.messages import wallboard as messages
from signaling.messages.base import Empty
from signaling.rooms import Rooms, permission_room, staff_room
from signaling.table import MessageTable, Socket

log = structlog.get_logger(__name__)

AT_MOST_EVERY_S = 1.0
RETRY_S = 1.0
_PASSING = (RedisError, SQLAlchemyError, OSError)


def handle_wallboard(staff: MessageTable, source: WallboardSource) -> None:
    """Declare the family's handler."""

    @staff.on(messages.GET)
    async def get_wallboard(_: Socket, __: Empty) -> messages.WallboardAnswer:
        return messages.WallboardAnswer(wallboard=await source.view())


class WallboardPusher:
    """One per edge; sends to this edge's sockets only."""

    def __init__(self, bus: Bus, rooms: Rooms, source: WallboardSource, on_crash: OnCrash | None = None) -> None:
        self._bus = bus
        self._rooms = rooms
        self._source = source
        self._listening = asyncio.Event()
        self._owner = TaskOwner("wallboard pusher", on_crash)

    async def start(self) -> None:
        """Begin; returns once nothing sent on the bus is missed any more."""
        self._owner.start("push", self._push())
        self._owner.start("words", self._listen())
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop pushing."""
        await self._owner.close()

    async def _push(self) -> None:
        async for view in self._source.changes():
            await self._rooms.to_staff(permission_room(Permission.CALL_OVERSEE), messages.WALLBOARD, view)
            await asyncio.sleep(AT_MOST_EVERY_S)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS) as heard:
                    self._listening.set()
                    async for _, message in heard:
                        await self._heard(message["type"], message["payload"])
            except _PASSING as error:
                log.warning("wallboard pusher lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _heard(self, kind: str, fact: dict[str, Any]) -> None:
        try:
            if kind == "TellersTold":
                notice = {"at": fact["at"], "by_name": fact["by_name"], "text": fact["text"]}
                await self._rooms.to_staff(permission_room(Permission.CALL_TAKE), messages.TELLER_NOTICE, notice)
            elif kind == "HelpAnswered":
                taken = {"help_id": fact["help_id"], "by_name": fact["by_name"]}
                await self._rooms.to_staff(staff_room(fact["teller_id"]), messages.HELP_TAKEN, taken)
        except (ValidationError, KeyError) as error:
            log.warning("message not pushed", kind=kind, error=repr(error))
