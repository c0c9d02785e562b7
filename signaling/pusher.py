"""Tells the pages what happened: facts, captions, script states and media notices become messages."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, LIVE, Bus
from core.errors import CounterError
from core.ports.calls import CallDesk, ChatNewsDesk, CustomerCall, QueueNotices, TellerService
from core.security.actor import Actor
from core.security.permissions import Permission
from core.tasks import OnCrash, TaskOwner
from signaling.connections import REFRESH_S
from signaling.gateway import Gateway
from signaling.messages import CUSTOMER, STAFF, alarms, call, captions, chat, media, offer, presence, queue
from signaling.messages.base import Push
from signaling.rooms import Rooms, captions_room, permission_room, staff_room, teller_room, visit_room
from signaling.table import Socket

log = structlog.get_logger(__name__)

QUEUE_PUSH_S = 0.5  # between two looks at the queue for those who wait here
NEAR = 10  # positions at which every step forward is told at once
CATCH_UP_S = 5.0
KEEP_SESSION_S = 30.0
RETRY_S = 1.0
_PASSING = (RedisError, SQLAlchemyError, OSError)
_ON_DUTY = ("ready", "offered", "in_call", "wrap_up")

Payload = dict[str, Any]


def place_every_s(position: int) -> float:
    """How often somebody at a position hears of it at most: at once near the front, every 20 s far back."""
    return 0.0 if position <= NEAR else min(20.0, position / 10)


class Pusher:
    """One per edge; sends to this edge's sockets only."""

    def __init__(
        self,
        bus: Bus,
        gateway: Gateway,
        rooms: Rooms,
        calls: CallDesk,
        tellers: TellerService,
        notices: QueueNotices,
        chats: ChatNewsDesk,
        on_crash: OnCrash | None = None,
    ) -> None:
        self._bus = bus
        self._gateway = gateway
        self._rooms = rooms
        self._calls = calls
        self._tellers = tellers
        self._notices = notices
        self._chats = chats
        self._placed_s: dict[str, float] = {}  # visit → monotonic seconds of the last news of its place
        self._queue_moved = asyncio.Event()
        self._in_order = asyncio.Lock()  # held from reading a view to sending it: no page ever sees time run backwards
        # What each person (by the actor's name) was last told in each respect (by the push's name).
        self._told: dict[tuple[str, str], BaseModel] = {}
        self._listening = asyncio.Event()
        self._owner = TaskOwner("pusher", on_crash)
        self._on_fact: dict[str, Callable[[Payload], Awaitable[None]]] = {
            "CallQueued": self._queue_changed,
            "CallOffered": self._offered,
            "OfferLapsed": self._lapsed,
            "CallAccepted": self._accepted,
            "CallConnected": self._call_moved,
            "CallHeld": self._call_moved,
            "CallResumed": self._call_moved,
            "ScreenShared": self._call_moved,
            "ScreenShareEnded": self._call_moved,
            "CallEnded": self._ended,
            "CallWrappedUp": self._wrapped_up,
            "CallTransferred": self._transferred,
            "RecordingStarted": self._call_moved,
            "RecordingStopped": self._call_moved,
            "TellerStateChanged": self._teller_changed,
            "CustomerHelpAsked": self._call_moved,
            "QueueNoticeChanged": self._notice,
            "ChatMessageSent": self._chat,
            "StaffSessionEnded": self._session_ended,
            "AlarmRaised": self._alarm,
        }
        self._on_live: dict[str, Callable[[Payload], Awaitable[None]]] = {
            "call": self._call_moved,
            "caption": self._caption,
            "script": self._script,
            "media": self._media_notice,
        }

    async def start(self) -> None:
        """Begin; returns once nothing sent on the bus is missed any more."""
        self._owner.start("listen", self._listen())
        self._owner.start("queue", self._every(QUEUE_PUSH_S, self._push_queue))
        self._owner.start("catch up", self._every(CATCH_UP_S, self._catch_up))
        self._owner.start("connections", self._every(REFRESH_S, self._gateway.refresh))
        self._owner.start("sessions", self._every(KEEP_SESSION_S, self._keep_sessions))
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop pushing."""
        await self._owner.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS, LIVE) as messages:
                    self._listening.set()
                    async for topic, message in messages:
                        await self._heard(topic, message)
            except _PASSING as error:
                log.warning("pusher lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _heard(self, topic: str, message: Payload) -> None:
        try:
            if topic == FACTS:
                push, payload = self._on_fact.get(message["type"]), message["payload"]
            else:
                push, payload = self._on_live.get(message["kind"]), message
            if push is not None:
                async with self._in_order:
                    await push(payload)
        except (CounterError, SQLAlchemyError, ValidationError, KeyError) as error:
            # One message must not stop the others; pages redraw from a snapshot when they reconnect.
            log.warning("message not pushed", topic=topic, error=repr(error))

    async def _every(self, pause_s: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            try:
                await act()
            except _PASSING as error:
                log.warning("pusher's round failed", round=act.__name__, error=str(error))

    # --- facts --------------------------------------------------------------------------------------------------

    async def _queue_changed(self, fact: Payload) -> None:
        # The customer who joined has the acknowledgement; everybody else hears with the next round.
        self._queue_moved.set()

    async def _call_moved(self, fact: Payload) -> None:
        self._queue_moved.set()
        views = await self._calls.views(fact["call_id"])
        if views is None:
            return
        await self._tell_customer(views.visit_id, views.customer)
        if views.teller_id is not None and views.teller is not None:
            await self._tell_teller(views.teller_id, call.TELLER_STATE, views.teller)

    async def _tell_customer(self, visit_id: str, view: CustomerCall) -> None:
        self._told[f"visit:{visit_id}", queue.CUSTOMER_STATE.name] = view
        self._placed_s[visit_id] = time.monotonic()
        await self._rooms.to_customers(visit_room(visit_id), queue.CUSTOMER_STATE, view)

    async def _tell_teller(self, staff_id: str, push: Push, view: BaseModel) -> None:
        self._told[f"staff:{staff_id}", push.name] = view
        await self._rooms.to_staff(staff_room(staff_id), push, view)

    async def _offered(self, fact: Payload) -> None:
        ringing = await self._tellers.offer(fact["offer_id"])
        if ringing is not None:
            await self._tell_teller(fact["teller_id"], offer.RING, ringing)
        await self._call_moved(fact)

    async def _lapsed(self, fact: Payload) -> None:
        end = {"offer_id": fact["offer_id"], "outcome": fact["outcome"]}
        await self._rooms.to_staff(staff_room(fact["teller_id"]), offer.END, end)
        await self._call_moved(fact)

    async def _accepted(self, fact: Payload) -> None:
        for socket in self._consoles(fact["teller_id"]):
            await self._rooms.enter(socket.sid, STAFF, teller_room(fact["call_id"]))
        await self._call_moved(fact)
        end = {"offer_id": fact["offer_id"], "outcome": "accepted"}
        await self._rooms.to_staff(staff_room(fact["teller_id"]), offer.END, end)

    async def _transferred(self, fact: Payload) -> None:
        """Who had it hears no more of it; who was consulted has it at once, everybody else only once they accept."""
        await self._rooms.close(STAFF, teller_room(fact["call_id"]))
        if fact["kind"] == "consult":
            for socket in self._consoles(fact["to_teller_id"]):
                await self._rooms.enter(socket.sid, STAFF, teller_room(fact["call_id"]))
        await self._call_moved(fact)

    async def _ended(self, fact: Payload) -> None:
        await self._call_moved(fact)
        await self._rooms.close(CUSTOMER, captions_room(fact["call_id"]))

    async def _wrapped_up(self, fact: Payload) -> None:
        await self._call_moved(fact)
        await self._rooms.close(STAFF, teller_room(fact["call_id"]))

    async def _teller_changed(self, fact: Payload) -> None:
        self._queue_moved.set()
        now = await self._tellers.presence(fact["teller_id"])
        await self._tell_teller(fact["teller_id"], presence.PRESENCE, now)

    async def _session_ended(self, fact: Payload) -> None:
        for socket in self._consoles(fact["staff_id"]):
            if socket.session == fact["session"]:
                await self._gateway.drop(socket)

    async def _alarm(self, fact: Payload) -> None:
        rooms = [permission_room(Permission.ALARM_VIEW)]
        if fact["call_id"] is not None:
            views = await self._calls.views(fact["call_id"])
            if views is not None and views.teller_id is not None:
                rooms.append(staff_room(views.teller_id))
        notice = {
            "id": fact["alarm_id"],
            "kind": fact["kind"],
            "call_id": fact["call_id"],
            "message": fact["message"],
            "raised_at": fact["at"],
        }
        await self._rooms.to_staff(rooms, alarms.ALARM, notice)

    async def _chat(self, fact: Payload) -> None:
        news = await self._chats.news(fact["message_id"])
        if news is None:
            return
        await self._rooms.to_customers(visit_room(news.visit_id), chat.CUSTOMER_CHAT, news.message)
        if news.teller_id is not None:
            await self._rooms.to_staff(staff_room(news.teller_id), chat.TELLER_CHAT, news.message)

    async def _notice(self, fact: Payload) -> None:
        """One push to every customer's page here: pages know for which business they wait."""
        found = await self._notices.notice(fact["notice_id"])
        if found is not None:
            await self._rooms.to_all_customers(queue.NOTICE, found.model_dump(mode="python"))

    # --- live ---------------------------------------------------------------------------------------------------

    async def _caption(self, live: Payload) -> None:
        words = {name: live[name] for name in captions.CustomerCaption.model_fields}
        room = teller_room(live["call_id"])
        await self._rooms.to_staff(room, captions.TELLER_CAPTION, words | {"call_id": live["call_id"]})
        await self._rooms.to_customers(captions_room(live["call_id"]), captions.CUSTOMER_CAPTION, words)

    async def _script(self, live: Payload) -> None:
        state = {name: live[name] for name in captions.ScriptState.model_fields}
        await self._rooms.to_staff(teller_room(live["call_id"]), captions.SCRIPT, state)

    async def _media_notice(self, live: Payload) -> None:
        views = await self._calls.views(live["call_id"])
        if views is None:
            return
        notice = {"seat": live["seat"], "state": live["state"]}
        await self._rooms.to_customers(visit_room(views.visit_id), media.CUSTOMER_NOTICE, notice)
        if views.teller_id is not None:
            notice["call_id"] = live["call_id"]
            await self._rooms.to_staff(staff_room(views.teller_id), media.TELLER_NOTICE, notice)

    # --- rounds -------------------------------------------------------------------------------------------------

    async def _push_queue(self) -> None:
        """Tell those who wait here their new position and range, if it is new and they have not just been told."""
        if self._queue_moved.is_set():
            self._queue_moved.clear()
            async with self._in_order:
                await self._catch_up_customers()

    async def _catch_up(self) -> None:
        """Whatever the bus has lost, pages hear a few seconds later: what they were told is compared with what is."""
        people = {socket.actor.name for socket in self._gateway.sockets.values()}
        self._told = {key: view for key, view in self._told.items() if key[0] in people}
        self._placed_s = {visit: at for visit, at in self._placed_s.items() if f"visit:{visit}" in people}
        async with self._in_order:
            await self._catch_up_customers()
        for socket in list(self._gateway.sockets.values()):
            if socket.actor.staff_id is not None and socket.actor.may(Permission.CALL_TAKE):
                async with self._in_order:
                    await self._catch_up_teller(socket.actor)

    async def _catch_up_customers(self) -> None:
        here = [socket.actor.visit_id for socket in self._gateway.sockets.values() if socket.actor.visit_id]
        if not here:
            return
        now = await self._calls.open_calls(here)
        for visit_id in here:
            told = self._told.get((f"visit:{visit_id}", queue.CUSTOMER_STATE.name))
            view = now.get(visit_id)
            if view is None and isinstance(told, CustomerCall) and told.ended_at is None:
                views = await self._calls.views(told.call_id)  # it ended, and nobody said so
                view = views.customer if views else None
            if view is None or told == view:
                continue
            if isinstance(told, CustomerCall) and self._can_wait(visit_id, told, view):
                self._queue_moved.set()  # looked at again in the next round
                continue
            await self._tell_customer(visit_id, view)

    def _can_wait(self, visit_id: str, told: CustomerCall, view: CustomerCall) -> bool:
        """Whether only the place has changed, far back in the queue, and the page was told of it a moment ago.

        One who leaves moves everybody behind: telling all of them each time would grow with the square of those
        who wait. So the traffic per socket is bounded, and less the further back somebody is.
        """
        place = {"position": view.position, "wait_low_s": view.wait_low_s, "wait_high_s": view.wait_high_s}
        if view.position is None or told.model_copy(update=place) != view:
            return False
        last_s = self._placed_s.get(visit_id)
        return last_s is not None and time.monotonic() - last_s < place_every_s(view.position)

    async def _catch_up_teller(self, actor: Actor) -> None:
        staff_id = actor.staff_id or ""
        state = await self._tellers.presence(staff_id)
        told = self._told.get((actor.name, presence.PRESENCE.name))
        if state.state == "offline" or (state.state == "break" and told == state):
            return
        now: list[tuple[Push, BaseModel | None]] = [
            (presence.PRESENCE, state),
            (offer.RING, await self._tellers.ringing(staff_id)),
            (call.TELLER_STATE, await self._calls.teller_call(actor)),
        ]
        for push, view in now:
            if view is not None and self._told.get((actor.name, push.name)) != view:
                await self._tell_teller(staff_id, push, view)

    async def _keep_sessions(self) -> None:
        for socket in [socket for socket in self._gateway.sockets.values() if socket.actor.staff_id]:
            duty = await self._tellers.presence(socket.actor.staff_id or "")
            if duty.state in _ON_DUTY:
                await self._gateway.keep_session(socket)

    def _consoles(self, staff_id: str) -> list[Socket]:
        return [socket for socket in self._gateway.sockets.values() if socket.actor.staff_id == staff_id]
