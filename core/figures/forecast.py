"""Load of a day per half hour, from the same weekdays before. Pure.

The newest of the last `WEEKS` same weekdays counts most; the level of the last seven days against the seven before them
is followed half way. The error is measured, not claimed: the same rule forecasts each of the last days from what was
known then (weighted absolute percentage error).
"""

from collections.abc import Mapping
from datetime import date, timedelta

SLOTS = 48
WEEKS = 4
TESTED_DAYS = 14

History = Mapping[date, tuple[int, ...]]
"""Calls per half hour; a day that is missing is not known (nothing is assumed of it)."""


def forecast(history: History, day: date) -> tuple[float, ...] | None:
    """Calls expected per half hour of `day`; None without any same weekday before."""
    weighted = [0.0] * SLOTS
    weights = 0.0
    for weeks in range(1, WEEKS + 1):
        known = history.get(day - timedelta(weeks=weeks))
        if known is None:
            continue
        weight = WEEKS + 1 - weeks
        weights += weight
        for slot, calls in enumerate(known):
            weighted[slot] += weight * calls
    if not weights:
        return None
    trend = _trend(history, day)
    return tuple(calls / weights * trend for calls in weighted)


def _trend(history: History, day: date) -> float:
    newer = [history.get(day - timedelta(days=back)) for back in range(1, 8)]
    older = [history.get(day - timedelta(days=back)) for back in range(8, 15)]
    pairs = [(sum(new), sum(old)) for new, old in zip(newer, older, strict=True) if new is not None and old is not None]
    before = sum(old for _, old in pairs)
    if len(pairs) < 5 or not before:
        return 1.0
    return 1.0 + (sum(new for new, _ in pairs) / before - 1.0) / 2


def error(history: History, day: date) -> float | None:
    """Weighted absolute percentage error per half hour over the days before `day`; None when none can be tested."""
    off = total = 0.0
    for back in range(1, TESTED_DAYS + 1):
        tested = day - timedelta(days=back)
        real, told = history.get(tested), forecast(history, tested)
        if real is None or told is None:
            continue
        off += sum(abs(guess - calls) for guess, calls in zip(told, real, strict=True))
        total += sum(real)
    return off / total if total else None
