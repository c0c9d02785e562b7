"""Facts of one call, what it adds to a tally, and the ratios of a tally. Definitions: docs/statistics.md."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Self

SERVICE_LEVEL_S = 20  # answered within so long is answered in time
SHORT_ABANDON_S = 5  # who leaves sooner has not really waited, and counts neither for nor against the counter
LOW_STARS = 2  # so few stars call for a follow-up
SATISFIED_STARS = 4
DEFAULT_LIMIT_S = 900  # handling limit of a business that names none (开户 15 min)


@dataclass(frozen=True, slots=True)
class CallTimes:
    """What has to be known of one call to count it. Instants are aware UTC; None has not happened.

    Attributes:
        held_ms: Finished holds, added up. held_since: A hold runs.
        limit_s: Time limit of its business.
    """

    queued_at: datetime
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    held_ms: int = 0
    held_since: datetime | None = None
    stars: int | None = None
    limit_s: int = DEFAULT_LIMIT_S


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over calls. Times in whole milliseconds, so that adding and taking away leaves no trace.

    Attributes:
        offered: Joined the queue. answered: A teller took it. in_time: … within `SERVICE_LEVEL_S`.
        abandoned: Ended without an answer after `SHORT_ABANDON_S` or more; short_abandoned: before.
        handled: Answered and wrapped up; only these have a handling time.
        overtime: Handled calls whose talk and hold ran over the limit of the business.
        satisfied: Rated with `SATISFIED_STARS` or more.
    """

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    wait_answered_ms: int = 0
    wait_abandoned_ms: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    overtime: int = 0
    rated: int = 0
    stars: int = 0
    satisfied: int = 0
    low: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in TALLY_FIELDS))

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) - getattr(other, name) for name in TALLY_FIELDS))

    @classmethod
    def sum(cls, tallies: Iterable["Tally"]) -> Self:
        """All of them together."""
        total = Tally()
        for tally in tallies:
            total = total + tally
        return cls(*(getattr(total, name) for name in TALLY_FIELDS))


TALLY_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Tally))


def ms(span: timedelta) -> int:
    """Whole milliseconds, cut off: the same on every way to the number."""
    return span // timedelta(milliseconds=1)


def tally_of(call: CallTimes) -> Tally:
    """What one call adds."""
    tally = Tally(offered=1)
    if call.accepted_at is not None:
        wait_ms = ms(call.accepted_at - call.queued_at)
        tally = replace(tally, answered=1, in_time=int(wait_ms <= SERVICE_LEVEL_S * 1000), wait_answered_ms=wait_ms)
    elif call.ended_at is not None:
        wait_ms = ms(call.ended_at - call.queued_at)
        short = int(wait_ms < SHORT_ABANDON_S * 1000)
        tally = replace(tally, abandoned=1 - short, short_abandoned=short, wait_abandoned_ms=wait_ms * (1 - short))
    if call.accepted_at is not None and call.ended_at is not None and call.closed_at is not None:
        in_call_ms = ms(call.ended_at - call.accepted_at)
        tally = replace(
            tally,
            handled=1,
            talk_ms=in_call_ms - call.held_ms,
            hold_ms=call.held_ms,
            wrap_ms=ms(call.closed_at - call.ended_at),
            overtime=int(in_call_ms > call.limit_s * 1000),
        )
    if call.stars is not None:
        tally = replace(
            tally,
            rated=1,
            stars=call.stars,
            satisfied=int(call.stars >= SATISFIED_STARS),
            low=int(call.stars <= LOW_STARS),
        )
    return tally


def ratio(part: float, whole: float) -> float | None:
    """A share, or None where there is nothing to have a share in: no calls are neither good nor bad."""
    return part / whole if whole else None


def decided(tally: Tally) -> int:
    """Calls whose fate is known and that count: answered, or abandoned after a real wait."""
    return tally.answered + tally.abandoned


def service_level(tally: Tally) -> float | None:
    """Share of the decided calls that were answered in time."""
    return ratio(tally.in_time, decided(tally))


def answer_rate(tally: Tally) -> float | None:
    """Share of the decided calls that were answered."""
    return ratio(tally.answered, decided(tally))


def abandon_rate(tally: Tally) -> float | None:
    """Share of the decided calls whose customer gave up."""
    return ratio(tally.abandoned, decided(tally))


def asa_s(tally: Tally) -> float | None:
    """Average speed of answer."""
    return ratio(tally.wait_answered_ms / 1000, tally.answered)


def aht_s(tally: Tally) -> float | None:
    """Average handling time: talk + hold + wrap-up of the handled calls."""
    return ratio((tally.talk_ms + tally.hold_ms + tally.wrap_ms) / 1000, tally.handled)


def satisfaction(tally: Tally) -> float | None:
    """Share of the ratings with 4 or 5 stars."""
    return ratio(tally.satisfied, tally.rated)


def stars_average(tally: Tally) -> float | None:
    """Mean of the stars."""
    return ratio(tally.stars, tally.rated)


def response_rate(tally: Tally) -> float | None:
    """Share of the answered calls that were rated."""
    return ratio(tally.rated, tally.answered)


def overtime_rate(tally: Tally) -> float | None:
    """Share of the handled calls that ran over the limit of their business."""
    return ratio(tally.overtime, tally.handled)


def occupancy(busy_ms: int, ready_ms: int) -> float | None:
    """Share of the time on duty (breaks are not) that a teller was offered, in a call or wrapping up."""
    return ratio(busy_ms, busy_ms + ready_ms)
