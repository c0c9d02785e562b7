"""What the wallboard keeps in its head: one small record per call, teller, alarm and request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.figures.definitions import DEFAULT_LIMIT_S, CallTimes, Tally, ms

Hold = tuple[datetime, datetime | None]
WAITING = ("queued", "offered")
RUNNING = ("accepted", "connected")


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call of today, or an older one that still runs.

    Attributes:
        state_at: When it came to its state; facts older than this do not move it back.
    """

    call_id: str
    number: int | None
    business_code: str
    state: str
    state_at: datetime = field(compare=False)
    queued_at: datetime
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    teller_id: str | None = None
    holds: tuple[Hold, ...] = ()
    stars: int | None = None

    @property
    def held_since(self) -> datetime | None:
        """Since when the customer is on hold; None: is not."""
        return self.holds[-1][0] if self.holds and self.holds[-1][1] is None else None

    def times(self, limit_s: int = DEFAULT_LIMIT_S) -> CallTimes:
        """As `core.figures` counts it."""
        held_ms = sum(ms(until - since) for since, until in self.holds if until is not None)
        return CallTimes(
            self.queued_at,
            self.accepted_at,
            self.ended_at,
            self.closed_at,
            held_ms,
            self.held_since,
            self.stars,
            limit_s,
        )

    @property
    def decided_at(self) -> datetime | None:
        """When it was answered or given up."""
        return self.accepted_at or self.ended_at


@dataclass(frozen=True, slots=True)
class TellerFacts:
    """What a teller does since when, and how long of today was spent in each state before that."""

    teller_id: str
    state: str
    reason: str
    since: datetime
    spent_ms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """An alarm that stands."""

    alarm_id: str
    kind: str
    call_id: str | None
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HelpFacts:
    """A request for help nobody has taken."""

    help_id: str
    kind: str
    teller_id: str
    call_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EmergencyFacts:
    """The emergency that lasts."""

    emergency_id: str
    drill: bool
    stop_entry: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """Today's sums of one queue, and since when two of its figures are below what is aimed at."""

    tally: Tally = field(default_factory=Tally)
    level_bad_since: datetime | None = None
    answers_bad_since: datetime | None = None
