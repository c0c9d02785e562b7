"""One transport in a seat: everything a browser sends to and gets from this node."""

import time
from collections import Counter
from collections.abc import Callable

import structlog
from aiortc import RTCCertificate
from aiortc.rtp import RtcpReceiverInfo

from core.ids import new_id
from core.ports.media import MediaKind, PeerState, QualitySample, Seat
from server.media import rtcp, rtp, sdp
from server.media.config import Binding, VideoCodec
from server.media.gaps import Arrival
from server.media.quality import LegMeter
from server.media.seam import SecureTransport
from server.media.seats import publishes_screen
from server.media.sinks import SinkGroup
from server.media.streams import Downlink, Uplink
from server.media.twcc import ArrivalLog
from server.media.watchdog import Watchdog

log = structlog.get_logger(__name__)

SEEK_POINT_NS = 5_000_000_000
"""Key frames for the recording at least this often."""


class Peer:
    """A browser's transport with its uplinks and downlinks. Implements the seam's `PacketReceiver`.

    Args:
        on_closed: Called once when the transport ends by itself.
        on_uplink: Called when a stream turns up that the answer had not named.

    Attributes:
        connected: ICE and DTLS are up; packets flow (to nobody before the call is active).
        watchdog: Set once connected.
        sinks: Recorder and tap, set while the call is active.
        counters: Dropped packets by reason.
    """

    def __init__(
        self,
        call_id: str,
        seat: Seat,
        certificate: RTCCertificate,
        binding: Binding,
        on_closed: Callable[["Peer"], None],
        on_uplink: Callable[[], None],
        video_codec: VideoCodec = "VP8",
    ) -> None:
        self.call_id = call_id
        self.seat = seat
        self.peer_id = new_id("peer")
        self.opened_s = time.monotonic()
        self.video_codec: VideoCodec = video_codec
        self.answered = False
        self.connected = False
        self.closed = False
        self.watchdog: Watchdog | None = None
        self._sinks: SinkGroup | None = None
        self._on_closed = on_closed
        self.transport = SecureTransport(certificate, binding, self, lambda: self._on_closed(self))
        self.counters: Counter[str] = self.transport.counters
        self.uplinks: dict[str, Uplink] = {}
        self._by_ssrc: dict[bytes, Uplink] = {}
        self._by_rtx_ssrc: dict[bytes, Uplink] = {}
        self._expected: dict[int, sdp.UplinkSpec] = {}  # payload type -> stream whose SSRC the answer left open
        self._ssrc = sdp.new_ssrc()
        self._arrivals = ArrivalLog()
        self._meter = LegMeter(call_id, seat, self.peer_id)
        self._on_uplink = on_uplink
        self.downlinks: dict[str, Downlink] = {
            slot.name: self._new_downlink(slot.kind, None if slot.kind == "audio" else sdp.new_ssrc())
            for slot in sdp.SLOTS
        }
        self._downlink_of = {downlink.ssrc: downlink for downlink in self.downlinks.values()}

    async def offer(self) -> str:
        """Bind the sockets and make the offer."""
        local = await self.transport.open()
        ssrcs = {name: (downlink.ssrc, downlink.rtx_ssrc) for name, downlink in self.downlinks.items()}
        screen = publishes_screen(self.seat)
        return sdp.build_offer(local, self.peer_id, ssrcs, screen=screen, video_codec=self.video_codec)

    async def connect(self, answer: sdp.Answer, timeout_s: float) -> None:
        """Take the browser's answer and connect.

        Raises:
            ConnectionError: No path, no handshake, or not in time.
        """
        for spec in answer.uplinks:
            if spec.name == "screen" and not publishes_screen(self.seat):
                continue
            if spec.ssrc is None:
                self._expected[spec.payload_type] = spec
            else:
                self._add_uplink(spec, spec.ssrc)
        await self.transport.connect(answer.transport, timeout_s)
        self.connected = True

    def start_watch(self, degraded_after_s: float, lost_after_s: float) -> None:
        """Begin to watch for silence."""
        self.watchdog = Watchdog(degraded_after_s, lost_after_s, time.monotonic_ns())

    @property
    def has_sent(self) -> bool:
        """Whether anything was ever received through this transport."""
        return any(uplink.packets for uplink in self.uplinks.values())

    def move(self, call_id: str, on_closed: Callable[["Peer"], None], on_uplink: Callable[[], None]) -> None:
        """Belong to another call from now on."""
        self.call_id = call_id
        self._meter = LegMeter(call_id, self.seat, self.peer_id)
        self._on_closed, self._on_uplink = on_closed, on_uplink

    async def close(self, reason: str) -> None:
        """End the transport and its sinks. Idempotent."""
        self.closed = True
        self.connected = False
        self.detach_sinks(reason)
        await self.transport.close()

    @property
    def sinks(self) -> SinkGroup | None:
        """Recorder and tap of sound and camera; the screen has its own."""
        return self._sinks

    @sinks.setter
    def sinks(self, sinks: SinkGroup | None) -> None:
        self._sinks = sinks
        for name, uplink in self.uplinks.items():
            if name != "screen":
                uplink.sinks = sinks

    def detach_sinks(self, reason: str) -> None:
        """End recording and tapping of this transport."""
        for sinks in {uplink.sinks for uplink in self.uplinks.values()} | {self._sinks}:
            if sinks is not None:
                sinks.close(reason)
        for uplink in self.uplinks.values():
            uplink.sinks = None
        self._sinks = None

    # packets in

    def on_rtp(self, packet: bytes, now_ns: int) -> None:
        """Forward one packet of the browser, or drop and count it."""
        start, sequence = rtp.look(packet, sdp.TRANSPORT_SEQUENCE_ID)
        if start < 0:
            self.counters["malformed_rtp"] += 1
            return
        if sequence is not None:
            self._arrivals.add(sequence, now_ns)
        if self.watchdog is not None:
            self.watchdog.heard_ns = now_ns
        uplink = self._by_ssrc.get(packet[8:12])
        if uplink is None:
            self._on_other_ssrc(packet, now_ns)
        else:
            self._on_media(uplink, packet, now_ns)

    def _on_media(self, uplink: Uplink, packet: bytes, now_ns: int) -> None:
        if packet[1] & 0x7F != uplink.payload_type:
            self.counters["wrong_payload_type"] += 1
            return
        arrival = uplink.accept(packet, now_ns)
        if arrival is Arrival.DUPLICATE or arrival is Arrival.SUSPECT:
            return
        for downlink in uplink.downlinks:
            downlink.forward(packet, now_ns)
        if uplink.sinks is not None:
            uplink.sinks.rtp(uplink.kind, packet, time.time_ns())
        if arrival is Arrival.GAP:
            self._repair(uplink, now_ns)

    def _on_other_ssrc(self, packet: bytes, now_ns: int) -> None:
        payload_type = rtp.payload_type_of(packet)
        uplink = self._by_rtx_ssrc.get(packet[8:12])
        if payload_type == sdp.VIDEO_RTX:
            video = self.uplinks.get("video")
            if uplink is None and video is not None and video.rtx_ssrc is None:  # the answer had not named it
                uplink = self._by_rtx_ssrc[packet[8:12]] = video
                video.rtx_ssrc = rtp.ssrc_of(packet)
            original = None if uplink is None else rtp.from_rtx(packet, uplink.payload_type, uplink.ssrc_bytes)
            if uplink is None or original is None:
                self.counters["unusable_rtx"] += 1  # mostly probes that carry only padding
            else:
                uplink.restored += 1
                self._on_media(uplink, original, now_ns)
            return
        spec = self._expected.pop(payload_type, None)
        if spec is None:
            self.counters["unknown_ssrc"] += 1
            return
        uplink = self._add_uplink(spec, rtp.ssrc_of(packet))
        self._on_uplink()
        self._on_media(uplink, packet, now_ns)

    def on_rtcp(self, packet: bytes, now_ns: int) -> None:
        """Act on one compound RTCP packet, or drop and count it."""
        try:
            events = rtcp.read(packet)
        except ValueError:
            self.counters["malformed_rtcp"] += 1
            return
        for event in events:
            if isinstance(event, rtcp.SenderReport):
                self._on_sender_report(event, now_ns)
            elif isinstance(event, rtcp.Nack):
                downlink = self._downlink_of.get(event.ssrc)
                if downlink is not None:
                    downlink.resend(event.sequences)
            elif isinstance(event, rtcp.KeyframeRequest):
                downlink = self._downlink_of.get(event.ssrc)
                if downlink is not None and downlink.source is not None:
                    downlink.source.want_keyframe()
            elif isinstance(event, RtcpReceiverInfo):
                downlink = self._downlink_of.get(event.ssrc)
                if downlink is not None:
                    downlink.reported(event, now_ns)

    def _on_sender_report(self, report: rtcp.SenderReport, now_ns: int) -> None:
        uplink = self._by_ssrc.get(report.ssrc.to_bytes(4, "big"))
        if uplink is None:
            return
        uplink.sender_report(report, now_ns)
        if uplink.sinks is not None:
            uplink.sinks.sender_report(uplink.kind, report.ntp, report.rtp_timestamp)
        for downlink in uplink.downlinks:
            downlink.forward_report(report, now_ns)

    # packets out

    def tick(self, now_ns: int) -> None:
        """Feedback due every 100 ms: arrivals, holes, key frames."""
        if not self.connected:
            return
        video = self.uplinks.get("video")
        for message in self._arrivals.feedback(self._ssrc, video.ssrc if video else 0):
            self.transport.send_rtcp(message)
        for downlink in self.downlinks.values():
            downlink.tick()
        for uplink in self.uplinks.values():
            if uplink.gaps.has_holes:
                self._repair(uplink, now_ns)
            if uplink.kind == "video":
                if uplink.sinks is not None and uplink.keyframe_age_ns(now_ns) >= SEEK_POINT_NS:
                    uplink.want_keyframe()
                self._ask_keyframe(uplink, now_ns)

    def report(self, now_ns: int) -> None:
        """Reception statistics for the browser, due every second."""
        if not self.connected:
            return
        reports = [report for uplink in self.uplinks.values() if (report := uplink.receiver_report(now_ns)) is not None]
        if reports:
            self.transport.send_rtcp(rtcp.receiver_report(self._ssrc, reports))

    def sample(self, now_ns: int, *, no_picture: bool = False) -> QualitySample | None:
        """How this leg was in the last second; None while there is nothing to say.

        Args:
            no_picture: The browser was told to send none.
        """
        if not self.connected or self.watchdog is None:
            return None
        silent = self.watchdog.state is not PeerState.CONNECTED
        uplinks = [uplink for name, uplink in self.uplinks.items() if name != "video" or not no_picture]
        return self._meter.sample(uplinks, self.downlinks.values(), now_ns, silent=silent)

    def request_keyframe(self) -> None:
        """Ask the browser for a key frame: now if the last request is long enough ago, else as soon as it is."""
        video = self.uplinks.get("video")
        if video is not None:
            video.want_keyframe()

    def _ask_keyframe(self, uplink: Uplink, now_ns: int) -> None:
        if self.connected and uplink.keyframe_due(now_ns):
            self.transport.send_rtcp(rtcp.picture_loss(self._ssrc, uplink.ssrc))

    def _repair(self, uplink: Uplink, now_ns: int) -> None:
        due = uplink.gaps.due(now_ns)
        if uplink.kind == "audio":  # Opus conceals or carries FEC; a retransmission would come too late to be heard
            return
        if due:
            self.transport.send_rtcp(rtcp.nack(self._ssrc, uplink.ssrc, due))
        if uplink.gaps.take_unrepairable():
            uplink.given_up += 1
            uplink.want_keyframe()

    def _add_uplink(self, spec: sdp.UplinkSpec, ssrc: int) -> Uplink:
        def ask() -> None:
            self._ask_keyframe(uplink, time.monotonic_ns())

        uplink = Uplink(spec.kind, ssrc, spec.payload_type, spec.rtx_ssrc, ask, spec.name or spec.kind)
        self.uplinks[uplink.name] = uplink
        if uplink.name != "screen":
            uplink.sinks = self._sinks
        self._by_ssrc[uplink.ssrc_bytes] = uplink
        if spec.rtx_ssrc is not None:
            self._by_rtx_ssrc[spec.rtx_ssrc.to_bytes(4, "big")] = uplink
        return uplink

    def _new_downlink(self, kind: MediaKind, rtx_ssrc: int | None) -> Downlink:
        transport = self.transport
        return Downlink(
            kind, sdp.new_ssrc(), rtx_ssrc, sdp.VIDEO_RTX, self.peer_id, transport.send_rtp, transport.send_rtcp
        )
