"""RTP as it lies in a journal: parsed, numbered without wrap-around, and put back in order."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

WINDOW_NS = 2_000_000_000
"""A missing packet is waited for this long (by arrival times): a retransmission comes within 1 s or never."""

START_NS = 200_000_000
"""At the start of a stream, the first packets may come in the wrong order too."""

MAX_JUMP = 3000
MAX_LATE = 1000
"""Steps beyond these are another stream under the same name (RFC 3550 appendix A.1), as the media room judges too."""


@dataclass(frozen=True, slots=True, order=True)
class RtpPacket:
    """One packet, numbered without wrap-around.

    Attributes:
        sequence: Grows by one per packet, also across restarts of the stream.
        epoch: Counts restarts: time stamps of different epochs have nothing to do with each other.
        timestamp: RTP timestamp, extended.
    """

    sequence: int
    epoch: int = field(compare=False)
    timestamp: int = field(compare=False)
    marker: bool = field(compare=False)
    payload: bytes = field(compare=False)
    arrival_ns: int = field(compare=False)


def payload_of(packet: bytes) -> bytes | None:
    """The payload without padding (RFC 3550 section 5.1); None when the packet is malformed."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return packet[start:end] if start <= end else None


class Numbering:
    """Extends the 16-bit sequence numbers and 32-bit timestamps of one stream."""

    def __init__(self) -> None:
        self.epoch = 0
        self._highest: int | None = None
        self._timestamp = 0
        self._skipped = False

    def packet(self, raw: bytes, arrival_ns: int) -> RtpPacket | None:
        """The numbered packet, None when it is malformed."""
        payload = payload_of(raw)
        if payload is None:
            return None
        sequence = self._sequence(raw[2] << 8 | raw[3])
        timestamp = self.timestamp(int.from_bytes(raw[4:8], "big"))
        if sequence == self._highest:
            self._timestamp = timestamp
        return RtpPacket(sequence, self.epoch, timestamp, bool(raw[1] & 0x80), payload, arrival_ns)

    def skip(self) -> None:
        """Packets were left out on purpose: the next one belongs to the same stream, however far it is."""
        self._skipped = True

    def timestamp(self, timestamp: int) -> int:
        """Extend a timestamp: the nearest to the newest packet's."""
        delta = (timestamp - self._timestamp) & 0xFFFFFFFF
        return self._timestamp + (delta - 0x100000000 if delta & 0x80000000 else delta)

    def _sequence(self, sequence: int) -> int:
        if self._highest is None:
            self._highest = sequence
            return sequence
        delta = (sequence - self._highest) & 0xFFFF
        if self._skipped:
            self._skipped = False
            self._highest += delta
            return self._highest
        if delta & 0x8000:
            delta -= 0x10000
        if -MAX_LATE < delta <= 0:
            return self._highest + delta
        if not 0 < delta < MAX_JUMP:
            self.epoch += 1
            # The next free number with the same low 16 bits, so that later differences stay right.
            delta = (sequence - self._highest) & 0xFFFF or 0x10000
        self._highest += delta
        return self._highest


class Reorder:
    """Gives packets in order, each once.

    Attributes:
        received: Distinct packets given. missing: Numbers that never came.
        surplus: Duplicates, and those that came too late.
    """

    def __init__(self) -> None:
        self.received = self.missing = self.surplus = 0
        self._heap: list[RtpPacket] = []
        self._next: int | None = None
        self._epoch = 0
        self._newest_ns = 0

    def push(self, packet: RtpPacket) -> Iterator[RtpPacket]:
        """Take a packet in order of arrival; give those whose turn it is."""
        if self._next is not None and packet.sequence < self._next:
            self.surplus += 1
            return
        self._newest_ns = max(self._newest_ns, packet.arrival_ns)
        heapq.heappush(self._heap, packet)
        if self._next is None and self._newest_ns - self._heap[0].arrival_ns < START_NS:
            return
        while self._heap and (self._is_next(self._heap[0]) or self._waited_enough()):
            yield from self._pop()

    def flush(self) -> Iterator[RtpPacket]:
        """The stream has ended, or a part was left out on purpose: give what is left; nothing more is waited for."""
        while self._heap:
            yield from self._pop()
        self._next = None

    def _is_next(self, packet: RtpPacket) -> bool:
        return self._next is not None and (packet.sequence <= self._next or packet.epoch != self._epoch)

    def _waited_enough(self) -> bool:
        return self._next is None or self._newest_ns - self._heap[0].arrival_ns > WINDOW_NS

    def _pop(self) -> Iterator[RtpPacket]:
        packet = heapq.heappop(self._heap)
        if self._next is not None and packet.sequence < self._next:
            self.surplus += 1
            return
        if self._next is not None and packet.epoch == self._epoch:
            self.missing += packet.sequence - self._next
        self._next, self._epoch = packet.sequence + 1, packet.epoch
        self.received += 1
        yield packet
