"""Reports by any dimension, and the list of calls behind every number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.figures import definitions
from core.figures.definitions import DEFAULT_LIMIT_S, TALLY_FIELDS
from core.figures.limits import limits_s
from core.figures.sql import CALLS, DIMENSIONS, Sums, parameters, tallies
from core.models.business import Business
from core.models.staff import Staff
from server.statistics.period import Period
from server.statistics.presence import occupancy_of, spent_ms
from server.statistics.schemas import By, Measure, StatsCall, StatsCalls, StatsFigures, StatsReport, StatsRow

LISTED = 500
MEASURES = frozenset({*TALLY_FIELDS, "settled", "resolved_first", "estimated", "inspected", "faulty"})


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls a report is about; None: all."""

    business: str | None = None
    teller: str | None = None
    team: str | None = None

    def where(self) -> tuple[str, dict[str, str]]:
        """As SQL over the columns of `core.figures.sql.CALLS`."""
        given = {"business_code": self.business, "teller_id": self.teller, "team": self.team}
        parts = [f"{column} = :only_{column}" for column, value in given.items() if value is not None]
        return " and ".join(parts) or "true", {
            f"only_{name}": value for name, value in given.items() if value is not None
        }


class Reports:
    """Reads; writes nothing."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database = database
        self._timezone = timezone

    async def report(self, by: By, first: date, last: date, only: Filter) -> StatsReport:
        """A line per key of the dimension and the total.

        Raises:
            BadInputError: ``statistics.bad_period``.
        """
        period = Period(first, last, self._timezone)
        async with self._database.read() as session:
            values = await self._values(session, period)
            where, given = only.where()
            found = await tallies(session, by, where, values | given)
            occupied = await self._occupied(session, by, period) if by in ("teller", "team") else {}
            labels = await _labels(session, by)
        now = self._database.clock.now()
        rows = [
            StatsRow(
                key=key,
                label_zh=labels.get(key, ("（无）", "(none)") if key is None else (key, key))[0],
                label_en=labels.get(key, ("（无）", "(none)") if key is None else (key, key))[1],
                figures=figures(sums, occupied.get(key) if period.since <= now else None),
            )
            for key, sums in found.items()
        ]
        total = sum(found.values(), Sums())
        return StatsReport(by=by, since=first, until=last, rows=rows, total=figures(total, None))

    async def calls(
        self, measure: Measure, first: date, last: date, only: Filter, by: By | None, key: str | None
    ) -> StatsCalls:
        """The calls a number counts, newest first, at most `LISTED` of them."""
        period = Period(first, last, self._timezone)
        where, given = only.where()
        if by is not None:
            dimension = DIMENSIONS[by]
            where += f" and {dimension} is null" if key is None else f" and {dimension} = :key"
            given = given if key is None else given | {"key": key}
        assert measure in MEASURES  # also by the schema: it becomes part of the statement
        query = text(
            f"select *, (select display_name from staff where staff.id = teller_id) as display_name, "
            f"count(*) over () as found from ({CALLS}) calls "
            f"where {where} and {measure} > 0 order by queued_at desc limit {LISTED}"
        )
        async with self._database.read() as session:
            values = await self._values(session, period)
            rows = (await session.execute(query, values | given)).mappings().all()
        calls = [
            StatsCall(
                call_id=row["id"],
                number=row["number"],
                business_code=row["business_code"],
                teller_name=row["display_name"],
                queued_at=row["queued_at"],
                wait_s=None if row["wait_ms"] is None else row["wait_ms"] / 1000,
                in_call_s=None if row["in_call_ms"] is None else row["in_call_ms"] / 1000,
                end_reason=row["end_reason"],
                disposition=row["disposition"],
                stars=row["stars"],
            )
            for row in rows
        ]
        return StatsCalls(count=rows[0]["found"] if rows else 0, calls=calls)

    async def _values(self, session: AsyncSession, period: Period) -> dict[str, Any]:
        limits = await limits_s(session)
        return parameters(period.since, period.until, period.timezone, limits, DEFAULT_LIMIT_S)

    async def _occupied(self, session: AsyncSession, by: By, period: Period) -> Mapping[str | None, float | None]:
        until = min(period.until, self._database.clock.now())
        spent = await spent_ms(session, period.since, until)
        if by == "teller":
            return {teller_id: occupancy_of(states) for teller_id, states in spent.items()}
        teams = (await session.execute(select(Staff.id, Staff.team).where(col(Staff.id).in_(list(spent))))).all()
        together: dict[str | None, dict[str, int]] = {}
        for teller_id, team in teams:
            sums = together.setdefault(team, {})
            for state, span in spent[teller_id].items():
                sums[state] = sums.get(state, 0) + span
        return {team: occupancy_of(states) for team, states in together.items()}


def figures(sums: Sums, occupied: float | None) -> StatsFigures:
    """All ratios of a line."""
    tally = sums.tally
    per_call = {
        f"{part}_s": definitions.ratio(getattr(tally, f"{part}_ms") / 1000, tally.handled)
        for part in ("talk", "hold", "wrap")
    }
    return StatsFigures(
        offered=tally.offered,
        answered=tally.answered,
        in_time=tally.in_time,
        abandoned=tally.abandoned,
        short_abandoned=tally.short_abandoned,
        handled=tally.handled,
        rated=tally.rated,
        low=tally.low,
        service_level=definitions.service_level(tally),
        answer_rate=definitions.answer_rate(tally),
        abandon_rate=definitions.abandon_rate(tally),
        asa_s=definitions.asa_s(tally),
        aht_s=definitions.aht_s(tally),
        **per_call,
        satisfaction=definitions.satisfaction(tally),
        stars=definitions.stars_average(tally),
        response_rate=definitions.response_rate(tally),
        overtime=tally.overtime,
        overtime_rate=definitions.overtime_rate(tally),
        resolved_first=sums.resolved_first,
        settled=sums.settled,
        fcr=definitions.ratio(sums.resolved_first, sums.settled),
        occupancy=occupied,
        ewt_error_s=definitions.ratio(sums.off_s, sums.estimated),
    )


async def _labels(session: AsyncSession, by: By) -> dict[str | None, tuple[str, str]]:
    if by == "business":
        rows = (await session.execute(select(Business.code, Business.name_zh, Business.name_en))).all()
        return {code: (zh, en) for code, zh, en in rows}
    if by == "teller":
        people = (await session.execute(select(Staff.id, Staff.display_name, Staff.staff_number))).all()
        return {staff_id: (f"{name} {number}", f"{name} {number}") for staff_id, name, number in people}
    return {}


__all__ = ["Filter", "Reports", "figures"]
