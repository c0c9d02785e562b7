"""How long something is kept. Pure: a table of (class of data × starting event × duration), the longest wins.

A rule counts when its event applies to the thing. An event that applies and has not happened yet (a product that still
runs, an open dispute) keeps it without end. A legal hold wins over everything. Floors cannot be undercut by any rule.
Without a rule that applies nothing is deleted.
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal


class DataClass(StrEnum):
    """What is deleted together."""

    RECORDING = "recording"  # files, small pictures, exports, evidence packages
    CONVERSATION = "conversation"  # transcripts, chat with its pictures, words quoted by findings and alerts
    BUSINESS = "business"  # identity, forms, documents, signatures, vouchers, postings, reviews
    SERVICE = "service"  # consents, rating, tickets, notices, callbacks, notes
    TIMELINE = "timeline"  # facts about the call as they happened, and what other systems were told
    CONTACT = "contact"  # bookings and forms filled in beforehand of customers who never came


class StartEvent(StrEnum):
    """When a duration begins."""

    CALL_ENDED = "call_ended"
    BUSINESS_DONE = "business_done"  # identity seen or a transaction made: the newest case of the call has ended
    PRODUCT_END = "product_end"  # of the product sold in the call, where somebody has entered it
    DISPUTE_RESOLVED = "dispute_resolved"  # tickets, appeals, rectifications, fraud alerts, unclear postings
    EXPIRED = "expired"  # of a booking or a form filled in beforehand


Unit = Literal["days", "months"]


@dataclass(frozen=True, slots=True)
class Duration:
    """So many days, or calendar months; the 31st of a month ends on the last day of a shorter one."""

    amount: int
    unit: Unit

    def after(self, start: datetime) -> datetime:
        """When it is over. Beyond the year 9999: the end of it."""
        try:
            if self.unit == "days":
                return start + timedelta(days=self.amount)
            year, month = divmod(start.year * 12 + start.month - 1 + self.amount, 12)
            last = calendar.monthrange(year, month + 1)[1]
            return start.replace(year=year, month=month + 1, day=min(start.day, last))
        except (OverflowError, ValueError):
            return datetime.max.replace(tzinfo=start.tzinfo)

    @property
    def least_days(self) -> int:
        """How many days it has at least, whenever it begins."""
        return self.amount if self.unit == "days" else _least_days_of_months(self.amount)

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


@lru_cache(maxsize=256)
def _least_days_of_months(amount: int) -> int:
    # Begun on any day of these eight years, within which 2100 has no leap day: there the months are fewest.
    starts = (datetime(2097, 1, 1) + timedelta(days=day) for day in range(8 * 365 + 1))
    return min((Duration(amount, "months").after(start) - start).days for start in starts)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    data_class: DataClass
    event: StartEvent
    duration: Duration

    def __str__(self) -> str:
        return f"{self.event}+{self.duration}"


def _days(amount: int) -> Duration:
    return Duration(amount, "days")


def _months(amount: int) -> Duration:
    return Duration(amount, "months")


_C, _E = DataClass, StartEvent
_OF_A_CALL = (_C.RECORDING, _C.CONVERSATION, _C.BUSINESS, _C.SERVICE, _C.TIMELINE)

FLOORS: tuple[Rule, ...] = (
    *(Rule(each, _E.CALL_ENDED, _days(180)) for each in (_C.RECORDING, _C.CONVERSATION, _C.BUSINESS, _C.SERVICE)),
    Rule(_C.TIMELINE, _E.CALL_ENDED, _months(6)),
    Rule(_C.CONTACT, _E.EXPIRED, _days(180)),
    Rule(_C.RECORDING, _E.PRODUCT_END, _months(6)),
    Rule(_C.BUSINESS, _E.BUSINESS_DONE, _months(120)),
    *(Rule(each, _E.DISPUTE_RESOLVED, _days(0)) for each in _OF_A_CALL),
)
"""What law and the bank's own rules ask at least: 180 days in any case, logs 6 months, a product's end and 6 months,
identity and transactions 10 years, disputes until they are resolved."""

DEFAULTS: tuple[Rule, ...] = (
    *(Rule(each, _E.CALL_ENDED, _days(180)) for each in (_C.RECORDING, _C.CONVERSATION, _C.BUSINESS)),
    Rule(_C.SERVICE, _E.CALL_ENDED, _months(12)),
    Rule(_C.TIMELINE, _E.CALL_ENDED, _months(12)),
    Rule(_C.CONTACT, _E.EXPIRED, _days(180)),
    # Most products have no fixed end; where there is one and it is entered, it counts as well.
    Rule(_C.RECORDING, _E.BUSINESS_DONE, _months(12)),
    Rule(_C.RECORDING, _E.PRODUCT_END, _months(6)),
    Rule(_C.CONVERSATION, _E.BUSINESS_DONE, _months(12)),
    Rule(_C.CONVERSATION, _E.PRODUCT_END, _months(6)),
    Rule(_C.BUSINESS, _E.BUSINESS_DONE, _months(120)),
    Rule(_C.SERVICE, _E.BUSINESS_DONE, _months(120)),
    Rule(_C.TIMELINE, _E.BUSINESS_DONE, _months(120)),
    *(Rule(each, _E.DISPUTE_RESOLVED, _days(0)) for each in _OF_A_CALL),
)
"""Used where the bank has not set a line of its own."""

LONGEST_MONTHS = 1200
EVENTS: dict[DataClass, tuple[StartEvent, ...]] = {
    **dict.fromkeys(_OF_A_CALL, (_E.CALL_ENDED, _E.BUSINESS_DONE, _E.PRODUCT_END, _E.DISPUTE_RESOLVED)),
    _C.CONTACT: (_E.EXPIRED,),
}
"""Which events a class can begin with."""


def floor_of(data_class: DataClass, event: StartEvent) -> Duration | None:
    """The least duration of a line; None: there is none."""
    return next((rule.duration for rule in FLOORS if (rule.data_class, rule.event) == (data_class, event)), None)


Problem = Literal["no_such_line", "too_long", "below_floor"]


def problem_of(rule: Rule) -> Problem | None:
    """Why a line cannot be set; None when it can."""
    if rule.event not in EVENTS[rule.data_class]:
        return "no_such_line"
    if rule.duration.least_days > _months(LONGEST_MONTHS).least_days:
        return "too_long"
    floor = floor_of(rule.data_class, rule.event)
    return "below_floor" if floor is not None and rule.duration.least_days < floor.least_days else None


Why = Literal["hold", "not_over", "no_rule", "kept", "due"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may be deleted.

    Attributes:
        why: ``hold`` (a legal hold), ``not_over`` (an event has not happened yet), ``no_rule`` (nothing says how
            long), ``kept`` (until `kept_until`), ``due``.
        rule: The one that keeps it longest. kept_until: Its end; None where there is no end in sight.
    """

    why: Why
    rule: Rule | None = None
    kept_until: datetime | None = None

    @property
    def due(self) -> bool:
        """Whether it may be deleted now."""
        return self.why == "due"


def decide(
    data_class: DataClass,
    events: Mapping[StartEvent, datetime | None],
    rules: Iterable[Rule],
    held: bool,
    now: datetime,
) -> Decision:
    """Whether a class of data of one thing may be deleted at `now`.

    Args:
        events: Which events apply to it and when they happened; None: not yet.
        rules: The bank's table. The floors count in any case.
        held: Whether a legal hold is on it.
    """
    mine = [rule for rule in (*rules, *FLOORS) if rule.data_class == data_class and rule.event in events]
    running = next((rule for rule in mine if events[rule.event] is None), None)
    ends = [(rule.duration.after(start), rule) for rule in mine if (start := events[rule.event]) is not None]
    until, longest = max(ends, key=lambda end: end[0]) if ends else (None, None)
    if held:
        return Decision("hold", running or longest, None if running else until)
    if running is not None:
        return Decision("not_over", running)
    if until is None:
        return Decision("no_rule")
    return Decision("due" if until <= now else "kept", longest, until)
