"""Handlers and pushes of business done during a call: both sides always get whole views."""

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, LIVE, Bus
from core.errors import CounterError, UnavailableError
from core.ports.calls import CallMedia
from core.ports.counter import CaseDesk, CaseView, CaseViews
from core.ports.media import Profile, Seat
from core.security.actor import staff_actor
from core.tasks import OnCrash, TaskOwner
from signaling.gateway import Gateway
from signaling.messages import counter as messages
from signaling.messages.base import Empty
from signaling.rooms import Rooms, staff_room, visit_room
from signaling.table import MessageTable, Socket

log = structlog.get_logger(__name__)

CATCH_UP_S = 2.0
RETRY_S = 1.0
_PASSING = (RedisError, SQLAlchemyError, OSError)
_FACTS = ("CaseStarted", "CaseStepChanged", "CaseEnded", "CaseOverdue")


def handle_counter(customer: MessageTable, staff: MessageTable, desk: CaseDesk | None) -> None:
    """Declare the family's handlers. Without a desk no business is done here and requests are refused."""

    def cases() -> CaseDesk:
        if desk is None:
            raise UnavailableError("no business is done here", code="counter.unavailable")
        return desk

    @customer.on(messages.CUSTOMER_GET)
    async def customer_get(socket: Socket, _: Empty) -> messages.CustomerCase:
        return messages.CustomerCase(case=await cases().customer_case(socket.actor))

    @customer.on(messages.CUSTOMER_ACT)
    async def customer_act(socket: Socket, body: messages.StepAct) -> messages.CustomerCase:
        case = await cases().act(socket.actor, body.case_id, body.step, body.version, body.action, body.inputs)
        return messages.CustomerCase(case=case)

    @staff.on(messages.TELLER_GET)
    async def teller_get(socket: Socket, body: messages.CounterGet) -> messages.TellerCounter:
        case = await cases().teller_case(socket.actor, body.call_id)
        choices = await cases().choices(socket.actor, body.call_id)
        return messages.TellerCounter(call_id=body.call_id, case=case, choices=choices)

    @staff.on(messages.START)
    async def start(socket: Socket, body: messages.CounterStart) -> messages.TellerCase:
        case = await cases().start(socket.actor, body.call_id, body.business_code)
        return messages.TellerCase(call_id=case.call_id, case=case)

    @staff.on(messages.TELLER_ACT)
    async def teller_act(socket: Socket, body: messages.StepAct) -> messages.TellerCase:
        case = await cases().act(socket.actor, body.case_id, body.step, body.version, body.action, body.inputs)
        return messages.TellerCase(call_id=case.call_id, case=case)

    @staff.on(messages.BACK)
    async def back(socket: Socket, body: messages.CounterBack) -> messages.TellerCase:
        case = await cases().back(socket.actor, body.case_id, body.step, body.version, body.reason)
        return messages.TellerCase(call_id=case.call_id, case=case)

    @staff.on(messages.CANCEL)
    async def cancel(socket: Socket, body: messages.CounterCancel) -> messages.TellerCase:
        case = await cases().cancel(socket.actor, body.case_id, body.version, body.reason)
        return messages.TellerCase(call_id=case.call_id, case=case)


class CounterPusher:
    """One per edge; sends to this edge's sockets only. Lost facts are made up for by comparing versions."""

    def __init__(
        self,
        bus: Bus,
        gateway: Gateway,
        rooms: Rooms,
        cases: CaseDesk,
        media: CallMedia,
        on_crash: OnCrash | None = None,
    ) -> None:
        self._bus = bus
        self._gateway = gateway
        self._rooms = rooms
        self._cases = cases
        self._media = media
        self._profiles: dict[str, Profile] = {}  # call → what the customer's camera was asked for last
        self._told: dict[str, tuple[int, str | None, str | None]] = {}  # case → version, blocked, teller
        self._in_order = asyncio.Lock()
        self._listening = asyncio.Event()
        self._owner = TaskOwner("counter pusher", on_crash)

    async def start(self) -> None:
        """Begin; returns once nothing sent on the bus is missed any more."""
        self._owner.start("listen", self._listen())
        self._owner.start("catch up", self._catch_up())
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop pushing."""
        await self._owner.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS, LIVE) as heard:
                    self._listening.set()
                    async for topic, message in heard:
                        case_id = _case_of(topic, message)
                        if case_id is not None:
                            await self._push(case_id)
            except _PASSING as error:
                log.warning("counter pusher lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _push(self, case_id: str) -> None:
        try:
            async with self._in_order:
                views = await self._cases.both_views(case_id)
                if views is None:
                    return
                self._told[case_id] = (views.teller.version, views.teller.blocked, views.teller_id)
                payload: dict[str, Any] = {"case": views.customer}
                await self._rooms.to_customers(
                    visit_room(views.visit_id), messages.CUSTOMER_CASE, messages.CustomerCase(**payload)
                )
                if views.teller_id is not None:
                    told = messages.TellerCase(call_id=views.teller.call_id, case=views.teller)
                    await self._rooms.to_staff(staff_room(views.teller_id), messages.TELLER_CASE, told)
            await self._ask_camera(views)
        except (CounterError, SQLAlchemyError) as error:
            log.warning("case not pushed", case=case_id, error=repr(error))

    async def _ask_camera(self, views: CaseViews) -> None:
        """1280×720 while pictures of cards, papers and faces are to be taken, then back. Asking twice does no harm."""
        call_id, profile = views.customer.call_id, Profile.HD if wants_sharp(views.customer) else Profile.VGA
        if views.teller_id is None or self._profiles.get(call_id, Profile.VGA) is profile:
            return
        try:
            await self._media.set_profile(staff_actor(views.teller_id, ["teller"]), call_id, Seat.CUSTOMER, profile)
        except CounterError as error:  # the picture is taken as it is
            log.info("camera not asked", call=call_id, profile=profile, code=error.code)
            return
        self._profiles[call_id] = profile
        if profile is Profile.VGA:
            del self._profiles[call_id]

    async def _catch_up(self) -> None:
        """Also how pages hear that steps are free again, and how the new teller of a transferred call gets its case."""
        while True:
            await asyncio.sleep(CATCH_UP_S)
            try:
                actors = [socket.actor for socket in self._gateway.sockets.values()]
                visits = {actor.visit_id for actor in actors if actor.visit_id}
                staff = {actor.staff_id for actor in actors if actor.staff_id}
                heads = await self._cases.versions(visits, staff) if actors else []
                self._told = {head.case_id: told for head in heads if (told := self._told.get(head.case_id))}
                for head in heads:
                    if self._told.get(head.case_id) != (head.version, head.blocked, head.teller_id):
                        await self._push(head.case_id)
            except _PASSING as error:
                log.warning("counter pusher's round failed", error=str(error))


def wants_sharp(view: CaseView) -> bool:
    """Whether the open step is one in which the customer's camera has to show letters."""
    open_steps = (step for step in view.steps if step.state in ("active", "waiting"))
    return view.state == "running" and any(step.details.get("sharp") is True for step in open_steps)


def _case_of(topic: str, message: dict[str, Any]) -> str | None:
    if topic == FACTS:
        return str(message["payload"]["case_id"]) if message["type"] in _FACTS else None
    return str(message["case_id"]) if message.get("kind") == "case" else None
