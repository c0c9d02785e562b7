"""Where a packet lies on the call's time line.

Sender Reports say which RTP timestamp belongs to which time of the sender's own clock (RFC 3550 section 6.4.1); this
aligns audio and video of one sender exactly. The sender's clock is laid onto ours by the packets that came fastest.
Arrival times alone are off by hundreds of milliseconds and serve only a stream that never sent a report.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

ENVELOPE_WINDOW_S = 10.0
DRIFT_AFTER_S = 300.0
"""Shorter recordings need no drift: 100 ppm are 30 ms in 300 s."""

MAX_DRIFT = 500e-6
"""Quartz clocks stay within 100 ppm; more is a misjudged network, not a clock."""

Points = Sequence[tuple[float, float]]


def ntp_s(ntp: int) -> float:
    """64-bit NTP time in seconds since 1900 (exact to 1 µs)."""
    return ntp / 4294967296.0


class SenderClock:
    """RTP timestamps to the sender's own time, by its Sender Reports.

    Between two reports the time is interpolated, outside of them it runs at the nominal rate: a sound card that runs
    fast or slow stays in step with the pictures. Single reports that are far off are voted down by their neighbours.
    """

    def __init__(self, reports: Sequence[tuple[int, int]], rate_hz: int) -> None:
        """`reports`: ``(64-bit NTP time, extended RTP timestamp)``, at least one."""
        self._rate_hz = rate_hz
        ordered = sorted({timestamp: ntp_s(ntp) - timestamp / rate_hz for ntp, timestamp in reports}.items())
        self._knots = [timestamp for timestamp, _ in ordered]
        raw = [offset for _, offset in ordered]
        self._offsets = [median(raw[max(0, at - 2) : at + 3]) for at in range(len(raw))]

    def __call__(self, timestamp: int) -> float:
        """Seconds since 1900 on the sender's clock."""
        return timestamp / self._rate_hz + self._offset(timestamp)

    def _offset(self, timestamp: int) -> float:
        at = bisect_right(self._knots, timestamp)
        if at == 0:
            return self._offsets[0]
        if at == len(self._knots):
            return self._offsets[-1]
        left, right = self._knots[at - 1], self._knots[at]
        part = (timestamp - left) / (right - left)
        return self._offsets[at - 1] * (1 - part) + self._offsets[at] * part


class Envelope:
    """The line below all delays: ``arrival ≈ sent + delay``, and the fastest packets had next to none.

    Called with a sent time it gives the offset between the two clocks there.
    """

    def __init__(self, points: Points) -> None:
        """`points`: ``(sent_s, arrival_s - sent_s)``, at least one."""
        lowest: dict[int, tuple[float, float]] = {}
        for sent, delay in points:
            window = int(sent // ENVELOPE_WINDOW_S)
            if window not in lowest or delay < lowest[window][1]:
                lowest[window] = (sent, delay)
        minima = sorted(lowest.values())
        self._at, self._offset = min(minima, key=lambda point: point[1])
        self._drift = 0.0
        if minima[-1][0] - minima[0][0] > DRIFT_AFTER_S:
            self._take_drift(_lower_hull(minima))

    def __call__(self, sent: float) -> float:
        """The offset at a sent time."""
        return self._offset + self._drift * (sent - self._at)

    def _take_drift(self, hull: list[tuple[float, float]]) -> None:
        """The edge of the hull in the middle of the recording lies below all points and closest to most."""
        middle = (hull[0][0] + hull[-1][0]) / 2
        for (x1, y1), (x2, y2) in pairwise(hull):
            if x1 <= middle <= x2 and abs((y2 - y1) / (x2 - x1)) <= MAX_DRIFT:
                self._at, self._offset, self._drift = x1, y1, (y2 - y1) / (x2 - x1)


def _lower_hull(points: Points) -> list[tuple[float, float]]:
    """Lower convex hull of points sorted by x (Andrew's monotone chain)."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        while len(hull) >= 2:
            (x1, y1), (x2, y2) = hull[-2], hull[-1]
            if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0:
                break
            hull.pop()
        hull.append((x, y))
    return hull


class StreamClock:
    """Extended RTP timestamps of one stream to seconds of the call."""

    def __init__(self, rate_hz: int, sender: SenderClock | None, envelope: Envelope) -> None:
        self._rate_hz = rate_hz
        self._sender = sender
        self._envelope = envelope

    def __call__(self, timestamp: int) -> float:
        """Seconds since the call's activation."""
        sent = self._sender(timestamp) if self._sender else timestamp / self._rate_hz
        return sent + self._envelope(sent)


StreamKey = tuple[str, int]
"""``(kind, epoch)``."""


def clocks(
    reports: dict[StreamKey, list[tuple[int, int]]],
    samples: dict[StreamKey, list[tuple[int, float]]],
    rates_hz: dict[str, int],
) -> dict[StreamKey, StreamClock]:
    """The clock of each stream of one segment.

    Args:
        reports: Sender Reports, ``(NTP, timestamp)``. samples: ``(timestamp, arrival in call seconds)`` of packets.
    """
    senders = {key: SenderClock(reports[key], rates_hz[key[0]]) for key in samples if reports.get(key)}
    # One envelope for all streams of the sender: audio and video then keep exactly the distance that the reports give
    # them. Audio decides if there is any: pictures are held back by encoder and pacer.
    leading = [key for key in senders if key[0] == "audio"] or list(senders)
    points = [(sent, at - sent) for key in leading for ts, at in samples[key] for sent in (senders[key](ts),)]
    common = Envelope(points) if points else None
    found: dict[StreamKey, StreamClock] = {}
    for key, pairs in samples.items():
        sender, rate_hz = senders.get(key), rates_hz[key[0]]
        if sender is not None and common is not None:
            found[key] = StreamClock(rate_hz, sender, common)
        else:
            own = Envelope([(ts / rate_hz, at - ts / rate_hz) for ts, at in pairs])
            found[key] = StreamClock(rate_hz, None, own)
    return found
