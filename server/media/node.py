"""A media node: all calls carried by one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from aiortc import RTCCertificate

from core.errors import NotFoundError, UnavailableError
from core.ports.media import (
    MediaSinkFactory,
    PeerChange,
    PeerOffer,
    Profile,
    QualitySample,
    QualitySummary,
    Seat,
    SinkFailure,
    SupervisorMode,
    is_lobby,
)
from core.tasks import TaskOwner
from server.media.config import MediaConfig
from server.media.room import Room, RoomContext

log = structlog.get_logger(__name__)

Samples = list[QualitySample]

TICK_S = 0.1
"""Browsers want congestion feedback every 50–250 ms; 100 ms also suits repeated NACKs."""

REPORT_DEADLINE_S = 5.0
MAX_REPORTS = 1000
CLOSE_WAIT_S = 3.0
"""How long `close_call` waits for the recording to be completed; then that goes on by itself."""

ENDING_DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True)
class CallQuality:
    """How good an ended call's legs were."""

    call_id: str
    seats: list[QualitySummary]


Report = PeerChange | SinkFailure | CallQuality | Samples


class MediaNode:
    """Carries calls. Implements `core.ports.media.MediaControl` for callers in the same process.

    Args:
        on_change: Told of every change of a transport, in order, one at a time.
        on_sink_failure: Told when recording or tapping of a transport has failed.
        on_call_closed: Awaited with call id and reason after a call's last transport was closed.
        on_samples: Given all quality samples of the last second at once; what it does not take in time is lost.
        on_quality: Given an ended call's summary.
    """

    def __init__(
        self,
        config: MediaConfig,
        sink_factory: MediaSinkFactory,
        on_change: Callable[[PeerChange], Awaitable[None]],
        on_sink_failure: Callable[[SinkFailure], Awaitable[None]],
        on_call_closed: Callable[[str, str], Awaitable[None]] | None = None,
        on_samples: Callable[[Samples], Awaitable[None]] | None = None,
        on_quality: Callable[[CallQuality], Awaitable[None]] | None = None,
    ) -> None:
        self.config = config
        self._on_change = on_change
        self._on_sink_failure = on_sink_failure
        self._on_call_closed = on_call_closed
        self._on_samples = on_samples
        self._on_quality = on_quality
        self._samples_wait = False
        self._rooms: dict[str, Room] = {}
        self._reports: asyncio.Queue[Report] = asyncio.Queue(MAX_REPORTS)
        self._endings: set[asyncio.Task[None]] = set()
        self._tasks = TaskOwner("media node")
        self._context = RoomContext(
            config=config,
            binding=config.binding,
            certificate=RTCCertificate.generateCertificate(),
            sink_factory=sink_factory,
            on_change=self._enqueue,
            on_sink_failure=self._enqueue,
        )

    async def start(self) -> None:
        """Begin the regular work."""
        self._tasks.start("tick", self._tick())
        self._tasks.start("report", self._report())

    async def close(self, reason: str = "shutdown") -> None:
        """Close all calls, deliver what is still to be reported, and stop."""
        await asyncio.gather(*(self.close_call(call_id, reason) for call_id in list(self._rooms)))
        if self._endings:
            await asyncio.wait(self._endings, timeout=ENDING_DEADLINE_S)
        try:
            async with asyncio.timeout(REPORT_DEADLINE_S):
                await self._reports.join()
        except TimeoutError:
            log.warning("reports were not delivered before the end", left=self._reports.qsize())
        await self._tasks.close()

    async def close_lobbies(self) -> None:
        """Send away those who wait for their next call; their pages connect again, to a node that takes calls."""
        for lobby_id in [room_id for room_id in self._rooms if is_lobby(room_id)]:
            await self.close_call(lobby_id, "draining")

    @property
    def load(self) -> int:
        """Number of calls carried; transports that wait for one cost next to nothing."""
        return sum(not is_lobby(room_id) for room_id in self._rooms)

    def room(self, call_id: str) -> Room | None:
        """The room of a call, if this node carries it."""
        return self._rooms.get(call_id)

    async def open_peer(self, call_id: str, seat: Seat) -> PeerOffer:
        """See `MediaControl.open_peer`. Refuses with ``media.node_full`` when the node carries too many calls."""
        peer, offer = await self._room(call_id).open_peer(seat)
        return PeerOffer(call_id=call_id, peer_id=peer.peer_id, node_id=self.config.node_id, sdp_offer=offer)

    async def answer(self, call_id: str, peer_id: str, sdp_answer: str) -> None:
        """See `MediaControl.answer`."""
        room = self._rooms.get(call_id)
        if room is None:
            raise NotFoundError("this node does not carry the call", code="media.peer_not_found")
        await room.answer(peer_id, sdp_answer)

    async def move_peer(self, lobby_id: str, peer_id: str, call_id: str) -> None:
        """See `MediaControl.move_peer`."""
        room, lobby = self._room(call_id), self._rooms.get(lobby_id)
        peer = lobby.release(peer_id) if lobby is not None else None
        if peer is None:
            raise NotFoundError("there is no such transport", code="media.peer_not_found")
        await room.adopt(peer)

    async def activate(self, call_id: str, started_ns: int = 0) -> None:
        """See `MediaControl.activate`."""
        self._room(call_id).activate(started_ns)

    async def set_mode(self, call_id: str, mode: SupervisorMode) -> None:
        """See `MediaControl.set_mode`."""
        room = self._known(call_id)
        room.set_situation(replace(room.situation, mode=mode))
        log.info("supervisor's mode changed", call_id=call_id, mode=mode)

    async def set_hold(self, call_id: str, on: bool) -> None:
        """See `MediaControl.set_hold`."""
        room = self._known(call_id)
        room.set_situation(replace(room.situation, on_hold=on))
        log.info("call held" if on else "call resumed", call_id=call_id)

    async def set_profile(self, call_id: str, seat: Seat, profile: Profile, by_hand: bool = False) -> None:
        """See `MediaControl.set_profile`."""
        self._known(call_id).set_profile(seat, profile, by_hand)
        log.info("picture asked for", call_id=call_id, seat=seat, profile=profile, by_hand=by_hand)

    async def close_peer(self, call_id: str, peer_id: str) -> None:
        """See `MediaControl.close_peer`."""
        room = self._rooms.get(call_id)
        if room is not None:
            await room.close_peer(peer_id, "closed")

    async def close_call(self, call_id: str, reason: str) -> None:
        """See `MediaControl.close_call`."""
        room = self._rooms.pop(call_id, None)
        if room is not None:
            await room.close(reason)
            log.info("call closed", call_id=call_id, reason=reason)
            if self._on_quality is not None and (seats := room.quality()):
                self._enqueue(CallQuality(call_id, seats))
            if self._on_call_closed is not None:
                ending = self._tasks.start(f"ending {call_id}", self._end_call(call_id, reason))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)
                # A disk that is slow to take the rest must not make the caller believe that the node is gone.
                await asyncio.wait({ending}, timeout=CLOSE_WAIT_S)

    async def _end_call(self, call_id: str, reason: str) -> None:
        if self._on_call_closed is not None:
            await self._on_call_closed(call_id, reason)

    def stats(self) -> dict[str, Any]:
        """Load and dropped packets, for health checks and metrics."""
        peers = [peer for room in self._rooms.values() for peer in room.peers]
        dropped: dict[str, int] = {}
        for peer in peers:
            for reason, count in peer.counters.items():
                dropped[reason] = dropped.get(reason, 0) + count
        return {
            "node_id": self.config.node_id,
            "calls": self.load,
            "peers": len(peers),
            "dropped": dropped,
            "tasks": len(asyncio.all_tasks()),
        }

    def _known(self, call_id: str) -> Room:
        room = self._rooms.get(call_id)
        if room is None:
            raise NotFoundError("this node does not carry the call", code="media.call_not_found")
        return room

    def _room(self, call_id: str) -> Room:
        room = self._rooms.get(call_id)
        if room is None:
            if self.load >= self.config.max_calls:
                raise UnavailableError("the media node is full", code="media.node_full")
            room = self._rooms[call_id] = Room(call_id, self._context)
        return room

    def _enqueue(self, report: Report) -> None:
        if self._reports.full():
            dropped = self._reports.get_nowait()
            self._reports.task_done()
            log.error("report dropped because the queue is full", report=repr(dropped))
        self._reports.put_nowait(report)

    async def _report(self) -> None:
        while True:
            report = await self._reports.get()
            try:
                async with asyncio.timeout(REPORT_DEADLINE_S):
                    await self._tell(report)
            except Exception:
                log.exception("report was not taken", report=repr(report))  # the media go on without
            finally:
                self._reports.task_done()

    async def _tell(self, report: Report) -> None:
        if isinstance(report, PeerChange):
            await self._on_change(report)
        elif isinstance(report, SinkFailure):
            await self._on_sink_failure(report)
        elif isinstance(report, CallQuality):
            if self._on_quality is not None:
                await self._on_quality(report)
        elif self._on_samples is not None:
            self._samples_wait = False
            await self._on_samples(report)

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            now_ns = time.monotonic_ns()
            samples: Samples = []
            for call_id, room in list(self._rooms.items()):
                try:
                    samples += room.tick(now_ns, count % 10 == 0)
                except Exception:
                    # One call's fault must not take feedback and repair from all others; it ends alone.
                    log.exception("call is faulty", call_id=call_id)
                    self._tasks.start(f"close {call_id}", self.close_call(call_id, "media_fault"))
                if now_ns / 1e9 - room.used_s > self.config.idle_call_s:
                    self._tasks.start(f"close {call_id}", self.close_call(call_id, "idle"))
            # Samples that nobody takes must not push changes of transports out of the queue.
            if samples and self._on_samples is not None and not self._samples_wait:
                self._samples_wait = True
                self._enqueue(samples)
