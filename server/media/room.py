"""One call's seats: who sits where, who gets whose packets, what is recorded."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from aiortc import RTCCertificate

from core.errors import ConflictError, NotFoundError, UnavailableError
from core.ports.media import (
    PARTIES,
    MediaSinkFactory,
    PeerChange,
    PeerState,
    Profile,
    QualitySample,
    QualitySummary,
    Seat,
    SeatStream,
    SinkFailure,
    SupervisorMode,
    Track,
)
from core.tasks import TaskOwner
from server.media import sdp
from server.media.config import Binding, MediaConfig
from server.media.peer import Peer
from server.media.profiles import ProfileKeeper
from server.media.quality import Tally
from server.media.seats import Situation, plan, recorded
from server.media.sinks import SinkGroup
from server.media.streams import Uplink

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RoomContext:
    """What every room of a node shares."""

    config: MediaConfig
    binding: Binding
    certificate: RTCCertificate
    sink_factory: MediaSinkFactory
    on_change: Callable[[PeerChange], None]
    on_sink_failure: Callable[[SinkFailure], None]


class Room:
    """The transports of one call.

    A seat has at most one live transport and one that is still connecting; the live one gives way when the other has
    connected, so a reload or a change of network costs the far side nothing.
    """

    def __init__(self, call_id: str, context: RoomContext) -> None:
        self.call_id = call_id
        self.active = False
        self.closed = False
        self.situation = Situation()
        self.used_s = time.monotonic()  # when it last had a transport
        self._context = context
        self._live: dict[Seat, Peer] = {}
        self._pending: dict[Seat, Peer] = {}
        self._segments: dict[Seat, int] = {}
        self._activated_ns = 0
        self._tallies: dict[Seat, Tally] = {}
        self._profiles = {seat: ProfileKeeper() for seat in PARTIES}
        self._tasks = TaskOwner(f"media {call_id}")

    @property
    def peers(self) -> list[Peer]:
        """All transports, live and connecting."""
        return [*self._live.values(), *self._pending.values()]

    def live(self, seat: Seat) -> Peer | None:
        """The connected transport of a seat."""
        return self._live.get(seat)

    async def open_peer(self, seat: Seat) -> tuple[Peer, str]:
        """Open a transport in a seat. Returns it with its offer.

        Raises:
            UnavailableError: ``media.no_address`` when no socket can be bound.
        """
        context = self._context
        peer = Peer(
            self.call_id,
            seat,
            context.certificate,
            context.binding,
            self._ended_by_itself,
            self._wire,
            context.config.video_codec,
        )
        older = self._pending.pop(seat, None)
        self._pending[seat] = peer
        if older is not None:
            await self._close_peer(older, "replaced")
        try:
            return peer, await peer.offer()
        except OSError as error:
            self._pending.pop(seat, None)
            await peer.close("no address")
            raise UnavailableError("the media node cannot open a port", code="media.no_address") from error

    async def answer(self, peer_id: str, sdp_answer: str) -> None:
        """Take a browser's answer; connecting goes on in the background.

        Raises:
            NotFoundError: ``media.peer_not_found``. ConflictError: ``media.already_answered``.
            BadInputError: ``media.bad_sdp``.
        """
        peer = next((peer for peer in self.peers if peer.peer_id == peer_id), None)
        if peer is None:
            raise NotFoundError("there is no such transport", code="media.peer_not_found")
        if peer.answered:
            raise ConflictError("this transport has been answered", code="media.already_answered")
        answer = sdp.parse_answer(sdp_answer, peer.video_codec)
        peer.answered = True
        self._tasks.start(f"connect {peer_id}", self._connect(peer, answer))

    def release(self, peer_id: str) -> Peer | None:
        """Give a connected transport away to another room; None when there is none of that name."""
        for seat, peer in self._live.items():
            if peer.peer_id == peer_id:
                del self._live[seat]
                return peer
        return None

    async def adopt(self, peer: Peer) -> None:
        """Seat a transport that was connected in another room."""
        peer.move(self.call_id, self._ended_by_itself, self._wire)
        await self._seat(peer)

    def activate(self, started_ns: int = 0) -> None:
        """Begin to forward and record; see `MediaControl.activate`. Idempotent."""
        if self.active:
            return
        self.active = True
        self._activated_ns = started_ns or time.time_ns()
        self._wire()

    def set_situation(self, situation: Situation) -> None:
        """Change who hears whom, from the next packet on. Idempotent."""
        self.situation = situation
        self._wire()

    def set_profile(self, seat: Seat, profile: Profile, by_hand: bool = False) -> None:
        """Ask for a party's picture; told with the next samples. Nothing happens for other seats."""
        if (keeper := self._profiles.get(seat)) is None:
            return
        if by_hand:
            keeper.limit = profile
        else:
            keeper.wish = profile

    def wished(self, seat: Seat) -> Profile:
        """The most picture that is asked of a seat."""
        return self._profiles[seat].wish if seat in self._profiles else Profile.VGA

    async def close_peer(self, peer_id: str, reason: str) -> None:
        """Close one transport. Idempotent."""
        for peer in self.peers:
            if peer.peer_id == peer_id:
                await self._close_peer(peer, reason)

    async def close(self, reason: str) -> None:
        """Close all transports."""
        self.closed = True
        for peer in self.peers:
            await self._close_peer(peer, reason)
        await self._tasks.close()

    def tick(self, now_ns: int, full_second: bool) -> list[QualitySample]:
        """Regular work of all transports, every 100 ms. Returns what was measured, each full second."""
        if self._live or self._pending:
            self.used_s = now_ns / 1e9
        for peer in list(self._live.values()):
            peer.tick(now_ns)
            if full_second:
                peer.report(now_ns)
                self._watch(peer, now_ns)
        if full_second:
            for peer in list(self._pending.values()):
                if not peer.answered and time.monotonic() - peer.opened_s > self._context.config.answer_timeout_s:
                    self._tasks.start(f"expire {peer.peer_id}", self._close_peer(peer, "not_answered"))
        return self._measure(now_ns) if full_second and self.active else []

    def quality(self) -> list[QualitySummary]:
        """How the call has been so far, for each seat that had media."""
        summaries = [tally.summary() for tally in self._tallies.values()]
        return [summary for summary in summaries if summary is not None]

    def _measure(self, now_ns: int) -> list[QualitySample]:
        samples = []
        for peer in self._live.values():
            keeper = self._profiles.get(peer.seat)
            no_picture = keeper is not None and keeper.profile is Profile.AUDIO
            if (sample := peer.sample(now_ns, no_picture=no_picture)) is not None:
                samples.append(sample)
        parties = [sample for sample in samples if sample.seat in self._profiles]
        for index, sample in enumerate(samples):
            if sample.seat in self._profiles:  # what the other party gets counts too; who listens in never does
                loss_down = max((other.loss_down for other in parties if other is not sample), default=0.0)
                keeper = self._profiles[sample.seat]
                profile = keeper.step(sample.loss_up, loss_down)
                shown = not keeper.spares_listener
                samples[index] = sample = replace(sample, profile=profile, why=keeper.why, shown=shown)
            self._tallies.setdefault(sample.seat, Tally(sample.seat)).add(sample)
        spared = frozenset(
            listener
            for speaker, keeper in self._profiles.items()
            for listener in PARTIES
            if keeper.spares_listener and listener is not speaker
        )
        if spared != self.situation.spared:
            log.info("pictures passed on by line", call_id=self.call_id, spared=sorted(spared))
            self.set_situation(replace(self.situation, spared=spared))
        return samples

    def _watch(self, peer: Peer, now_ns: int) -> None:
        if peer.watchdog is None:
            return
        if not self.active and not peer.has_sent:
            peer.watchdog.heard_ns = now_ns  # opened in advance: it is silent until there is a call
        state = peer.watchdog.check(now_ns)
        if state is not None:
            log.info("peer state changed", call_id=self.call_id, seat=peer.seat, state=state)
            self._report(peer, state, "watchdog")

    async def _connect(self, peer: Peer, answer: sdp.Answer) -> None:
        config = self._context.config
        try:
            await peer.connect(answer, config.connect_timeout_s)
        except (ConnectionError, OSError) as error:
            log.warning("peer did not connect", call_id=self.call_id, seat=peer.seat, error=str(error))
            await self._close_peer(peer, "connect_failed")
            return
        if not peer.closed:
            await self._seat(peer)

    async def _seat(self, peer: Peer) -> None:
        """A transport that is connected takes its seat from the one before."""
        config = self._context.config
        peer.start_watch(config.degraded_after_s, config.lost_after_s)
        seat = peer.seat
        older = self._live.get(seat)
        if self._pending.get(seat) is peer:
            del self._pending[seat]
        self._live[seat] = peer
        if older is not None:
            older.detach_sinks("replaced")
        self._wire()
        log.info("peer connected", call_id=self.call_id, seat=seat, peer_id=peer.peer_id)
        self._report(peer, PeerState.CONNECTED)
        if older is not None:
            await self._close_peer(older, "replaced")

    def _attach_sinks(self, peer: Peer) -> None:
        self._segments[peer.seat] = self._segments.get(peer.seat, 0) + 1
        peer.sinks = self._sinks_for(peer, "main", peer.request_keyframe)
        peer.request_keyframe()
        screen = peer.uplinks.get("screen")
        if screen is not None:
            screen.sinks = self._sinks_for(peer, "screen", screen.want_keyframe)
            screen.want_keyframe()

    def _sinks_for(self, peer: Peer, track: Track, request_keyframe: Callable[[], None]) -> SinkGroup:
        stream = SeatStream(
            call_id=self.call_id,
            seat=peer.seat,
            segment=self._segments[peer.seat],
            audio_codec="opus" if track == "main" else "",
            audio_payload_type=sdp.OPUS,
            video_codec=self._context.config.video_codec,
            video_payload_type=sdp.VIDEO,
            request_keyframe=request_keyframe,
            started_ns=self._activated_ns,
            track=track,
        )
        return SinkGroup(stream, self._context.sink_factory, self._context.on_sink_failure)

    def _wire(self) -> None:
        """Connect every listener's slots with the uplinks they are to carry, by the seat table."""
        if not self.active:
            return
        for peer in self._live.values():
            if not recorded(peer.seat, self.situation):
                peer.detach_sinks("not_recorded")
            elif peer.sinks is None:
                self._attach_sinks(peer)
        for listener in self._live.values():
            sources = plan(listener.seat, self.situation)
            for slot, downlink in listener.downlinks.items():
                source = self._uplink(*sources[slot]) if slot in sources else None
                if downlink.source is not source:
                    downlink.switch(source)
                    if source is not None:
                        source.want_keyframe()
        downlinks = [downlink for listener in self._live.values() for downlink in listener.downlinks.values()]
        for speaker in self.peers:
            for uplink in speaker.uplinks.values():
                uplink.downlinks = tuple(downlink for downlink in downlinks if downlink.source is uplink)

    def _uplink(self, seat: Seat, name: str) -> Uplink | None:
        speaker = self._live.get(seat)
        return speaker.uplinks.get(name) if speaker is not None else None

    def _ended_by_itself(self, peer: Peer) -> None:
        if not self.closed and not peer.closed:
            self._tasks.start(f"close {peer.peer_id}", self._close_peer(peer, "remote_closed"))

    async def _close_peer(self, peer: Peer, reason: str) -> None:
        if peer.closed:
            return
        for seats in (self._live, self._pending):
            if seats.get(peer.seat) is peer:
                del seats[peer.seat]
        peer.closed = True
        for uplink in peer.uplinks.values():
            uplink.downlinks = ()
        peer.detach_sinks(reason)
        if Seat.SUPERVISOR not in self._live:
            self.situation = replace(self.situation, mode=SupervisorMode.MONITOR)
        self._wire()
        self._report(peer, PeerState.CLOSED, reason)
        log.info("peer closed", call_id=self.call_id, seat=peer.seat, reason=reason, dropped=dict(peer.counters))
        # A goodbye must reach the browser even when the task that sends it is being cancelled.
        await asyncio.shield(self._tasks.start(f"goodbye {peer.peer_id}", peer.close(reason)))

    def _report(self, peer: Peer, state: PeerState, reason: str = "") -> None:
        self._context.on_change(
            PeerChange(call_id=self.call_id, seat=peer.seat, peer_id=peer.peer_id, state=state, reason=reason)
        )
