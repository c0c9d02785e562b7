"""From RTP payloads to frames: VP8 (RFC 7741) and Opus (RFC 7587). H.264 has a module of its own."""

from dataclasses import dataclass
from typing import Protocol

from recording.finalize.rtp import RtpPacket

VIDEO_RATE_HZ = 90_000
AUDIO_RATE_HZ = 48_000

_OPUS_FRAME_MS = (10, 20, 40, 60) * 3 + (10, 20) * 2 + (2.5, 5, 10, 20) * 4
"""Frame length by the configuration in the first byte (RFC 6716 table 2)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded picture.

    Attributes:
        timestamp: Extended RTP timestamp. size: ``(width, height)`` of a key frame, else None.
    """

    epoch: int
    timestamp: int
    arrival_ns: int
    data: bytes
    size: tuple[int, int] | None

    @property
    def is_key(self) -> bool:
        """Whether decoding can begin here."""
        return self.size is not None


class Depacketizer(Protocol):
    """Makes frames of packets in order.

    Attributes:
        dropped: Frames that could not be decoded because something before or in them is missing.
    """

    dropped: int

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; give the frames it completes."""
        ...


def vp8_descriptor_b(payload: bytes) -> int:
    """Length of the payload descriptor (RFC 7741 section 4.2), 0 when the payload ends within it."""
    length = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return 0
        extension, length = payload[1], 2
        if extension & 0x80:  # picture id of 7 or 15 bits
            if len(payload) <= length:
                return 0
            length += 2 if payload[length] & 0x80 else 1
        length += bool(extension & 0x40)  # TL0PICIDX
        length += bool(extension & 0x30)  # TID, Y, KEYIDX
    return length if len(payload) > length else 0


def vp8_key_size(frame: bytes) -> tuple[int, int] | None:
    """``(width, height)`` of a key frame (RFC 6386 section 9.1), None for any other frame."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


class Vp8:
    """Frames with missing packets are left out, and so is what depends on them: all up to the next key frame."""

    def __init__(self) -> None:
        self.dropped = 0
        self._parts: list[bytes] = []
        self._first: RtpPacket | None = None
        self._next: int | None = None
        self._epoch = 0
        self._needs_key = True

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; give the frames it completes."""
        if packet.sequence != self._next or packet.epoch != self._epoch:
            self._break()
        self._next, self._epoch = packet.sequence + 1, packet.epoch
        if not packet.payload:
            return []  # padding only
        skip = vp8_descriptor_b(packet.payload)
        if not skip:
            self._break()
            return []
        frames: list[Frame] = []
        if self._first is not None and packet.timestamp != self._first.timestamp:
            frames += self._complete()  # complete all the same: a sender need not set the marker bit
        if self._first is None:
            if packet.payload[0] & 0x17 != 0x10:  # not the start of the first partition: its frame's start is missing
                self._needs_key = True
                return frames
            self._first = packet
        self._parts.append(packet.payload[skip:])
        if packet.marker:
            frames += self._complete()
        return frames

    def _break(self) -> None:
        self.dropped += self._first is not None
        self._first, self._parts, self._needs_key = None, [], True

    def _complete(self) -> list[Frame]:
        first, data = self._first, b"".join(self._parts)
        self._first, self._parts = None, []
        if first is None:
            return []
        size = vp8_key_size(data)
        if size is None and (self._needs_key or not data[0] & 1):
            self.dropped += 1
            self._needs_key = True
            return []
        self._needs_key = False
        return [Frame(first.epoch, first.timestamp, first.arrival_ns, data, size)]


def opus_duration_s(payload: bytes) -> float:
    """Playing time of an Opus packet (RFC 6716 section 3), 0 when it is malformed."""
    if not payload:
        return 0.0
    code = payload[0] & 3
    if code == 3 and len(payload) < 2:
        return 0.0
    count = (1, 2, 2, payload[1] & 0x3F if code == 3 else 0)[code]
    length_s = _OPUS_FRAME_MS[payload[0] >> 3] * count / 1000
    return length_s if length_s <= 0.12 else 0.0
