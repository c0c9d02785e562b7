"""Find holes and duplicates in a stream of sequence numbers."""

from enum import Enum

from server.media.rtp import sequence_delta

MAX_JUMP = 3000
"""RFC 3550 appendix A.1, MAX_DROPOUT: a larger step forward is not loss but another stream."""

MAX_LATE = 1000
"""A packet further back than this is not late but another stream."""

MAX_REPAIR = 256
"""Holes larger than this are not asked for: a key frame is cheaper than that many retransmissions."""

NACK_EVERY_NS = 80_000_000
"""Time between two requests for the same packet: about one round trip."""

NACK_TRIES = 8
FORGET_AFTER_NS = 1_000_000_000
"""A hole this old will not be played any more."""


class Arrival(Enum):
    """What a sequence number turned out to be."""

    NEXT = "next"
    GAP = "gap"
    """New, and packets before it are missing."""
    REPAIR = "repair"
    """Fills a hole: late or retransmitted."""
    DUPLICATE = "duplicate"
    """Seen before, or too late to tell."""
    SUSPECT = "suspect"
    """Far away from the stream; dropped unless the next one continues it."""
    RESTART = "restart"
    """The stream continues at another place."""


class GapDetector:
    """Sees every sequence number of one stream once, in order of arrival.

    Attributes:
        highest: Newest sequence number; None before the first packet. next: The one that follows it, -1 before.
        cycles: How often the 16-bit number has wrapped.
    """

    def __init__(self) -> None:
        self.highest: int | None = None
        self.next = -1
        self.cycles = 0
        self._missing: dict[int, list[int]] = {}  # sequence -> [seen missing at ns, last asked at ns, times asked]
        self._suspect: int | None = None
        self._unrepairable = False

    def arrived(self, sequence: int, now_ns: int) -> Arrival:
        """Judge one arrival."""
        if sequence == self.next and sequence:
            self.highest, self.next, self._suspect = sequence, (sequence + 1) & 0xFFFF, None
            return Arrival.NEXT
        if self.highest is None:
            self._advance(sequence)
            return Arrival.NEXT
        delta = sequence_delta(sequence, self.highest)
        if delta == 1:
            self._advance(sequence)
            return Arrival.NEXT
        if 1 < delta < MAX_JUMP:
            self._open(delta, now_ns)
            self._advance(sequence)
            return Arrival.GAP
        if -MAX_LATE < delta <= 0:
            return Arrival.DUPLICATE if self._missing.pop(sequence, None) is None else Arrival.REPAIR
        if sequence == self._suspect:
            self._restart(sequence)
            return Arrival.RESTART
        self._suspect = (sequence + 1) & 0xFFFF
        return Arrival.SUSPECT

    def due(self, now_ns: int) -> list[int]:
        """Missing numbers to ask for now, in order; each is counted as asked. Old holes are given up."""
        asked = []
        for sequence, entry in list(self._missing.items()):
            since_ns, last_ns, tries = entry
            if now_ns - since_ns > FORGET_AFTER_NS or tries >= NACK_TRIES:
                del self._missing[sequence]
                self._unrepairable = True
            elif not tries or now_ns - last_ns >= NACK_EVERY_NS:
                entry[1:] = [now_ns, tries + 1]
                asked.append(sequence)
        return asked

    def take_unrepairable(self) -> bool:
        """Whether a hole was given up since the last question."""
        given_up, self._unrepairable = self._unrepairable, False
        return given_up

    @property
    def has_holes(self) -> bool:
        """Whether anything is missing."""
        return bool(self._missing)

    def _advance(self, sequence: int) -> None:
        if self.highest is not None and sequence < self.highest:
            self.cycles += 1
        self.highest, self.next = sequence, (sequence + 1) & 0xFFFF
        self._suspect = None

    def _open(self, delta: int, now_ns: int) -> None:
        if delta > MAX_REPAIR:
            self._unrepairable = True
            return
        first = 0 if self.highest is None else self.highest + 1
        for step in range(delta - 1):
            self._missing[(first + step) & 0xFFFF] = [now_ns, 0, 0]
        while len(self._missing) > MAX_REPAIR:
            del self._missing[next(iter(self._missing))]
            self._unrepairable = True

    def _restart(self, sequence: int) -> None:
        self.highest, self.next, self.cycles, self._suspect = sequence, (sequence + 1) & 0xFFFF, 0, None
        self._missing.clear()
        self._unrepairable = True
