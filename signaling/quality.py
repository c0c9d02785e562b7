"""Tells both pages how good the connections are: when it changes, and now and then for those who have come anew."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import QUALITY, Bus
from core.errors import CounterError
from core.ports.calls import CallDesk
from core.tasks import OnCrash, TaskOwner
from signaling.messages import quality
from signaling.messages.base import Push
from signaling.rooms import Rooms, staff_room, visit_room

log = structlog.get_logger(__name__)

REPEAT_S = 5.0
PEOPLE_S = 30.0
"""How long an edge remembers who is in a call before it asks again."""

RETRY_S = 1.0
SHOWN = ("customer", "teller")

News = tuple[int, str | None, str, bool]
"""Bars, profile, why, and whether the other party gets the picture."""


@dataclass(slots=True)
class _Watched:
    """What an edge knows of a running call."""

    visit_id: str
    teller_id: str | None
    asked_s: float
    told: dict[str, tuple[News, float]] = field(default_factory=dict)  # seat → what, when


class QualityPusher:
    """One per edge; sends to this edge's sockets only. Asks the database once per call and half minute."""

    def __init__(self, bus: Bus, rooms: Rooms, calls: CallDesk, on_crash: OnCrash | None = None) -> None:
        self._bus = bus
        self._rooms = rooms
        self._calls = calls
        self._watched: dict[str, _Watched] = {}
        self._listening = asyncio.Event()
        self._owner = TaskOwner("quality pusher", on_crash)

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
                async with self._bus.subscribe(QUALITY) as messages:
                    self._listening.set()
                    async for _, message in messages:
                        await self._heard(message)
            except (RedisError, OSError) as error:
                log.warning("quality pusher lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _heard(self, message: dict[str, Any]) -> None:
        now_s = time.monotonic()
        for sample in message.get("samples", ()):
            try:
                if sample["seat"] in SHOWN:
                    why, shown = sample.get("why", "asked"), sample.get("shown", True)
                    news = sample["bars"], sample.get("profile"), why, shown
                    await self._tell(sample["call_id"], sample["seat"], news, now_s)
            except (CounterError, SQLAlchemyError, ValidationError, KeyError) as error:
                log.warning("quality not pushed", error=repr(error))
        self._watched = {key: call for key, call in self._watched.items() if now_s - call.asked_s < 2 * PEOPLE_S}

    async def _tell(self, call_id: str, seat: str, news: News, now_s: float) -> None:
        call = self._watched.get(call_id)
        before = call.told.get(seat) if call is not None else None
        if before is not None and before[0] == news and now_s - before[1] < REPEAT_S:
            return
        bars, profile, why, shown = news
        if call is None or now_s - call.asked_s > PEOPLE_S:
            views = await self._calls.views(call_id)
            if views is None:
                return
            told = call.told if call is not None else {}
            call = self._watched[call_id] = _Watched(views.visit_id, views.teller_id, now_s, told)
        call.told[seat] = (news, now_s)
        # Repeated, so that a page that comes back falls into line with what it is to send itself.
        await self._push(
            call_id, call, (quality.CUSTOMER_QUALITY, quality.TELLER_QUALITY), {"seat": seat, "bars": bars}
        )
        if profile is not None:
            words = {"seat": seat, "profile": profile, "why": why, "shown": shown}
            await self._push(call_id, call, (quality.CUSTOMER_PROFILE, quality.TELLER_PROFILE), words)

    async def _push(self, call_id: str, call: _Watched, pushes: tuple[Push, Push], words: dict[str, Any]) -> None:
        await self._rooms.to_customers(visit_room(call.visit_id), pushes[0], words)
        if call.teller_id is not None:
            await self._rooms.to_staff(staff_room(call.teller_id), pushes[1], {**words, "call_id": call_id})
