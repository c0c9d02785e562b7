"""Times of a call that are not in a party's file, and why."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from recording.finalize.check import SECURE_PAUSE
from recording.finalize.segment import Segment

GAP_S = 1.0
"""A longer time without any unit is a gap. Voice pauses do not make one: Opus sends at least every 400 ms (DTX)."""

SCREEN_STILL_S = 4.0
"""A shared screen on which nothing moves is sent once a second; after this it is no longer shared."""

Gap = dict[str, object]
Span = tuple[float, float]


def gaps_of(
    party: str, times: Sequence[float], segments: Sequence[Segment], started_ns: int, stopped_s: float | None
) -> list[Gap]:
    """Times without any unit from the call's activation to the end of capture, and every secure pause however short.

    Args:
        times: Of all units, sorted, in call seconds. stopped_s: End of capture; None when it is not known.
    """
    end_s = stopped_s if stopped_s is not None else times[-1]
    pauses = _pauses(segments, started_ns, end_s)
    opened_s = [(segment.header.opened_ns - started_ns) / 1e9 for segment in segments[1:]]
    edges = [0.0, *times, *([stopped_s] if stopped_s is not None else [])]
    found = [(start, end, SECURE_PAUSE) for start, end in pauses]
    for number, (before, after) in enumerate(pairwise(edges)):
        if after - before <= GAP_S:
            continue
        if number == 0:
            reason = "joined_late"
        elif number == len(times):
            reason = "left_early"
        elif any(before < at <= after + GAP_S for at in opened_s):
            reason = "reconnect"
        else:
            reason = "no_packets"
        found += [(start, end, reason) for start, end in _without((before, after), pauses) if end - start > GAP_S]
    return [
        {"party": party, "from_s": round(start, 3), "to_s": round(end, 3), "reason": reason}
        for start, end, reason in sorted(found)
    ]


def spans_of(times: Sequence[float], longest_pause_s: float) -> list[dict[str, float]]:
    """From when to when there was something, ``[{"from_s", "to_s"}]`` in call seconds.

    Args:
        times: Of all units, sorted.
    """
    spans: list[dict[str, float]] = []
    for time_s in times:
        if spans and time_s - spans[-1]["to_s"] <= longest_pause_s:
            spans[-1]["to_s"] = time_s
        else:
            spans.append({"from_s": time_s, "to_s": time_s})
    return [{name: round(value, 3) for name, value in span.items()} for span in spans]


def unwanted_s(gaps: Iterable[Gap]) -> float:
    """Length of all gaps but the secure pauses."""
    return sum(float(str(gap["to_s"])) - float(str(gap["from_s"])) for gap in gaps if gap["reason"] != SECURE_PAUSE)


def _pauses(segments: Sequence[Segment], started_ns: int, end_s: float) -> list[Span]:
    """Secure pauses of all transports of the seat; one that goes on over a rejoin is one."""
    spans = sorted(
        ((start - started_ns) / 1e9, (end - started_ns) / 1e9 if end is not None else end_s)
        for segment in segments
        for start, end in segment.pauses
    )
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(gap: Span, pauses: Sequence[Span]) -> list[Span]:
    """What is left of a gap beside the pauses."""
    left, start = [], gap[0]
    for pause_start, pause_end in pauses:
        if pause_end <= start or pause_start >= gap[1]:
            continue
        left.append((start, pause_start))
        start = pause_end
    return [*left, (start, gap[1])]
