"""Whole local days as instants."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import BadInputError

LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Period:
    """Days `first` to `last`, both inclusive, where the bank is."""

    first: date
    last: date
    timezone: str

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.last - self.first < timedelta(days=LONGEST_DAYS):
            raise BadInputError("the days must be in order and not more than 400", code="statistics.bad_period")

    @property
    def since(self) -> datetime:
        """Its first instant."""
        return midnight(self.first, self.timezone)

    @property
    def until(self) -> datetime:
        """The instant after it."""
        return midnight(self.last + timedelta(days=1), self.timezone)


def midnight(day: date, timezone: str) -> datetime:
    """When a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def today(now: datetime, timezone: str) -> date:
    """The local day."""
    return now.astimezone(ZoneInfo(timezone)).date()


def month_of(month: str, timezone: str) -> Period:
    """``2026-03`` as a period."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(first, following - timedelta(days=1), timezone)


def month_before(month: str) -> str:
    """The month before it."""
    return (date.fromisoformat(f"{month}-01") - timedelta(days=1)).strftime("%Y-%m")
