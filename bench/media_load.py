"""Load for `bench/media.py`: browsers that cost next to nothing. Pre-encoded VP8 and Opus, no decoding, own SDP.

Each client sends 640×480 at 30 pictures/s (about 1 Mbit/s) and 50 Opus packets/s with transport-wide numbers and Sender
Reports, and counts what comes. The last packet of every picture carries the time it was sent behind the picture's data,
where decoders do not look.
"""

import asyncio
import fractions
import functools
import random
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from aiortc import RTCCertificate
from aiortc.sdp import MediaDescription, SessionDescription
from rtp_streams import NTP_EPOCH_S, opus_packets, vp8_payloads

from core.tasks import TaskOwner
from server.media import rtcp, twcc
from server.media.config import Binding
from server.media.sdp import TRANSPORT_SEQUENCE_ID, LocalTransport, RemoteTransport, new_ssrc
from server.media.seam import SecureTransport

FPS = 30
LOOP_S = 4
BITRATE_BPS = 1_000_000
WIDTH, HEIGHT = 640, 480
STAMP_B = 8
BURST, BURST_S = 10, 0.004
"""Packets sent at once, and the time between two bursts of a picture: 20 Mbit/s."""

CONNECT_S = 20.0

_HEAD = struct.Struct("!BBHIIIBHB")
_EXTENSION = 0xBEDE0001
_REPORT = struct.Struct("!BBHIQIII")


@functools.cache
def pictures() -> tuple[tuple[bytes, ...], ...]:
    """The RTP payloads of each picture of the loop; the first one is a key frame."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.bit_rate, encoder.gop_size = fractions.Fraction(1, FPS), BITRATE_BPS, FPS * LOOP_S
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    noise = np.random.default_rng(1).integers(0, 40, (HEIGHT, WIDTH), dtype=np.uint8)
    frames = []
    for number in range(FPS * LOOP_S):
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = 100 + np.roll(noise, number * 3, axis=1)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(tuple(vp8_payloads(frame, number)) for number, frame in enumerate(frames))


@functools.cache
def sounds() -> tuple[bytes, ...]:
    """Opus packets of 20 ms."""
    return tuple(opus_packets(float(LOOP_S)))


@dataclass(slots=True)
class Counted:
    """What came of one stream: lost are the numbers that never did."""

    first: int
    highest: int
    packets: int = 1

    def add(self, sequence: int) -> None:
        """One more packet."""
        ahead = (sequence - self.highest) & 0xFFFF
        if ahead < 0x8000:
            self.highest += ahead
        self.packets += 1

    @property
    def lost(self) -> int:
        """Numbers between the first and the newest that did not come."""
        return max(0, self.highest - self.first + 1 - self.packets)


class Client:
    """One party. `certificate` is shared by all.

    Attributes:
        streams: What came, by SSRC. latencies_ns: From one client's send to the other's receive.
    """

    def __init__(self, certificate: RTCCertificate, address: str, *, controlling: bool) -> None:
        self.transport = SecureTransport(certificate, Binding((address,)), self, lambda: None)
        self.transport._connection.ice_controlling = controlling
        self.streams: dict[bytes, Counted] = {}
        self.latencies_ns: list[int] = []
        self.octets = 0
        self.audio_pt, self.video_pt = 111, 100
        self.local: LocalTransport | None = None
        self._ssrc = {"audio": new_ssrc(), "video": new_ssrc()}
        self._sequence = {"audio": random.getrandbits(15), "video": random.getrandbits(15)}
        self._sent = {"audio": [0, 0], "video": [0, 0]}  # packets, octets
        self._transport_sequence = 0
        self._number = {"audio": 0, "video": 0}
        self._picture = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = TaskOwner("load")
        self._connecting: asyncio.Task[None] | None = None

    # set-up

    async def describe(self, sections: Iterable[MediaDescription] | None = None) -> str:
        """An offer of sound and picture, or the answer to these sections of one."""
        self.local = self.local or await self.transport.open()
        accepted, blocks, mids = set[str](), [], []
        for at, section in enumerate(sections or (None, None)):
            kind = section.kind if section else ("audio", "video")[at]
            mid = section.rtp.muxId if section else str(at)
            if kind in accepted:
                blocks += [f"m={kind} 0 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=inactive"]
                continue
            accepted.add(kind)
            mids.append(mid)
            if section is not None:
                self._take_codec(section)
            blocks += self._section(kind, mid, "active" if section else "actpass")
        head = ["v=0", f"o=- {random.getrandbits(40)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        return "\r\n".join([*head, "a=group:BUNDLE " + " ".join(mids), "a=msid-semantic:WMS *", *blocks]) + "\r\n"

    async def answer(self, offer: str) -> str:
        """Answer an offer and begin to connect."""
        description = SessionDescription.parse(offer)
        text = await self.describe(description.media)
        self._connecting = self._tasks.start("connect", self._connect(description, dtls_active=False))
        return text

    async def answered(self, answer: str) -> None:
        """Take the answer to our offer and begin to connect."""
        description = SessionDescription.parse(answer)
        active = description.media[0].dtls.role == "client"
        self._connecting = self._tasks.start("connect", self._connect(description, dtls_active=active))

    async def connected(self) -> None:
        """Wait for the connection."""
        assert self._connecting is not None
        await self._connecting

    async def _connect(self, description: SessionDescription, *, dtls_active: bool) -> None:
        section = description.media[0]
        remote = RemoteTransport(
            section.ice.usernameFragment,
            section.ice.password,
            tuple(section.dtls.fingerprints),
            dtls_active,
            tuple(each for each in section.ice_candidates if each.protocol.lower() == "udp" and ":" not in each.ip),
        )
        await self.transport.connect(remote, CONNECT_S)

    def _take_codec(self, section: MediaDescription) -> None:
        wanted = "opus" if section.kind == "audio" else "vp8"
        number = next(each.payloadType for each in section.rtp.codecs if each.name.lower() == wanted)
        setattr(self, f"{section.kind}_pt", number)

    def _section(self, kind: str, mid: str, setup: str) -> list[str]:
        assert self.local is not None
        pt = self.audio_pt if kind == "audio" else self.video_pt
        codec = [f"a=rtpmap:{pt} opus/48000/2", f"a=fmtp:{pt} minptime=10;useinbandfec=1"]
        if kind == "video":
            codec = [f"a=rtpmap:{pt} VP8/90000", f"a=rtcp-fb:{pt} nack", f"a=rtcp-fb:{pt} nack pli"]
        return [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp-mux",
            f"a=mid:{mid}",
            "a=sendrecv",
            f"a=ice-ufrag:{self.local.ice_username}",
            f"a=ice-pwd:{self.local.ice_password}",
            f"a=fingerprint:{self.local.fingerprint}",
            f"a=setup:{setup}",
            f"a=extmap:{TRANSPORT_SEQUENCE_ID} {twcc.EXTENSION_URI}",
            *codec,
            f"a=rtcp-fb:{pt} transport-cc",
            f"a=msid:load load-{kind}",
            f"a=ssrc:{self._ssrc[kind]} cname:load",
            *(f"a=candidate:{candidate}" for candidate in self.local.candidates),
            "a=end-of-candidates",
        ]

    # packets out

    def play(self) -> None:
        """Begin to send."""
        now_s = asyncio.get_running_loop().time() + random.random() * 0.05
        self._tick("audio", now_s, 0.02)
        self._tick("video", now_s, 1 / FPS)
        self._report(now_s)

    def stop(self) -> None:
        """Send no more."""
        for timer in self._timers.values():
            timer.cancel()

    def _tick(self, kind: str, due_s: float, step_s: float) -> None:
        loop = asyncio.get_running_loop()
        if kind == "audio":
            self._send_sound()
        else:
            self._send_picture()
        due_s = max(due_s + step_s, loop.time() - 1.0)
        self._timers[kind] = loop.call_at(due_s, self._tick, kind, due_s, step_s)

    def _send_sound(self) -> None:
        number = self._number["audio"]
        self._number["audio"] = number + 1
        self._send("audio", self.audio_pt, number * 960, sounds()[number % len(sounds())])

    def _send_picture(self) -> None:
        number = self._number["video"]
        self._number["video"] = number + 1
        payloads = pictures()[self._picture]
        self._picture = (self._picture + 1) % len(pictures())
        self._send_part(number * 3000, payloads)

    def _send_part(self, timestamp: int, payloads: tuple[bytes, ...]) -> None:
        """The next burst of a picture; browsers do not send a key frame's hundred packets at once either."""
        for payload in payloads[: min(BURST, len(payloads) - 1)]:
            self._send("video", self.video_pt, timestamp, payload)
        if len(payloads) > BURST:
            loop = asyncio.get_running_loop()
            self._timers["burst"] = loop.call_later(BURST_S, self._send_part, timestamp, payloads[BURST:])
            return
        stamp = time.monotonic_ns().to_bytes(STAMP_B, "big")
        self._send("video", self.video_pt | 0x80, timestamp, payloads[-1] + stamp)

    def _send(self, kind: str, second: int, timestamp: int, payload: bytes) -> None:
        sequence = self._sequence[kind] = (self._sequence[kind] + 1) & 0xFFFF
        self._transport_sequence = (self._transport_sequence + 1) & 0xFFFF
        head = _HEAD.pack(
            0x90, second, sequence, timestamp & 0xFFFFFFFF, self._ssrc[kind], _EXTENSION,
            TRANSPORT_SEQUENCE_ID << 4 | 1, self._transport_sequence, 0,
        )  # fmt: skip
        sent = self._sent[kind]
        sent[0] += 1
        sent[1] += len(payload)
        self.transport.send_rtp(head + payload)

    def _report(self, due_s: float) -> None:
        ntp = round((time.time() + NTP_EPOCH_S) * 2**32)
        for kind, step in (("audio", 960), ("video", 3000)):
            timestamp = max(0, self._number[kind] - 1) * step & 0xFFFFFFFF
            packets, octets = self._sent[kind]
            self.transport.send_rtcp(_REPORT.pack(0x80, 200, 6, self._ssrc[kind], ntp, timestamp, packets, octets))
        loop = asyncio.get_running_loop()
        self._timers["report"] = loop.call_at(due_s + 1.0, self._report, due_s + 1.0)

    # packets in

    def on_rtp(self, packet: bytes, now_ns: int) -> None:
        """Count one packet."""
        sequence = packet[2] << 8 | packet[3]
        counted = self.streams.get(packet[8:12])
        if counted is None:
            self.streams[packet[8:12]] = Counted(sequence, sequence)
        else:
            counted.add(sequence)
        self.octets += len(packet)
        if packet[1] == self.video_pt | 0x80:
            self.latencies_ns.append(now_ns - int.from_bytes(packet[-STAMP_B:], "big"))

    def on_rtcp(self, packet: bytes, now_ns: int) -> None:
        """Start over with the key frame when one is asked for; reports and feedback are not acted upon."""
        if any(isinstance(event, rtcp.KeyframeRequest) for event in rtcp.read(packet)):
            self._picture = 0

    def begin(self) -> None:
        """Measure from now on."""
        self.streams.clear()
        self.latencies_ns.clear()
        self.octets = 0


@dataclass(slots=True)
class Figures:
    """One measurement."""

    calls: int
    cpu_per_call: float
    cpu_per_packet_us: float
    rss_mb: float
    p50_ms: float | None
    p99_ms: float | None
    lost: int
    packets_per_s: float
    kbps_per_client: float
    latencies: int = field(default=0)


def percentile(values: list[int], share: float) -> float | None:
    """In ms; None without values. Pictures that were encoded anew have lost their stamps."""
    ordered = sorted(value for value in values if 0 < value < 60_000_000_000)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6, 2) if ordered else None
