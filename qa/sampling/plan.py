"""A sample plan and what it asks about a call. Pure data, validated when it is edited."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Code = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]


class Dimension(StrEnum):
    """What strata are made of."""

    TELLER = "teller"
    TEAM = "team"
    BUSINESS = "business"
    RISK = "risk"
    SCORE = "score"
    FLAGS = "flags"
    DURATION = "duration"


class Risk(StrEnum):
    """How much could go wrong in a call."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Period(StrEnum):
    """How often a plan draws."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Teller(_Model):
    """A teller who had a call, and the team of that time."""

    teller_id: str
    team: str | None = None


class Unit(_Model):
    """One call of the frame: what can be known about it without listening.

    Attributes:
        teller_id / team: Who had it last. others: who had it before handing it on; it is a call of each of them.
        score: The machine's points; None without a pre-score.
        fatal: The machine found something fatal.
        flags: Names of what the rules found, e.g. ``forbidden:promise_return``.
    """

    call_id: str
    teller_id: str
    team: str | None = None
    business: str
    risk: Risk
    score: Decimal | None = None
    fatal: bool = False
    flags: tuple[str, ...] = ()
    duration_s: int = Field(ge=0)
    others: tuple[Teller, ...] = ()

    @property
    def tellers(self) -> tuple[Teller, ...]:
        """Everybody who had the call."""
        return (Teller(teller_id=self.teller_id, team=self.team), *self.others)

    def as_call_of(self, teller: Teller) -> "Unit":
        """The call as this teller's alone."""
        return self.model_copy(update={"teller_id": teller.teller_id, "team": teller.team, "others": ()})

    def as_json(self) -> dict[str, Any]:
        """Plain data, as it is kept with a draw. Draws made before calls were handed on have no `others`."""
        return self.model_dump(mode="json", exclude=None if self.others else {"others"})

    def value(self, dimension: Dimension) -> str:
        """This call's class in one dimension."""
        return _VALUES[dimension](self)


class StratumRate(_Model):
    """Another percentage for calls of this class; the first that fits counts."""

    dimension: Dimension
    value: Code
    percent: Decimal = Field(ge=0, le=100)


class Plan(_Model):
    """The order itself.

    Attributes:
        percent: Share of each stratum, rounded up. rates: other shares for some classes.
        minimum: Calls per teller and period, also when the percentage gives fewer.
        rollover: Calls per teller at most that an empty period may owe the next ones.
        risk_weighted: Within a stratum, calls of medium risk are drawn twice and of high risk four times as readily.
        all_fatal: Every call in which the machine found something fatal.
        businesses / teams: Only these; empty means all. min_duration_s: shorter calls are left out.
        cap: Open tasks at most that one inspector is given. due_days: Days to inspect a call.
    """

    period: Period = Period.DAY
    strata: tuple[Dimension, ...] = Field(default=(Dimension.TELLER,), max_length=4)
    percent: Decimal = Field(default=Decimal(5), ge=0, le=100, decimal_places=2)
    rates: tuple[StratumRate, ...] = Field(default=(), max_length=40)
    minimum: int = Field(default=1, ge=0, le=1000)
    rollover: int = Field(default=0, ge=0, le=1000)
    risk_weighted: bool = True
    all_fatal: bool = True
    businesses: tuple[Code, ...] = Field(default=(), max_length=100)
    teams: tuple[Code, ...] = Field(default=(), max_length=100)
    min_duration_s: int = Field(default=10, ge=0, le=86_400)
    cap: int = Field(default=40, ge=1, le=1000)
    due_days: int = Field(default=3, ge=1, le=90)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.strata)) != len(self.strata):
            raise ValueError("each dimension once")
        return self

    def includes(self, unit: Unit) -> bool:
        """Whether the call can be drawn at all."""
        return (
            unit.duration_s >= self.min_duration_s
            and (not self.businesses or unit.business in self.businesses)
            and bool(self.shares(unit))
        )

    def shares(self, unit: Unit) -> list[Unit]:
        """The call once for each of its tellers whom the plan is about."""
        return [
            unit.as_call_of(teller) for teller in unit.tellers if not self.teams or (teller.team or "") in self.teams
        ]

    def stratum(self, unit: Unit) -> str:
        """The name of the stratum of one teller's call, e.g. ``teller=staff_1/risk=high``."""
        return "/".join(f"{dimension.value}={unit.value(dimension)}" for dimension in self.strata) or "all"

    def rate(self, unit: Unit) -> Decimal:
        """The percentage that counts for one teller's call."""
        fitting = (rate.percent for rate in self.rates if unit.value(rate.dimension) == rate.value)
        return next(fitting, self.percent)


def risk_of(recording_required: bool, flags: tuple[str, ...]) -> Risk:
    """High with danger or forbidden words or a complaint; medium where recording is compulsory or a duty not heard."""
    kinds = {flag.split(":")[0] for flag in flags}
    if kinds & {"danger", "forbidden", "complaint"}:
        return Risk.HIGH
    return Risk.MEDIUM if recording_required or kinds else Risk.LOW


def period_end(period: Period, begin: datetime, zone_offset: timedelta) -> datetime:
    """End of the period that begins at or runs at `begin`, at midnight of the bank's time.

    Args:
        begin: Aware UTC. zone_offset: Of the bank's local time, e.g. +8 h.
    """
    day = _local_midnight(begin, zone_offset)
    if period is Period.DAY:
        end = day + timedelta(days=1)
    elif period is Period.WEEK:
        end = day + timedelta(days=7 - day.weekday())
    else:
        end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (end - zone_offset).replace(tzinfo=UTC)


def period_begin(period: Period, at: datetime, zone_offset: timedelta) -> datetime:
    """Begin of the period that runs at `at`; see `period_end`."""
    day = _local_midnight(at, zone_offset)
    if period is Period.WEEK:
        day -= timedelta(days=day.weekday())
    elif period is Period.MONTH:
        day = day.replace(day=1)
    return (day - zone_offset).replace(tzinfo=UTC)


def _local_midnight(at: datetime, zone_offset: timedelta) -> datetime:
    local = at.astimezone(UTC).replace(tzinfo=None) + zone_offset
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _score_band(score: Decimal | None) -> str:
    if score is None:
        return "none"
    return "below_60" if score < 60 else "60_to_79" if score < 80 else "80_to_94" if score < 95 else "95_up"


def _duration_band(duration_s: int) -> str:
    return "short" if duration_s < 180 else "medium" if duration_s < 600 else "long"


_VALUES: dict[Dimension, Callable[[Unit], str]] = {
    Dimension.TELLER: lambda unit: unit.teller_id,
    Dimension.TEAM: lambda unit: unit.team or "",
    Dimension.BUSINESS: lambda unit: unit.business,
    Dimension.RISK: lambda unit: unit.risk.value,
    Dimension.SCORE: lambda unit: _score_band(unit.score),
    Dimension.FLAGS: lambda unit: "flagged" if unit.flags else "clean",
    Dimension.DURATION: lambda unit: _duration_band(unit.duration_s),
}
