"""Secure pause: while a customer types a PIN, packets of the paused seats are dropped and a mark is kept instead."""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from core.clock import Clock
from core.ports.media import MediaKind, MediaSink, Seat
from recording.capture.ledger import Ledger
from recording.capture.reporter import Reporter

if TYPE_CHECKING:
    from recording.capture.running import Capture

LONGEST_S = 60.0
"""Then the pause ends by itself and a person is told."""

LATE_S = 2.0
"""So long after a pause its retransmitted packets may still come; they are recognised by their numbers."""


class Gate:
    """Decides which packets of one transport are kept.

    Attributes:
        dropped: Packets that were not kept. lifted_s: When the pause ended, monotonic; None while it lasts.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.lifted_s: float | None = None
        self._newest: dict[MediaKind, int] = {}
        self._resumed: set[MediaKind] = set()

    def keeps(self, kind: MediaKind, packet: bytes) -> bool:
        """Nothing during the pause; afterwards nothing that was sent before its end."""
        if len(packet) < 4:
            return False
        sequence = packet[2] << 8 | packet[3]
        newest = self._newest.get(kind)
        is_newer = newest is None or 0 < (sequence - newest) & 0xFFFF < 0x8000
        if self.lifted_s is not None and is_newer:
            if kind not in self._resumed:
                # The last packets of the pause may have been lost: what is older than the first one kept belongs to it.
                self._resumed.add(kind)
                self._newest[kind] = (sequence - 1) & 0xFFFF
            return True
        if self.lifted_s is None and is_newer:
            self._newest[kind] = sequence
        self.dropped += 1
        return False


class Gated(Protocol):
    """A sink that can be paused."""

    gate: Gate | None


class GatedSink:
    """Another subscriber of a recorded seat, e.g. the speech tap: what is not recorded must not be heard either."""

    def __init__(self, inner: MediaSink, gate: Gate | None) -> None:
        self.gate = gate
        self.kinds = inner.kinds
        self._inner = inner

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        """Hand on one packet unless it is of a pause."""
        if self.gate is None or self.gate.keeps(kind, packet):
            self._inner.on_rtp(kind, packet, arrival_ns)

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """Hand on a report; it holds no media."""
        self._inner.on_sender_report(kind, ntp, rtp_timestamp)

    def close(self, reason: str) -> None:
        """Hand on the end."""
        self._inner.close(reason)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that runs.

    Attributes:
        ends_s: Monotonic. by: Who asked for it, as in the audit log.
    """

    seats: frozenset[Seat]
    reason: str
    by: str
    ends_s: float
    until: datetime


def mark(event: str, reason: str, by: str) -> bytes:
    """Content of a journal's mark: ``pause`` or ``resume``, with its reason."""
    return json.dumps({"mark": event, "reason": reason, "by": by}, ensure_ascii=False).encode()


class Pauses:
    """Begins and ends pauses of running recordings."""

    def __init__(self, ledger: Ledger, reporter: Reporter, clock: Clock) -> None:
        self._ledger = ledger
        self._reporter = reporter
        self._clock = clock

    def begin(self, capture: "Capture", seats: Collection[Seat], reason: str, by: str, longest_s: float) -> datetime:
        """Keep no packet of these seats from now on. A running pause is replaced. Returns when it ends by itself."""
        longest_s = max(1.0, min(longest_s, LONGEST_S))
        if capture.pause is not None:
            self._lift(capture, capture.pause.seats - set(seats), "replaced", by)
        until = self._clock.now() + timedelta(seconds=longest_s)
        capture.pause = Pause(frozenset(seats), reason, by, self._clock.monotonic_s() + longest_s, until)
        for sink in capture.sinks:
            if sink.stream.seat in seats and sink.takes_marks and (sink.gate is None or sink.gate.lifted_s):
                sink.mark(time.time_ns(), mark("pause", reason, by))
        for gated in capture.sinks_of(seats):
            if gated.gate is None or gated.gate.lifted_s is not None:
                gated.gate = Gate()
        meta, names = capture.meta, sorted(str(seat) for seat in seats)
        self._reporter.tell(capture, lambda: self._ledger.paused(meta, names, reason, by, until))
        return until

    def end(self, capture: "Capture", by: str, *, expired: bool = False) -> None:
        """Keep packets again. Nothing happens when there is no pause."""
        pause, capture.pause = capture.pause, None
        if pause is None:
            return
        self._lift(capture, pause.seats, "time is over" if expired else "asked for", by)
        meta = capture.meta
        self._reporter.tell(capture, lambda: self._ledger.pause_ended(meta, by, expired=expired))

    def tick(self, capture: "Capture", now_s: float) -> None:
        """End a pause whose time is over; take away gates that have nothing left to do."""
        if capture.pause is not None and now_s >= capture.pause.ends_s:
            self.end(capture, "system:recorder", expired=True)
        for gated in capture.sinks_of(set(Seat)):
            lifted_s = gated.gate.lifted_s if gated.gate else None
            if lifted_s is not None and now_s - lifted_s > LATE_S:
                gated.gate = None

    def _lift(self, capture: "Capture", seats: Collection[Seat], reason: str, by: str) -> None:
        now_s = self._clock.monotonic_s()
        for gated in capture.sinks_of(seats):
            if gated.gate is not None and gated.gate.lifted_s is None:
                gated.gate.lifted_s = now_s
        for sink in capture.sinks:
            if sink.stream.seat in seats and sink.takes_marks:
                sink.mark(time.time_ns(), mark("resume", reason, by))
                sink.stream.request_keyframe()
