"""H.264 from RTP (RFC 6184, packetization mode 1): single units, STAP-A and FU-A to pictures in Annex B form."""

from collections.abc import Iterator

from recording.finalize.depacketize import Frame
from recording.finalize.rtp import RtpPacket

START_CODE = b"\x00\x00\x00\x01"
_IDR, _SPS, _PPS, _DELIMITER, _STAP_A, _FU_A = 5, 7, 8, 9, 24, 28
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


class H264:
    """Pictures with missing packets are left out, and so is what depends on them: all up to the next IDR picture.

    Key frames always carry their parameter sets, whether the sender repeats them or not.

    Attributes:
        dropped: Pictures that could not be used.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._first: RtpPacket | None = None
        self._units: list[bytes] = []
        self._fragment: bytearray | None = None
        self._sets: dict[int, bytes] = {}
        self._last: RtpPacket | None = None
        self._is_broken = False
        self._needs_key = True

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; give the frames it completes."""
        last, self._last = self._last, packet
        follows = last is not None and (packet.epoch, packet.sequence) == (last.epoch, last.sequence + 1)
        frames: list[Frame] = []
        if self._first is not None and packet.timestamp != self._first.timestamp:
            if not follows:
                self._is_broken = True  # what is missing may have been its end
            frames += self._complete()
        if not packet.payload:
            return frames  # padding only
        if self._first is None:
            self._first = packet
            begins = follows and last is not None and (last.marker or last.timestamp != packet.timestamp)
            self._is_broken = not begins and _first_type(packet.payload) not in (_SPS, _DELIMITER)
        elif not follows:
            self._is_broken = True
        if not follows:
            self._needs_key = True
        self._take(packet.payload)
        if packet.marker:
            frames += self._complete()
        return frames

    def _take(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            self._take_fragment(payload)
        elif kind == _STAP_A:
            at = 1
            while at + 2 < len(payload):
                length = int.from_bytes(payload[at : at + 2], "big")
                self._add(payload[at + 2 : at + 2 + length])
                at += 2 + length
        elif 1 <= kind <= 23:
            self._add(payload)
        else:
            self._is_broken = True  # a packetization nobody offered

    def _take_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            self._is_broken = True
            return
        if payload[1] & 0x80:
            self._fragment = bytearray((payload[0] & 0xE0 | payload[1] & 0x1F,))
        if self._fragment is None:
            self._is_broken = True
            return
        self._fragment += payload[2:]
        if payload[1] & 0x40:
            self._add(bytes(self._fragment))
            self._fragment = None

    def _add(self, unit: bytes) -> None:
        if not unit:
            return
        kind = unit[0] & 0x1F
        if kind in (_SPS, _PPS):
            self._sets[kind] = unit
        elif kind != _DELIMITER:
            self._units.append(unit)

    def _complete(self) -> list[Frame]:
        first, units, is_broken = self._first, self._units, self._is_broken or self._fragment is not None
        self._first, self._units, self._fragment, self._is_broken = None, [], None, False
        if first is None or not units:
            return []
        size: tuple[int, int] | None = None
        if any(unit[0] & 0x1F == _IDR for unit in units) and len(self._sets) == 2:
            size = sps_size(self._sets[_SPS])
            units = [self._sets[_SPS], self._sets[_PPS], *units]
        if is_broken or (size is None and self._needs_key):
            self.dropped += 1
            self._needs_key = True
            return []
        self._needs_key = False
        data = b"".join(START_CODE + unit for unit in units)
        return [Frame(first.epoch, first.timestamp, first.arrival_ns, data, size)]


def _first_type(payload: bytes) -> int:
    kind = payload[0] & 0x1F
    if kind == _STAP_A and len(payload) > 3:
        return payload[3] & 0x1F
    if kind == _FU_A and len(payload) > 1:
        return payload[1] & 0x1F if payload[1] & 0x80 else 0
    return kind


def sps_size(unit: bytes) -> tuple[int, int] | None:
    """``(width, height)`` of a sequence parameter set (ITU-T H.264 section 7.3.2.1.1), None when it is damaged."""
    try:
        return _sps_size(_Bits(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")))
    except IndexError:
        return None


def _sps_size(bits: "_Bits") -> tuple[int, int] | None:
    profile = bits.read(8)
    bits.read(16)  # constraints, level
    bits.unsigned()  # id
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.unsigned()
        if chroma == 3:
            bits.read(1)
        bits.unsigned()  # bit depths
        bits.unsigned()
        bits.read(1)
        if bits.read(1):  # scaling lists: no browser sends them
            return None
    bits.unsigned()  # log2_max_frame_num
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.read(1)
        bits.unsigned()  # signed ones have the same length
        bits.unsigned()
        for _ in range(bits.unsigned()):
            bits.unsigned()
    bits.unsigned()  # reference frames
    bits.read(1)
    width, height = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
    progressive = bits.read(1)
    if not progressive:
        height *= 2
        bits.read(1)
    bits.read(1)
    if bits.read(1):
        unit_x, unit_y = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (2 - progressive)
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width, height = width - unit_x * (left + right), height - unit_y * (top + bottom)
    return (width, height) if 0 < width <= 16_384 and 0 < height <= 16_384 else None


class _Bits:
    """Reads single bits and Exp-Golomb numbers. IndexError behind the end."""

    def __init__(self, data: bytes) -> None:
        self._bits: Iterator[int] = (byte >> shift & 1 for byte in data for shift in range(7, -1, -1))

    def read(self, count: int) -> int:
        value = 0
        for _ in range(count):
            bit = next(self._bits, None)
            if bit is None:
                raise IndexError("the parameter set ends early")
            value = value << 1 | bit
        return value

    def unsigned(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 31:
                raise IndexError("this is no number")
        return (1 << zeros) - 1 + self.read(zeros)
