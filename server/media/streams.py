"""The two halves of forwarding one stream: `Uplink` as received from a publisher, `Downlink` as sent to a listener."""

import random
from collections.abc import Callable

from aiortc.rtp import RtcpReceiverInfo, clamp_packets_lost

from core.ports.media import MediaKind
from server.media import rtcp, rtp
from server.media.gaps import Arrival, GapDetector
from server.media.sinks import SinkGroup

CLOCK_RATE_HZ: dict[MediaKind, int] = {"audio": 48_000, "video": 90_000}

RING = 1024
"""Packets kept for retransmission: about 5 s of 2 Mbit/s video."""

RTX_BURST = 64
"""Retransmissions a listener gets at once: two key frames. NACKs cannot multiply traffic, and on a line that is too
narrow they must not fill it."""

RTX_SHARE = 0.5
"""Retransmissions earned by each packet sent."""

REPORTS_KEPT = 8
"""Sender Reports a listener may still answer: several seconds' worth."""

KEYFRAME_EVERY_NS = 500_000_000
"""At most one key frame request per half second: a key frame costs as much as ten others."""

KEYFRAME_MOST_NS = 4_000_000_000
"""Asked for again as soon as it is allowed, the pause doubles up to this: they do not get through."""


class Downlink:
    """One stream towards one listener. Survives changes of its source without a break in its numbering.

    Args:
        rtx_ssrc: SSRC of retransmissions; None for a stream that is not repaired (audio).
        cname: Canonical name sent along with Sender Reports.
        send_rtp / send_rtcp: Where packets go; with an RTP packet, whether more of its picture follow at once.
    """

    def __init__(
        self,
        kind: MediaKind,
        ssrc: int,
        rtx_ssrc: int | None,
        rtx_payload_type: int,
        cname: str,
        send_rtp: Callable[[bytes, bool], None],
        send_rtcp: Callable[[bytes], None],
    ) -> None:
        self.kind: MediaKind = kind
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.source: Uplink | None = None
        self.packets = 0
        self.octets = 0
        self.resent = 0
        self.report: RtcpReceiverInfo | None = None
        self.rtt_ms: float | None = None
        self.timestamp_offset = 0
        self._ssrc = ssrc.to_bytes(4, "big")
        self._rtx_ssrc = (rtx_ssrc or 0).to_bytes(4, "big")
        self._rtx_payload_type = rtx_payload_type
        self._rtx_sequence = random.getrandbits(15)
        self._rtx_left = float(RTX_BURST)
        self._rtx_paid = 0  # packets sent for which retransmissions were credited
        self._cname = cname
        self._send = send_rtp
        self._send_rtcp = send_rtcp
        self._ring: list[bytes | None] | None = None  # with the first packet: most slots are never used
        self._sequence_offset = 0
        self._aligned = False
        self._floor = 0  # first sequence of the present source
        self._young = 0  # packets left during which stragglers from before the floor must be kept out
        self._last_sequence = 0
        self._last = bytes(rtp.HEADER_B)
        self._last_ns = 0
        self._reports_sent: dict[int, int] = {}  # middle 32 bits of NTP -> when forwarded, ns; the newest few

    def switch(self, source: "Uplink | None") -> None:
        """Take another source from the next packet on."""
        self.source = source
        self._aligned = False

    def forward(self, packet: bytes, now_ns: int) -> None:
        """Send a packet of the source under this stream's own numbering."""
        if not self._aligned:
            self._align(packet, now_ns)
        elif self._young:
            self._young -= 1
            if rtp.sequence_delta(rtp.sequence_of(packet), self._floor) < 0:
                return
        if self._sequence_offset or self.timestamp_offset:
            out = rtp.rewritten(packet, self._ssrc, self._sequence_offset, self.timestamp_offset)
        else:
            out = packet[:8] + self._ssrc + packet[12:]
        sequence = out[2] << 8 | out[3]
        if (sequence - self._last_sequence) & 0x8000 == 0:
            self._last_sequence, self._last = sequence, out
        self._last_ns = now_ns
        self.packets += 1
        self.octets += len(out) - rtp.HEADER_B
        if self._ring is None:
            self._send(out, False)
        else:
            self._ring[sequence & (RING - 1)] = out
            self._send(out, out[1] < 0x80)  # the marker is on a picture's last packet

    def forward_report(self, report: rtcp.SenderReport, now_ns: int) -> None:
        """Send the source's Sender Report under this stream's SSRC and timestamps."""
        if self._aligned:
            self._reports_sent[report.ntp >> 16 & 0xFFFFFFFF] = now_ns
            if len(self._reports_sent) > REPORTS_KEPT:
                del self._reports_sent[next(iter(self._reports_sent))]
            self._send_rtcp(
                rtcp.sender_report(report, self.ssrc, self.timestamp_offset, self.packets, self.octets, self._cname)
            )

    def reported(self, report: RtcpReceiverInfo, now_ns: int) -> None:
        """Note how the listener gets this stream.

        The round trip is ours although the report's NTP is the publisher's: we know when we sent that report on.
        """
        self.report = report
        sent_ns = self._reports_sent.get(report.lsr)
        if sent_ns is not None:
            self.rtt_ms = max(0.0, (now_ns - sent_ns) / 1e6 - report.dlsr * 1000 / 65536)

    def resend(self, sequences: list[int]) -> int:
        """Answer a NACK from the ring. Returns how many packets were sent again."""
        if self._ring is None:
            return 0
        sent = 0
        for sequence in sequences:
            packet = self._ring[sequence & (RING - 1)]
            if packet is None or rtp.sequence_of(packet) != sequence or self._rtx_left < 1:
                continue
            self._rtx_left -= 1
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            self._send(rtp.to_rtx(packet, self._rtx_payload_type, self._rtx_ssrc, self._rtx_sequence), False)
            sent += 1
        self.resent += sent
        return sent

    def tick(self) -> None:
        """Credit retransmissions for what was sent since the last time."""
        self._rtx_left = min(RTX_BURST, self._rtx_left + RTX_SHARE * (self.packets - self._rtx_paid))
        self._rtx_paid = self.packets

    def _align(self, packet: bytes, now_ns: int) -> None:
        sequence, timestamp = rtp.sequence_of(packet), rtp.timestamp_of(packet)
        if self.packets:  # continue where the last source stopped, moved on by the time passed
            passed_ns = max(now_ns - self._last_ns, 10_000_000)
            step = passed_ns * CLOCK_RATE_HZ[self.kind] // 1_000_000_000
            self._sequence_offset = (self._last_sequence + 1 - sequence) & 0xFFFF
            self.timestamp_offset = (rtp.timestamp_of(self._last) + step - timestamp) & 0xFFFFFFFF
        else:
            self._last_sequence = sequence
            if self.rtx_ssrc is not None:
                self._ring = [None] * RING
        self._floor, self._young, self._aligned = sequence, RING, True


class Uplink:
    """One stream from a publisher: counts it, finds its holes, and knows who gets it.

    Attributes:
        name: ``audio``, ``video`` or ``screen``.
        restored: Packets that came as retransmissions.
        sinks: Recorder and tap, while the call is active.

    Args:
        ask: Called when a key frame is wanted, to send the request if `keyframe_due`.
    """

    def __init__(
        self,
        kind: MediaKind,
        ssrc: int,
        payload_type: int,
        rtx_ssrc: int | None,
        ask: Callable[[], None],
        name: str | None = None,
    ) -> None:
        self.kind: MediaKind = kind
        self.name = name or kind
        self.sinks: SinkGroup | None = None
        self.ssrc = ssrc
        self.ssrc_bytes = ssrc.to_bytes(4, "big")
        self.rtx_ssrc = rtx_ssrc
        self.payload_type = payload_type
        self.downlinks: tuple[Downlink, ...] = ()
        self.gaps = GapDetector()
        self.packets = 0
        self.duplicates = 0
        self.restored = 0
        self.jitter = 0.0
        self.given_up = 0
        self.bitrate_bps = 0
        self._octets: int | None = None
        self._ask = ask
        self._keyframe_wanted = False
        self._keyframe_asked_ns: int | None = None
        self._keyframe_pause_ns = KEYFRAME_EVERY_NS
        self._started_ns: int | None = None
        self._first: int | None = None
        self._transit: float | None = None
        self._rate_hz = CLOCK_RATE_HZ[kind]
        self._prior = (0, 0)
        self._sender_report: tuple[int, int] | None = None  # (middle 32 bits of NTP, arrival ns)

    def accept(self, packet: bytes, now_ns: int) -> Arrival:
        """Judge and count one packet. Duplicates and suspects are not to be forwarded."""
        sequence = packet[2] << 8 | packet[3]
        arrival = self.gaps.arrived(sequence, now_ns)
        if arrival is Arrival.DUPLICATE or arrival is Arrival.SUSPECT:
            self.duplicates += 1
            return arrival
        if arrival is Arrival.RESTART:
            self._first, self.packets, self._prior, self._transit = sequence, 0, (0, 0), None
            for downlink in self.downlinks:
                downlink.switch(self)
        elif self._first is None:
            self._first, self._started_ns = sequence, now_ns
        self.packets += 1
        if arrival is not Arrival.REPAIR and (self.kind == "audio" or packet[1] & 0x80):
            self._measure_jitter(rtp.timestamp_of(packet), now_ns)
        return arrival

    def want_keyframe(self) -> None:
        """A listener or the recorder needs a key frame: ask now, or as soon as `keyframe_due` allows.

        A stream that has not begun is not asked: it begins with a key frame, and browsers ignore the second of two
        requests within 300 ms, which then would be the one that matters.
        """
        if self.kind == "video" and self._started_ns is not None:
            self._keyframe_wanted = True
            self._ask()

    def keyframe_due(self, now_ns: int) -> bool:
        """Whether to ask the publisher for a key frame now. A request that comes too soon waits, it is never lost."""
        if not self._keyframe_wanted:
            return False
        if self._keyframe_asked_ns is not None:
            passed_ns = now_ns - self._keyframe_asked_ns
            if passed_ns < self._keyframe_pause_ns:
                return False
            soon = passed_ns < 2 * self._keyframe_pause_ns
            self._keyframe_pause_ns = min(KEYFRAME_MOST_NS, 2 * self._keyframe_pause_ns) if soon else KEYFRAME_EVERY_NS
        self._keyframe_wanted = False
        self._keyframe_asked_ns = now_ns
        return True

    def keyframe_age_ns(self, now_ns: int) -> int:
        """Time since a key frame was asked for or the stream began; 0 before."""
        since_ns = self._started_ns if self._keyframe_asked_ns is None else self._keyframe_asked_ns
        return 0 if since_ns is None else now_ns - since_ns

    def sender_report(self, report: rtcp.SenderReport, now_ns: int) -> None:
        """Note the publisher's report, for the round trip times it computes from ours (RFC 3550 section 6.4.1).

        Its octet counts also tell the bit rate, so that nobody has to count bytes for every packet.
        """
        if self._octets is not None and self._sender_report is not None and now_ns > self._sender_report[1]:
            sent_b = (report.octets - self._octets) & 0xFFFFFFFF
            if sent_b < 1 << 31:
                self.bitrate_bps = sent_b * 8_000_000_000 // (now_ns - self._sender_report[1])
        self._octets = report.octets
        self._sender_report = (report.ntp >> 16 & 0xFFFFFFFF, now_ns)

    @property
    def expected(self) -> int:
        """Packets the publisher has sent since its first one seen here (RFC 3550 appendix A.3)."""
        if self._first is None or self.gaps.highest is None:
            return 0
        return (self.gaps.cycles << 16) + self.gaps.highest - self._first + 1

    @property
    def originals(self) -> int:
        """Packets that came the first time they were sent, late ones too."""
        return self.packets + self.duplicates - self.restored

    def receiver_report(self, now_ns: int) -> RtcpReceiverInfo | None:
        """Reception statistics since the last report; None before the first packet."""
        if self._first is None or self.gaps.highest is None:
            return None
        expected = self.expected
        highest = expected + self._first - 1
        expected_now, received_now = expected - self._prior[0], self.packets - self._prior[1]
        self._prior = (expected, self.packets)
        lost = max(0, expected_now - received_now)
        lsr, dlsr = 0, 0
        if self._sender_report is not None:
            lsr = self._sender_report[0]
            dlsr = (now_ns - self._sender_report[1]) * 65536 // 1_000_000_000 & 0xFFFFFFFF
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=min(255, lost * 256 // expected_now) if expected_now > 0 else 0,
            packets_lost=clamp_packets_lost(expected - self.packets),
            highest_sequence=highest & 0xFFFFFFFF,
            jitter=int(self.jitter) & 0xFFFFFFFF,
            lsr=lsr,
            dlsr=dlsr,
        )

    def _measure_jitter(self, timestamp: int, now_ns: int) -> None:
        """RFC 3550 appendix A.8; a step of more than a second is a restart, not jitter."""
        transit = now_ns * self._rate_hz / 1e9 - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self._rate_hz:
                self.jitter += (difference - self.jitter) / 16
        self._transit = transit
