"""What rooms may ask of the media room, and what a subscriber of a seat looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

MediaKind = Literal["audio", "video"]
SOUND_AND_PICTURE: frozenset[MediaKind] = frozenset(("audio", "video"))
Track = Literal["main", "screen"]
"""A publisher's voice and camera, or the screen it shares."""


class Seat(StrEnum):
    """A place in a call. Who hears whom is decided by the seat table of `server.media`."""

    CUSTOMER = "customer"
    TELLER = "teller"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"


PARTIES = (Seat.CUSTOMER, Seat.TELLER)
"""The two without whom there is no call. The others come and go."""


class Profile(StrEnum):
    """What a browser is to send."""

    HD = "hd"  # 1280×720, 15 pictures per second, sharpness before smoothness: identity and documents
    VGA = "vga"  # 640×480, 24 pictures per second
    LOW = "low"  # 640×480, 15 pictures per second, fits into 300 kbit/s with the sound
    AUDIO = "audio"  # no picture


ProfileReason = Literal["asked", "hand", "line"]
"""Why a browser sends what it sends: it is all that is asked for, people want no more, or its line carries no more."""


class SupervisorMode(StrEnum):
    """How a supervisor is in a call: hears and sees both in every mode."""

    MONITOR = "monitor"  # heard by none
    WHISPER = "whisper"  # heard by the teller alone
    BARGE = "barge"  # heard by all


LOBBY = "lobby_"
"""How the ids of rooms begin in which a transport waits for a call."""


def is_lobby(room_id: str) -> bool:
    """Whether this is no call, but where a teller's transport waits for the next one."""
    return room_id.startswith(LOBBY)


@dataclass(frozen=True, slots=True)
class PeerOffer:
    """A transport opened for a seat, waiting for the browser's answer."""

    call_id: str
    peer_id: str
    node_id: str
    sdp_offer: str


class MediaControl(Protocol):
    """Requests to the media node that carries a call. Every call has a deadline; failures are coded errors."""

    async def open_peer(self, call_id: str, seat: Seat) -> PeerOffer:
        """Open a new transport in a seat. An earlier transport of that seat is closed (rejoin).

        May be asked before the call is answered ("warm"): nothing is forwarded or recorded until `activate`.

        Raises:
            UnavailableError: ``media.unavailable`` when no healthy node answers.
        """
        ...

    async def answer(self, call_id: str, peer_id: str, sdp_answer: str) -> None:
        """Hand over the browser's SDP answer.

        Raises:
            BadInputError: ``media.bad_sdp``. NotFoundError: ``media.peer_not_found``.
        """
        ...

    async def move_peer(self, lobby_id: str, peer_id: str, call_id: str) -> None:
        """Seat a connected transport of a lobby in a call, as if it had been opened there.

        Raises:
            NotFoundError: ``media.peer_not_found``: it is not connected, or another node carries the call.
        """
        ...

    async def activate(self, call_id: str, started_ns: int = 0) -> None:
        """Begin forwarding and recording: the call has been accepted. Idempotent.

        Args:
            started_ns: Time zero of a call that another node carried before (ns since the epoch); 0: now.
        """
        ...

    async def set_mode(self, call_id: str, mode: SupervisorMode) -> None:
        """Decide who hears the supervisor. Every supervisor who comes anew begins as a monitor. Idempotent.

        Raises:
            NotFoundError: ``media.call_not_found``.
        """
        ...

    async def set_hold(self, call_id: str, on: bool) -> None:
        """Let the customer hear and see nothing of the counter, or again everything. Recording goes on. Idempotent.

        Raises:
            NotFoundError: ``media.call_not_found``.
        """
        ...

    async def set_profile(self, call_id: str, seat: Seat, profile: Profile, by_hand: bool = False) -> None:
        """Ask for a party's picture: the most it is to send, less while the line does not carry it. Idempotent.

        Reaches the page within a second, needs no new connection and holds for the rest of the call.

        Args:
            by_hand: People have decided: never more than this, whatever else is asked for. `Profile.HD` lifts it.

        Raises:
            NotFoundError: ``media.call_not_found``.
        """
        ...

    async def close_peer(self, call_id: str, peer_id: str) -> None:
        """Close one transport. Idempotent."""
        ...

    async def close_call(self, call_id: str, reason: str) -> None:
        """Close all transports of a call and its recording. Idempotent."""
        ...


class MediaSink(Protocol):
    """A subscriber of one publisher's uplink: recorder or speech tap. Called on the packet path: must not block.

    Attributes:
        kinds: What it wants packets of.
    """

    @property
    def kinds(self) -> frozenset[MediaKind]:
        """See above."""
        ...

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        """One decrypted RTP packet as received: whole, possibly out of order or late (repaired by RTX,
        already rebuilt to the original SSRC, payload type and sequence number), never twice.

        Args:
            arrival_ns: Wall clock of arrival, nanoseconds since the epoch.
        """
        ...

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """An RTCP Sender Report of this stream (RFC 3550 section 6.4.1): 64-bit NTP time and its RTP timestamp."""
        ...

    def close(self, reason: str) -> None:
        """The transport has ended; no further packets come."""
        ...


@dataclass(frozen=True, slots=True)
class SeatStream:
    """Identity of one publisher's uplink, given to sink factories when it becomes live.

    Attributes:
        segment: 1 for the first transport of the seat in this call, 2 after the first rejoin, …
        track: ``screen`` carries pictures only, and only while somebody shares one.
        audio_codec / video_codec: Names as in SDP: ``opus``, ``VP8``, ``H264``.
        audio_payload_type / video_payload_type: RTP payload types used on the wire.
        request_keyframe: Ask the publisher for a key frame (throttled by the media room).
        started_ns: Wall clock of the call's activation, ns since the epoch: time zero of the call's time line, the same
            for every seat and segment of a call.
    """

    call_id: str
    seat: Seat
    segment: int
    audio_codec: str
    audio_payload_type: int
    video_codec: str
    video_payload_type: int
    request_keyframe: Callable[[], None]
    started_ns: int = 0
    track: Track = "main"

    @property
    def name(self) -> str:
        """What this publisher is called in files and messages: the seat, or the seat's screen."""
        return track_name(self.seat, self.track)


def track_name(party: str, track: str) -> str:
    """``teller``, ``teller-screen``."""
    return str(party) if track == "main" else f"{party}-{track}"


MediaSinkFactory = Callable[[SeatStream], list[MediaSink]]


class PeerState(StrEnum):
    """Life of one transport as the media node sees it (watchdog: no RTP 3 s = degraded, 8 s = lost)."""

    CONNECTED = "connected"
    DEGRADED = "degraded"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PeerChange:
    """Something happened to a transport."""

    call_id: str
    seat: Seat
    peer_id: str
    state: PeerState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SinkFailure:
    """A sink raised and was detached: from here on this segment is not recorded (or not tapped).

    Attributes:
        sink: Name of the sink's class, or ``factory`` when no sink could be made.
        error: Type and text of the fault, for the log and the alarm.
    """

    call_id: str
    seat: Seat
    segment: int
    sink: str
    error: str
    track: Track = "main"


@dataclass(frozen=True, slots=True)
class QualitySample:
    """One second of one seat's leg between the browser and the node, from counters and RTCP.

    Attributes:
        loss_up / loss_down: Share of packets that did not come the first time (0..1), before repair; downwards as the
            browser reports it (RFC 3550 section 6.4.1).
        jitter_up_ms / jitter_down_ms: Interarrival jitter of the sound.
        rtt_ms: Round trip; None before the browser's first report.
        bitrate_up_bps / bitrate_down_bps: Payload of all streams.
        frozen: The browser's picture stood still: no packet for two seconds, or a hole that was given up.
        bars: 0 (nothing comes) to 4 (very good), smoothed over some seconds.
        profile: What the node wants the browser to send from now on. why: The reason.
        shown: Whether the other party gets the picture; it does not while only its own line is too bad for one.
    """

    call_id: str
    seat: Seat
    peer_id: str
    loss_up: float
    loss_down: float
    jitter_up_ms: float
    jitter_down_ms: float
    rtt_ms: float | None
    bitrate_up_bps: int
    bitrate_down_bps: int
    frozen: bool
    bars: int
    profile: Profile = Profile.VGA
    why: ProfileReason = "asked"
    shown: bool = True


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """A seat's samples over a call on one node: averages over `seconds` samples and the worst of them.

    Attributes:
        freezes / frozen_s: How often the picture stood still, and for how many seconds in all.
        bars_s: Seconds at 0, 1, 2, 3 and 4 bars.
    """

    seat: Seat
    seconds: int
    loss_up: float
    loss_up_max: float
    loss_down: float
    loss_down_max: float
    jitter_up_ms: float
    jitter_down_ms: float
    rtt_ms: float | None
    rtt_max_ms: float | None
    bitrate_up_bps: int
    bitrate_down_bps: int
    freezes: int
    frozen_s: int
    bars_s: tuple[int, int, int, int, int]
