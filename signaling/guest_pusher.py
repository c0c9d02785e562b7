"""Tells experts and supervisors how their place in a call stands, and their teller who is there."""

import asyncio
from typing import Any

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, LIVE, Bus
from core.errors import CounterError
from core.ports.guests import GuestDesk
from core.tasks import OnCrash, TaskOwner
from signaling.messages import guest as messages
from signaling.rooms import Rooms, staff_room

log = structlog.get_logger(__name__)

RETRY_S = 1.0
_OF_GUESTS = frozenset({"GuestInvited", "GuestJoined", "GuestModeChanged", "GuestLeft"})
_OF_CALLS = frozenset(
    {"CallConnected", "CallHeld", "CallResumed", "ScreenShared", "ScreenShareEnded", "CallAccepted", "CallTransferred"}
)


class GuestPusher:
    """One per edge; sends to this edge's sockets only."""

    def __init__(self, bus: Bus, rooms: Rooms, guests: GuestDesk, on_crash: OnCrash | None = None) -> None:
        self._bus = bus
        self._rooms = rooms
        self._guests = guests
        self._listening = asyncio.Event()
        self._owner = TaskOwner("guest pusher", on_crash)

    async def start(self) -> None:
        """Begin; returns once nothing sent on the bus is missed any more."""
        self._owner.start("listen", self._listen())
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop pushing."""
        await self._owner.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS) as messages_:
                    self._listening.set()
                    async for _, message in messages_:
                        await self._heard(message["type"], message["payload"])
            except (RedisError, OSError) as error:
                log.warning("guest pusher lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _heard(self, type_: str, fact: dict[str, Any]) -> None:
        try:
            if type_ in _OF_GUESTS:
                found = await self._guests.guest(fact["guest_id"])
                if found is not None:
                    await self._rooms.to_staff(staff_room(found[0]), messages.STATE, found[1])
                await self._bus.publish(LIVE, {"kind": "call", "call_id": fact["call_id"]})
            elif type_ in _OF_CALLS:
                for staff_id, view in await self._guests.of_call(fact["call_id"]):
                    await self._rooms.to_staff(staff_room(staff_id), messages.STATE, view)
        except (CounterError, SQLAlchemyError, ValidationError, KeyError) as error:
            log.warning("guest not told", type=type_, error=repr(error))
