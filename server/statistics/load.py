"""Forecast of a day per half hour with the tellers it needs."""

from datetime import date, timedelta
from math import ceil

from sqlalchemy import text

from core.db import Database
from core.figures.definitions import DEFAULT_LIMIT_S, SERVICE_LEVEL_S, Tally, aht_s
from core.figures.forecast import SLOTS, TESTED_DAYS, WEEKS, error, forecast
from core.figures.limits import limits_s
from core.figures.sql import parameters, tallies
from core.figures.staffing import Load, tellers_needed
from server.statistics.period import Period, today
from server.statistics.schemas import ForecastSlot, LoadForecast

AIM = 0.72
USUAL_AHT_S = 8.2 * 60  # a bank's own mean, until there are calls enough
USUAL_PATIENCE_S = 600.0
SLOT_S = 1800
KNOWN_DAYS = WEEKS * 7 + TESTED_DAYS + 7


class LoadForecasts:
    """Reads; writes nothing."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database = database
        self._timezone = timezone

    async def of(self, day: date, business: str | None) -> LoadForecast:
        """The day's load, what it needs, and how wrong the rule has been lately."""
        first = day - timedelta(days=KNOWN_DAYS)
        history = await self._history(first, day, business)
        now_day = today(self._database.clock.now(), self._timezone)
        known = {each: counts for each, counts in history.items() if each < min(day, now_day)}
        aht, patience = await self._handling(first, day, business)
        expected = forecast(known, day) or (0.0,) * SLOTS
        slots = []
        for slot, calls in enumerate(expected):
            patient = Load(calls, SLOT_S, aht)
            leaving = Load(calls, SLOT_S, aht, patience)
            real = history.get(day, (0,) * SLOTS)[slot] if day <= now_day else None
            slots.append(
                ForecastSlot(
                    at=f"{slot // 2:02d}:{slot % 2 * 30:02d}",
                    expected=round(calls, 1),
                    real=real,
                    tellers=tellers_needed(leaving, AIM, SERVICE_LEVEL_S),
                    tellers_patient=tellers_needed(patient, AIM, SERVICE_LEVEL_S),
                )
            )
        return LoadForecast(
            day=day,
            error=error(known, min(day, now_day)),
            aht_s=round(aht, 1),
            patience_s=round(patience, 1),
            service_level=AIM,
            within_s=SERVICE_LEVEL_S,
            slots=slots,
        )

    async def _history(self, first: date, last: date, business: str | None) -> dict[date, tuple[int, ...]]:
        """Calls per half hour of every day since the first one with a call."""
        period = Period(first, last, self._timezone)
        local = "queued_at at time zone :timezone"
        slot = f"(extract(hour from {local}) * 2 + floor(extract(minute from {local}) / 30))::int"
        query = text(
            f"select to_char({local}, 'YYYY-MM-DD') as day, {slot} as slot, count(*) as calls "
            "from call where queued_at >= :since and queued_at < :until "
            "and (cast(:business as text) is null or business_code = :business) group by 1, 2"
        )
        given = {"since": period.since, "until": period.until, "timezone": self._timezone, "business": business}
        counts: dict[date, list[int]] = {}
        async with self._database.read() as session:
            for row in (await session.execute(query, given)).mappings().all():
                counts.setdefault(date.fromisoformat(row["day"]), [0] * SLOTS)[row["slot"]] = row["calls"]
        if not counts:
            return {}
        days = (min(counts) + timedelta(days=back) for back in range((last - min(counts)).days + 1))
        return {day: tuple(counts.get(day, [0] * SLOTS)) for day in days}

    async def _handling(self, first: date, last: date, business: str | None) -> tuple[float, float]:
        """Mean handling time, and mean patience: all waiting over those who gave up (censored exponential)."""
        period = Period(first, last, self._timezone)
        where = "true" if business is None else "business_code = :only"
        given = {} if business is None else {"only": business}
        async with self._database.read() as session:
            values = parameters(period.since, period.until, self._timezone, await limits_s(session), DEFAULT_LIMIT_S)
            found = await tallies(session, "business", where, values | given)
        tally = Tally.sum(each.tally for each in found.values())
        aht = aht_s(tally) or USUAL_AHT_S
        waited_s = (tally.wait_answered_ms + tally.wait_abandoned_ms) / 1000
        patience = waited_s / tally.abandoned if tally.abandoned else USUAL_PATIENCE_S
        return max(1.0, aht), max(1.0, float(ceil(patience)))
