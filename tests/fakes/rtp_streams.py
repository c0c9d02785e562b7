"""Synthetic publishers: real VP8 and Opus, packed as a browser would, with the faults of a real network on request."""

import fractions
import functools
import random
from dataclasses import dataclass, field

import av
import numpy as np

AUDIO_PT, VIDEO_PT = 111, 96
FPS = 30
MTU_B = 1100
NTP_EPOCH_S = 2_208_988_800

AUDIO_RATE_HZ, VIDEO_RATE_HZ = 48_000, 90_000


@dataclass(frozen=True)
class Packet:
    """What a sink gets: an RTP packet, or a Sender Report ``(ntp, rtp timestamp)`` when `report` is set."""

    kind: str
    at_s: float  # arrival, seconds after the call's activation
    data: bytes = b""
    report: tuple[int, int] | None = None


@functools.cache
def vp8_frames(
    seconds: float, width: int = 320, height: int = 240, flash_at_s: float = -1.0, black_after_s: float = 1e9
) -> tuple[bytes, ...]:
    """Pictures of moving bars, a key frame every second; white at the flash, dark otherwise, black at the end."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = fractions.Fraction(1, FPS)
    encoder.bit_rate = 500_000
    encoder.gop_size = FPS
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    noise = np.random.default_rng(1)
    frames: list[bytes] = []
    for number in range(round(seconds * FPS)):
        picture = noise.integers(0, 60, (height, width, 3), dtype=np.uint8)
        picture[:, (number * 4) % width : (number * 4) % width + 8] = 90
        if flash_at_s <= number / FPS < flash_at_s + 0.2:
            picture[:] = 255
        if number / FPS >= black_after_s:
            picture[:] = 0
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    frames += [bytes(packet) for packet in encoder.encode(None)]
    assert len(frames) == round(seconds * FPS)
    return tuple(frames)


@functools.cache
def h264_frames(seconds: float, width: int, height: int, flash_at_s: float = -1.0) -> tuple[bytes, ...]:
    """As `vp8_frames`, constrained baseline in Annex B form."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = fractions.Fraction(1, FPS)
    encoder.bit_rate = 500_000
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "x264-params": "keyint=30"}
    noise = np.random.default_rng(1)
    frames: list[bytes] = []
    for number in range(round(seconds * FPS)):
        picture = noise.integers(0, 60, (height, width, 3), dtype=np.uint8)
        if flash_at_s <= number / FPS < flash_at_s + 0.2:
            picture[:] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    frames += [bytes(packet) for packet in encoder.encode(None)]
    assert len(frames) == round(seconds * FPS)
    return tuple(frames)


def h264_payloads(frame: bytes) -> list[bytes]:
    """RFC 6184 payloads as browsers make them: parameter sets in one STAP-A, small units alone, large ones as FU-A."""
    units = [unit.strip(b"\x00") or unit for unit in frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]
    sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
    payloads = [b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets)] if sets else []
    for unit in units:
        kind, body = unit[0] & 0x1F, unit[1:]
        if kind in (7, 8):
            continue
        if len(unit) <= MTU_B:
            payloads.append(unit)
            continue
        for at in range(0, len(body), MTU_B):
            flags = (0x80 if at == 0 else 0) | (0x40 if at + MTU_B >= len(body) else 0)
            payloads.append(bytes((unit[0] & 0xE0 | 28, flags | kind)) + body[at : at + MTU_B])
    return payloads


@functools.cache
def opus_packets(seconds: float, tone_hz: float = 440.0, beep_at_s: float = -1.0) -> tuple[bytes, ...]:
    """20 ms packets of a tone; with `beep_at_s`, silence but for 0.2 s."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_RATE_HZ, "mono", "s16"
    encoder.options = {"application": "lowdelay"}
    encoder.open()
    times = np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    loud = np.ones_like(times) if beep_at_s < 0 else ((times >= beep_at_s) & (times < beep_at_s + 0.2))
    samples = (np.sin(times * tone_hz * 2 * np.pi) * 12000 * loud).astype(np.int16)
    packets: list[bytes] = []
    for number in range(round(seconds * 50)):
        frame = av.AudioFrame.from_ndarray(
            samples[None, number * 960 : (number + 1) * 960], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = AUDIO_RATE_HZ, number * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets[: round(seconds * 50)])


def rtp(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool) -> bytes:
    """One RTP packet with a header extension, as browsers send."""
    head = bytes((0x90, (0x80 if marker else 0) | payload_type)) + (sequence & 0xFFFF).to_bytes(2, "big")
    head += (timestamp & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big")
    return head + bytes.fromhex("bede0001") + b"\x22\x00\x00\x00" + payload


def vp8_payloads(frame: bytes, picture_id: int, long_id: bool = True) -> list[bytes]:
    """RFC 7741 payloads: descriptor with a picture id of 15 (or 7) bits, parts of at most `MTU_B`."""
    parts = [frame[at : at + MTU_B] for at in range(0, len(frame), MTU_B)]
    identity = (0x8000 | picture_id & 0x7FFF).to_bytes(2, "big") if long_id else bytes((picture_id & 0x7F,))
    return [bytes((0x80 | (0x10 if not at else 0), 0x80)) + identity + part for at, part in enumerate(parts)]


@dataclass
class Publisher:
    """One transport of a seat.

    Attributes:
        start_s: Capture of its first unit, in call seconds. clock_ahead_s: The sender's clock against ours.
        audio_ppm: How much too fast the sound card runs.
        audio_delay_s / video_delay_s: From capture to arrival.
        reports: Whether it sends Sender Reports (first one after 0.3 s, then every second).
    """

    seconds: float
    start_s: float = 0.0
    clock_ahead_s: float = 3600.0
    audio_ppm: float = 0.0
    audio_delay_s: float = 0.03
    video_delay_s: float = 0.06
    reports: bool = True
    audio: bool = True
    video: bool = True
    flash_at_s: float = -1.0
    beep_at_s: float = -1.0
    first_sequence: int = 65_500
    first_timestamp: int = 0xFFFF_0000
    width: int = 320
    height: int = 240
    black_after_s: float = 1e9
    codec: str = "VP8"
    ssrc: int = 0x1234
    _packets: list[Packet] = field(default_factory=list)

    def packets(self, zero_ns: int) -> list[Packet]:
        """All packets and reports in order of arrival."""
        self._packets = []
        if self.audio:
            self._add_audio(zero_ns)
        if self.video:
            self._add_video(zero_ns)
        return sorted(self._packets, key=lambda packet: packet.at_s)

    def _add_audio(self, zero_ns: int) -> None:
        rate_hz = AUDIO_RATE_HZ * (1 + self.audio_ppm * 1e-6)  # ticks per true second
        sequence, timestamp = self.first_sequence, self.first_timestamp
        for number, payload in enumerate(opus_packets(self.seconds, beep_at_s=self.beep_at_s)):
            at_s = self.start_s + number * 960 / rate_hz
            data = rtp(AUDIO_PT, sequence + number, timestamp + number * 960, self.ssrc, payload, marker=number == 0)
            self._packets.append(Packet("audio", at_s + self.audio_delay_s, data))
        self._add_reports("audio", rate_hz, zero_ns, self.audio_delay_s)

    def _add_video(self, zero_ns: int) -> None:
        sequence = self.first_sequence
        if self.codec == "H264":
            frames = h264_frames(self.seconds, self.width, self.height, self.flash_at_s)
        else:
            frames = vp8_frames(self.seconds, self.width, self.height, self.flash_at_s, self.black_after_s)
        for number, frame in enumerate(frames):
            at_s = self.start_s + number / FPS + self.video_delay_s
            if self.codec == "H264":
                payloads = h264_payloads(frame)
            else:
                payloads = vp8_payloads(frame, number, long_id=number % 2 == 0 or number > 127)
            for place, payload in enumerate(payloads):
                timestamp = self.first_timestamp + number * VIDEO_RATE_HZ // FPS
                last = place == len(payloads) - 1
                data = rtp(VIDEO_PT, sequence, timestamp, self.ssrc + 1, payload, marker=last)
                self._packets.append(Packet("video", at_s + place * 0.0002, data))
                sequence += 1
        self._add_reports("video", VIDEO_RATE_HZ, zero_ns, self.video_delay_s)

    def _add_reports(self, kind: str, rate_hz: float, zero_ns: int, delay_s: float) -> None:
        at_s = 0.3
        while self.reports and at_s < self.seconds:
            wall_s = zero_ns / 1e9 + self.start_s + at_s + self.clock_ahead_s + NTP_EPOCH_S
            timestamp = round(self.first_timestamp + at_s * rate_hz) & 0xFFFFFFFF
            report = (round(wall_s * 2**32), timestamp)
            self._packets.append(Packet(kind, self.start_s + at_s + delay_s, report=report))
            at_s += 1.0


def disturbed(
    packets: list[Packet], seed: int, *, loss: float = 0.0, late: float = 0.0, twice: float = 0.0
) -> list[Packet]:
    """Lose, delay (up to 0.3 s) and repeat some of the packets."""
    chance = random.Random(seed)
    out: list[Packet] = []
    for packet in packets:
        if packet.report is None and chance.random() < loss:
            continue
        delay_s = chance.uniform(0.005, 0.3) if packet.report is None and chance.random() < late else 0.0
        out.append(Packet(packet.kind, packet.at_s + delay_s, packet.data, packet.report))
        if packet.report is None and chance.random() < twice:
            out.append(Packet(packet.kind, packet.at_s + delay_s + 0.01, packet.data))
    return sorted(out, key=lambda packet: packet.at_s)
