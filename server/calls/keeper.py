"""Watches running and waiting calls: media that comes and goes, customers who vanish."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import FACTS, LIVE, MEDIA, Bus
from core.db import Database
from core.errors import ConflictError, CounterError
from core.events import OfferLapsed
from core.models.call import Call, EndReason
from core.ports.calls import Connections
from core.ports.media import PARTIES, PeerChange, PeerState, Seat, is_lobby
from core.tasks import OnCrash, TaskOwner
from server.calls import rows
from server.calls.guests import Guests
from server.calls.media import MediaDesk
from server.calls.recording_flag import FACTS as RECORDING_FACTS
from server.calls.recording_flag import RecordingFlag
from server.calls.seats import SeatBoard
from server.calls.service import CallService
from server.calls.states import RUNNING

log = structlog.get_logger(__name__)

AliveNodes = Callable[[], Awaitable[Collection[str]]]  # media nodes that are there now, as in `Call.media_node`

SWEEP_S = 1.0
ORPHANS_S = 15.0
WRITERS_PATIENCE = 5  # times the usual: a phone that shows another application is no lost customer
_OF_RECORDING = {fact.__name__: fact for fact in RECORDING_FACTS}
_PASSING = (RedisError, SQLAlchemyError, OSError)  # engines restarting; the next sweep finds everything again


class CallKeeper:
    """One per edge. Any number may run: every act is compare-and-set."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        calls: CallService,
        media: MediaDesk,
        board: SeatBoard,
        connections: Connections,
        flag: RecordingFlag,
        guests: Guests,
        rejoin_s: float,
        on_crash: OnCrash | None = None,
        alive_nodes: AliveNodes | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._calls = calls
        self._media = media
        self._board = board
        self._connections = connections
        self._flag = flag
        self._guests = guests
        self._rejoin_s = rejoin_s
        self._alive_nodes = alive_nodes
        self._without_node: set[str] = set()  # calls whose media node was missing at the last look
        self._vanished: dict[str, float] = {}  # call id → monotonic seconds since nobody is connected
        self._unseen: dict[tuple[str, EndReason], float] = {}  # the same for the sides of calls in writing
        self._owner = TaskOwner("calls keeper", on_crash)
        self._listening = asyncio.Event()

    async def start(self) -> None:
        """Begin to watch; returns once nothing sent on the bus is missed any more."""
        self._owner.start("listen", self._listen())
        self._owner.start("sweep", self._sweep())
        if self._alive_nodes is not None:
            self._owner.start("orphans", self._close_orphans(self._alive_nodes))
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop watching."""
        await self._owner.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(MEDIA, FACTS, LIVE) as messages:
                    self._listening.set()
                    async for topic, message in messages:
                        await self._heard(topic, message)
            except _PASSING as error:
                log.warning("calls keeper lost the bus", error=str(error))
                await asyncio.sleep(SWEEP_S)

    async def _heard(self, topic: str, message: dict[str, Any]) -> None:
        try:
            if topic == MEDIA:
                await self.peer_changed(_peer_change(message))
            elif topic == FACTS and message["type"] in _OF_RECORDING:
                await self._flag.recording_changed(_OF_RECORDING[message["type"]].model_validate(message["payload"]))
            elif topic == FACTS and message["type"] == "OfferLapsed":
                lapsed = OfferLapsed.model_validate(message["payload"])
                await self._media.release(lapsed.call_id, lapsed.teller_id)
            elif topic == LIVE and message["kind"] == "transcription":
                await self._transcription_changed(message["call_id"], message["mode"])
        except (CounterError, SQLAlchemyError, KeyError, ValueError) as error:
            # One message must not stop the others; what it was about is looked at again by the sweep.
            log.warning("message on the bus not handled", topic=topic, error=repr(error))

    async def peer_changed(self, change: PeerChange) -> None:
        """A transport came up, struggles or is gone."""
        if is_lobby(change.call_id):
            return
        seat = await self._board.apply(change, self._database.clock.now())
        if change.seat not in PARTIES:  # the parties are not told that somebody listens in
            await self._guests.peer_changed(change)
            return
        if seat is None:
            return
        notice = {"kind": "media", "call_id": change.call_id, "seat": change.seat.value, "state": seat.state}
        await self._bus.publish(LIVE, notice)
        if seat.state == "connected":
            await self._media.resume(change.call_id)
            await self._calls.judge_seats(change.call_id)

    async def _transcription_changed(self, call_id: str, mode: str) -> None:
        if await self._board.set_transcription(call_id, mode):
            await self._bus.publish(LIVE, {"kind": "call", "call_id": call_id})

    async def _close_orphans(self, alive_nodes: AliveNodes) -> None:
        """End calls whose media node did not survive what ended this edge's predecessor.

        For a while, because a killed node's last heartbeat stays in Redis for some seconds.
        """
        started_at, began_s = self._database.clock.now(), self._database.clock.monotonic_s()
        while self._database.clock.monotonic_s() - began_s < ORPHANS_S:
            try:
                await self._calls.close_orphans(await alive_nodes(), started_at)
            except _PASSING as error:
                log.warning("orphans not looked for", error=str(error))
            await asyncio.sleep(SWEEP_S)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sweep()
            except _PASSING as error:
                log.warning("calls sweep failed", error=str(error))
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """One look at all calls that wait or run."""
        await self._close_unused()
        async with self._database.read() as session:
            running = await rows.calls_in(session, RUNNING)
            waiting = await rows.waiting_visits(session)
        gone = dict.fromkeys(await self._gone_for_good(waiting), EndReason.CUSTOMER_LOST)
        gone |= await self._writers_gone([call for call in running if call.channel == "text"])
        await self._miss_nodes({call.id: call.media_node for call in running})
        for call_id, reason in gone.items():
            await self._unless_moved(call_id, self._calls.end(call_id, reason))
        for call in running:
            await self._unless_moved(call.id, self._calls.judge(call))

    async def _unless_moved(self, call_id: str, act: Awaitable[object]) -> None:
        try:
            await act
        except ConflictError as error:  # it moved in between
            log.debug("call moved while being looked at", call_id=call_id, error=str(error))

    async def _close_unused(self) -> None:
        try:
            await self._media.close_unused()
        except CounterError as error:  # its node is away, and the transport with it
            log.warning("unused transports not closed", error=str(error))

    async def _miss_nodes(self, running: Mapping[str, str | None]) -> None:
        """A node that died tells nobody: its calls' seats are lost, and both pages make new connections elsewhere.

        Only when it is missing twice in a row: heartbeats may be late, or lost with Redis.
        """
        if self._alive_nodes is None or not running:
            return
        alive = await self._alive_nodes()
        missing = {call_id for call_id, node in running.items() if node is not None and node not in alive}
        for call_id in missing & self._without_node:
            for seat, now in (await self._board.seats(call_id)).items():
                if now.state != "lost":
                    log.warning("media node lost", call_id=call_id, seat=seat)
                    await self.peer_changed(PeerChange(call_id, seat, now.peer_id, PeerState.LOST, "node_lost"))
        self._without_node = missing

    async def _gone_for_good(self, waiting: dict[str, str]) -> set[str]:
        """Calls whose customer has had no page for longer than a place is kept.

        Counted from when this process first misses the customer: after a restart everybody has the full time.
        """
        online = await self._connections.online_visits(set(waiting.values())) if waiting else set()
        now = self._database.clock.monotonic_s()
        missing = {call_id for call_id, visit_id in waiting.items() if visit_id not in online}
        self._vanished = {call_id: self._vanished.get(call_id, now) for call_id in missing}
        return {call_id for call_id, since in self._vanished.items() if now - since >= self._rejoin_s}

    async def _writers_gone(self, calls: Collection[Call]) -> dict[str, EndReason]:
        """Calls in writing one of whose sides has no page any more; no media tell of it. Counted as above."""
        visits = await self._connections.online_visits({call.visit_id for call in calls}) if calls else set()
        tellers = {call.teller_id for call in calls if call.teller_id is not None}
        online = await self._connections.online_staff(tellers) if tellers else set()
        missing = {(call.id, EndReason.CUSTOMER_LOST) for call in calls if call.visit_id not in visits}
        missing |= {(call.id, EndReason.TELLER_LOST) for call in calls if call.teller_id not in online}
        now = self._database.clock.monotonic_s()
        self._unseen = {which: self._unseen.get(which, now) for which in missing}
        patience = {EndReason.CUSTOMER_LOST: WRITERS_PATIENCE * self._rejoin_s, EndReason.TELLER_LOST: self._rejoin_s}
        return {call_id: reason for (call_id, reason), since in self._unseen.items() if now - since >= patience[reason]}


def _peer_change(message: dict[str, Any]) -> PeerChange:
    return PeerChange(
        call_id=str(message["call_id"]),
        seat=Seat(message["seat"]),
        peer_id=str(message["peer_id"]),
        state=PeerState(message["state"]),
        reason=str(message.get("reason", "")),
    )
