"""What customers' pages were told of their call, and what they have to be told next."""

import asyncio
import time
from collections.abc import Iterator, Mapping

from core.ports.call_views import CustomerCall
from core.ports.calls import CallDesk, QueuePlace
from signaling.gateway import Gateway
from signaling.messages import queue
from signaling.rooms import Rooms, visit_room

NEAR = 10  # positions at which every step forward is told at once
GROUP = 100  # customers looked at in one go


def place_every_s(position: int) -> float:
    """How often somebody at a position hears of it at most: at once near the front, every 20 s far back."""
    return 0.0 if position <= NEAR else min(20.0, position / 10)


class CustomerNews:
    """Sends to this edge's customers. Its caller sees to it that two of its methods never run at the same time."""

    def __init__(self, gateway: Gateway, rooms: Rooms, calls: CallDesk) -> None:
        self._gateway = gateway
        self._rooms = rooms
        self._calls = calls
        self._told: dict[str, CustomerCall] = {}  # by visit
        self._placed_s: dict[str, float] = {}  # visit → monotonic seconds of the last news of its place
        self._queue_moved = asyncio.Event()

    def moved(self) -> None:
        """Something in the queues has changed."""
        self._queue_moved.set()

    async def tell(self, visit_id: str, view: CustomerCall) -> None:
        """Send a view to all pages of the visit."""
        self._told[visit_id] = view
        self._placed_s[visit_id] = time.monotonic()
        await self._rooms.to_customers(visit_room(visit_id), queue.CUSTOMER_STATE, view)

    async def push_places(self) -> None:
        """Tell those who wait here their new place and range, if it is new and they have not just been told."""
        if not self._queue_moved.is_set():
            return
        self._queue_moved.clear()
        line = await self._calls.line()
        strangers = []
        for visit_id in self._here():
            place = line.get(visit_id)
            if place is None:  # runs or is over: that is told where it happens
                continue
            told = self._told.get(visit_id)
            if told is None or told.position is None:
                strangers.append(visit_id)
            elif (told.position, told.wait_low_s, told.wait_high_s) != (place.position, place.low_s, place.high_s):
                await self._tell_place(visit_id, told, place)
        await self._compare(strangers, line)

    async def _tell_place(self, visit_id: str, told: CustomerCall, place: QueuePlace) -> None:
        """News of the place alone, unless the page stands far back and was told a moment ago.

        One who leaves moves everybody behind: telling all of them each time would grow with the square of those
        who wait. So the traffic per socket is bounded, and less the further back somebody is.
        """
        last_s = self._placed_s.get(visit_id)
        if last_s is not None and time.monotonic() - last_s < place_every_s(place.position):
            self._queue_moved.set()  # looked at again in the next round
            return
        new = {"position": place.position, "wait_low_s": place.low_s, "wait_high_s": place.high_s}
        await self.tell(visit_id, told.model_copy(update=new))

    def groups(self) -> Iterator[list[str]]:
        """Customers with a page here, a group at a time; who has none any more is forgotten."""
        here = self._here()
        known = set(here)
        self._told = {visit_id: view for visit_id, view in self._told.items() if visit_id in known}
        self._placed_s = {visit_id: at for visit_id, at in self._placed_s.items() if visit_id in known}
        for first in range(0, len(here), GROUP):
            yield here[first : first + GROUP]

    async def catch_up(self, visit_ids: list[str], line: Mapping[str, QueuePlace]) -> None:
        """Tell these what the bus may have lost. `line`: a fresh one, read once for all groups of a round."""
        self._queue_moved.set()
        await self._compare(visit_ids, line)

    async def _compare(self, visit_ids: list[str], line: Mapping[str, QueuePlace]) -> None:
        """What these were told with what is. Their place is left to the round."""
        if not visit_ids:
            return
        now = await self._calls.open_calls(visit_ids, line)
        for visit_id in visit_ids:
            told, view = self._told.get(visit_id), now.get(visit_id)
            if view is None and told is not None and told.ended_at is None:
                views = await self._calls.views(told.call_id)  # it ended, and nobody said so
                view = views.customer if views else None
            if view is not None and (told is None or not _same_but_place(told, view)):
                await self.tell(visit_id, _placed_as(told, view))

    def _here(self) -> list[str]:
        return [socket.actor.visit_id for socket in self._gateway.sockets.values() if socket.actor.visit_id]


def _same_but_place(told: CustomerCall, view: CustomerCall) -> bool:
    return told == view or (view.position is not None and _at_place_of(view, told) == view)


def _placed_as(told: CustomerCall | None, view: CustomerCall) -> CustomerCall:
    """What is new, at the place last told: the line it comes from is that of the round's begin, and may be older."""
    if told is None or told.position is None or view.position is None:
        return view
    return _at_place_of(told, view)


def _at_place_of(other: CustomerCall, view: CustomerCall) -> CustomerCall:
    place = {"position": other.position, "wait_low_s": other.wait_low_s, "wait_high_s": other.wait_high_s}
    return view.model_copy(update=place)
