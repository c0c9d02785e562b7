"""Tells the pages what happened: facts, captions, script states and media notices become messages."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, LIVE, Bus
from core.errors import CounterError
from core.ports.calls import CallDesk, ChatNewsDesk, QueueNotices, TellerService
from core.security.actor import Actor
from core.security.permissions import Permission
from core.tasks import OnCrash, TaskOwner
from signaling.connections import REFRESH_S
from signaling.customer_news import CustomerNews
from signaling.gateway import Gateway
from signaling.messages import CUSTOMER, STAFF, alarms, call, captions, chat, media, offer, presence, queue
from signaling.messages.base import Push
from signaling.rooms import Rooms, captions_room, permission_room, staff_room, teller_room, visit_room
from signaling.table import Socket

log = structlog.get_logger(__name__)

QUEUE_PUSH_S = 0.5  # between two looks at the queue for those who wait here
CATCH_UP_S = 5.0
NOTICES_S = 1.0
CATCH_UP_TELLERS = 40  # looked at each time, in turn
KEEP_SESSION_S = 30.0
RETRY_S = 1.0
_PASSING = (RedisError, SQLAlchemyError, OSError)
_ON_DUTY = ("ready", "offered", "in_call", "wrap_up")

Payload = dict[str, Any]


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
        self._customers = CustomerNews(gateway, rooms, calls)
        self._in_order = asyncio.Lock()  # held from reading a view to sending it: no page ever sees time run backwards
        # What each member of staff (by the actor's name) was last told in each respect (by the push's name).
        self._told: dict[tuple[str, str], BaseModel] = {}
        self._notices_at: datetime | None = None  # by then all that begin or end by the clock were told
        self._turn = 0  # of the tellers, in catching up
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
            "CallChannelChanged": self._call_moved,
            "QueueNoticeChanged": self._notice,
            "ChatMessageSent": self._chat,
            "StaffSessionEnded": self._session_ended,
            "AlarmRaised": self._alarm,
            "AlarmCleared": self._alarm_cleared,
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
        self._owner.start("notices", self._every(NOTICES_S, self._push_notices))
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
            try:
                await act()
            except _PASSING as error:
                log.warning("pusher's round failed", round=act.__name__, error=str(error))
            await asyncio.sleep(pause_s)

    # --- facts --------------------------------------------------------------------------------------------------

    async def _queue_changed(self, fact: Payload) -> None:
        # The customer who joined has the acknowledgement; everybody else hears with the next round.
        self._customers.moved()

    async def _call_moved(self, fact: Payload) -> None:
        self._customers.moved()
        views = await self._calls.views(fact["call_id"])
        if views is None:
            return
        await self._customers.tell(views.visit_id, views.customer)
        if views.teller_id is not None and views.teller is not None:
            await self._tell_teller(views.teller_id, call.TELLER_STATE, views.teller)

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
        self._customers.moved()
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

    async def _alarm_cleared(self, fact: Payload) -> None:
        over = {"id": fact["alarm_id"], "cleared_at": fact["at"]}
        await self._rooms.to_staff([permission_room(Permission.ALARM_VIEW)], alarms.ALARM_CLEARED, over)

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
        async with self._in_order:
            await self._customers.push_places()

    async def _push_notices(self) -> None:
        """Notices that begin or end by the clock appear on open pages, and go."""
        self._notices_at, turned = await self._notices.turned(self._notices_at)
        for notice in turned:
            await self._rooms.to_all_customers(queue.NOTICE, notice.model_dump(mode="python"))

    async def _catch_up(self) -> None:
        """Whatever the bus has lost, pages hear a few seconds later: what they were told is compared with what is.

        In small groups, so that facts get in between; of the tellers a fixed number each time, in turn.
        """
        people = {socket.actor.name for socket in self._gateway.sockets.values()}
        self._told = {key: view for key, view in self._told.items() if key[0] in people}
        groups = list(self._customers.groups())
        line = await self._calls.line() if groups else {}
        for visits in groups:
            async with self._in_order:
                await self._customers.catch_up(visits, line)
        tellers = [each.actor for each in self._gateway.sockets.values() if _takes_calls(each.actor)]
        for _ in range(min(len(tellers), CATCH_UP_TELLERS)):
            self._turn += 1
            async with self._in_order:
                await self._catch_up_teller(tellers[self._turn % len(tellers)])

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


def _takes_calls(actor: Actor) -> bool:
    return actor.staff_id is not None and actor.may(Permission.CALL_TAKE)
