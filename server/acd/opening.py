"""When a queue is open: pure rules over a calendar of weekdays, holidays and working weekends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

Span = tuple[str, str]
"""Local times of a day, ``("09:00", "17:00")``; ``24:00`` is the end of the day."""

HORIZON_DAYS = 30  # the longest holiday is over by then; a queue that opens later counts as closed for good


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hours of a kind of customer.

    Attributes:
        hours: By ISO weekday (1 is Monday). days: Hours of the days that are unlike their weekday; none: closed.
    """

    timezone: str
    hours: Mapping[int, Sequence[Span]]
    days: Mapping[date, Sequence[Span]] = field(default_factory=dict)


def spans_of(calendar: Calendar, day: date) -> list[tuple[datetime, datetime]]:
    """Opening spans of a local day, in UTC, in order."""
    zone = ZoneInfo(calendar.timezone)
    spans = calendar.days[day] if day in calendar.days else calendar.hours.get(day.isoweekday(), ())
    return sorted((_instant(day, begin, zone), _instant(day, end, zone)) for begin, end in spans)


def closes_at(calendar: Calendar, at: datetime) -> datetime | None:
    """When the span ends that `at` lies in; None: closed."""
    day = at.astimezone(ZoneInfo(calendar.timezone)).date()
    return next((end for begin, end in spans_of(calendar, day) if begin <= at < end), None)


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """The next moment at which it opens; `at` itself when it is open."""
    if closes_at(calendar, at) is not None:
        return at
    return next((begin for begin, _ in _coming(calendar, at) if begin > at), None)


def slots(calendar: Calendar, at: datetime, slot_s: int, days: int) -> list[tuple[datetime, datetime]]:
    """Whole slots of that length that begin after `at`, over so many days."""
    length = timedelta(seconds=slot_s)
    found = []
    for begin, end in _coming(calendar, at, days):
        start = begin
        while start + length <= end:
            if start > at:
                found.append((start, start + length))
            start += length
    return found


def overlapping(spans: Sequence[Span]) -> bool:
    """Whether a day's spans are backwards, or touch the same minute twice: its slots would be given twice."""
    ordered = sorted(spans)
    backwards = any(begin >= end for begin, end in ordered)
    return backwards or any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def _coming(calendar: Calendar, at: datetime, days: int = HORIZON_DAYS) -> Iterator[tuple[datetime, datetime]]:
    first = at.astimezone(ZoneInfo(calendar.timezone)).date()
    for offset in range(days):
        yield from spans_of(calendar, first + timedelta(days=offset))


def _instant(day: date, text: str, zone: ZoneInfo) -> datetime:
    hours, minutes = (int(part) for part in text.split(":"))
    midnight = datetime.combine(day + timedelta(days=hours // 24), time(hours % 24, minutes), zone)
    return midnight.astimezone(UTC)
