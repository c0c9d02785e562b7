"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).

The browser numbers all packets of its uplink; we tell it when each arrived and it finds its own bitrate.
"""

import struct

EXTENSION_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
RTPFB = 205
FEEDBACK_FORMAT = 15
TICK_NS = 250_000
"""Unit of arrival deltas: 250 µs."""
REFERENCE_NS = 64_000_000
"""Unit of the reference time: 64 ms."""

MAX_PACKETS = 400
"""Packets one message describes; keeps it below 1200 bytes even with large deltas."""

_LOST, _SMALL, _LARGE = 0, 1, 2


class ArrivalLog:
    """Remembers arrivals of one transport until they are reported. Bounded: the oldest go first."""

    def __init__(self) -> None:
        self._arrivals: dict[int, int] = {}  # extended sequence -> arrival in 250 µs ticks
        self._highest = -1
        self._next: int | None = None
        self._count = 0

    def add(self, sequence: int, arrival_ns: int) -> None:
        """Note that the packet with this transport-wide number arrived."""
        if self._next is None:
            self._highest = self._next = sequence + 0x10000
        extended = self._highest + ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(self._highest, extended)
        if extended >= self._next and len(self._arrivals) < 4 * MAX_PACKETS:
            self._arrivals.setdefault(extended, arrival_ns // TICK_NS)

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets about everything that arrived since the last call; empty when nothing did."""
        messages = []
        while self._arrivals and self._next is not None:
            first = min(self._arrivals)
            if first - self._next >= MAX_PACKETS:  # a hole too long to describe: begin anew behind it
                self._next = first
            messages.append(self._message(sender_ssrc, media_ssrc))
        return messages

    def _message(self, sender_ssrc: int, media_ssrc: int) -> bytes:
        base = self._next or 0
        last = max(self._arrivals)
        reference = self._arrivals[min(self._arrivals)] * TICK_NS // REFERENCE_NS
        previous = reference * REFERENCE_NS // TICK_NS
        symbols: list[int] = []
        deltas = bytearray()
        for extended in range(base, min(last + 1, base + MAX_PACKETS)):
            ticks = self._arrivals.get(extended)
            if ticks is None:
                symbols.append(_LOST)
                continue
            delta = ticks - previous
            if not -0x8000 <= delta <= 0x7FFF:
                break  # more than 8 s apart: the rest goes into a message with its own reference time
            symbols.append(_SMALL if 0 <= delta <= 255 else _LARGE)
            deltas += struct.pack("!B" if 0 <= delta <= 255 else "!h", delta)
            previous = ticks
            del self._arrivals[extended]
        while symbols and symbols[-1] == _LOST:  # numbers not known to be lost yet
            symbols.pop()
        self._next = base + len(symbols)
        self._arrivals = {key: ticks for key, ticks in self._arrivals.items() if key >= self._next}
        head = struct.pack(
            "!IIHHI", sender_ssrc, media_ssrc, base & 0xFFFF, len(symbols), (reference & 0xFFFFFF) << 8 | self._count
        )
        self._count = (self._count + 1) & 0xFF
        return _packed(head + _chunks(symbols) + bytes(deltas))


def _chunks(symbols: list[int]) -> bytes:
    """Status chunks: a run length where one symbol repeats, else vectors of seven two-bit symbols."""
    out = bytearray()
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 0x1FFF:
            run += 1
        if run >= 7 or at + run == len(symbols):
            out += (symbols[at] << 13 | run).to_bytes(2, "big")
            at += run
            continue
        vector = 0xC000
        for place, symbol in enumerate(symbols[at : at + 7]):
            vector |= symbol << (12 - 2 * place)
        out += vector.to_bytes(2, "big")
        at += 7
    return bytes(out)


def _packed(body: bytes) -> bytes:
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes((padding,))
    first = 0x80 | (0x20 if padding else 0) | FEEDBACK_FORMAT
    return struct.pack("!BBH", first, RTPFB, len(body) // 4) + body
