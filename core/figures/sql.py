"""The same definitions as `core.figures.definitions`, said to PostgreSQL: a month is added up where it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.figures.definitions import (
    LOW_STARS,
    SATISFIED_STARS,
    SERVICE_LEVEL_S,
    SHORT_ABANDON_S,
    TALLY_FIELDS,
    Tally,
)

FCR_DAYS = 7  # who comes again for the same within so long was not helped the first time

# Calls whose customer came again. Looked for in one go: a look per call costs as much as all the rest.
_AGAIN = f"""
with again as materialized (
  select distinct one.id from call one
  join call other on other.visit_id = one.visit_id and other.business_code = one.business_code
    and other.queued_at > one.queued_at and other.queued_at < one.queued_at + interval '{FCR_DAYS} days'
  where one.queued_at >= :since and one.queued_at < :until
)
"""

# One row per call of the period. Spans are cut off to whole milliseconds, as in `definitions.ms`.
CALLS = f"""{_AGAIN}
select c.id, c.number, c.business_code, c.teller_id, s.team, c.queued_at, c.accepted_at, c.ended_at, c.end_reason,
  c.disposition, r.stars, m.wait_ms, m.in_call_ms,
  1 as offered,
  (c.accepted_at is not null)::int as answered,
  (c.accepted_at is not null and m.wait_ms <= {SERVICE_LEVEL_S * 1000})::int as in_time,
  (m.gave_up and m.wait_ms >= {SHORT_ABANDON_S * 1000})::int as abandoned,
  (m.gave_up and m.wait_ms < {SHORT_ABANDON_S * 1000})::int as short_abandoned,
  case when c.accepted_at is not null then m.wait_ms else 0 end as wait_answered_ms,
  case when m.gave_up and m.wait_ms >= {SHORT_ABANDON_S * 1000} then m.wait_ms else 0 end as wait_abandoned_ms,
  m.handled::int as handled,
  case when m.handled then m.in_call_ms - h.held_ms else 0 end as talk_ms,
  case when m.handled then h.held_ms else 0 end as hold_ms,
  case when m.handled then floor(extract(epoch from c.closed_at - c.ended_at) * 1000)::bigint else 0 end as wrap_ms,
  (m.handled and m.in_call_ms > coalesce(l.limit_s, :default_limit_s) * 1000)::int as overtime,
  (r.stars is not null)::int as rated,
  coalesce(r.stars, 0) as stars_sum,
  (coalesce(r.stars, 0) >= {SATISFIED_STARS})::int as satisfied,
  (r.stars is not null and r.stars <= {LOW_STARS})::int as low,
  (e.call_id is not null)::int as estimated,
  coalesce(abs(e.error_s), 0) as off_s,
  exists (select 1 from evaluation v where v.call_id = c.id and v.submitted_at is not null)::int as inspected,
  exists (select 1 from defect d where d.call_id = c.id)::int as faulty,
  (m.handled and coalesce(c.disposition, 'unspecified') <> 'unspecified')::int as settled,
  (m.handled and c.disposition = 'resolved' and not exists (
    select 1 from ticket t where t.call_id = c.id
  ) and again.id is null)::int as resolved_first
from call c
left join rating r on r.call_id = c.id
left join wait_estimate e on e.call_id = c.id and e.error_s is not null
left join again on again.id = c.id
left join staff s on s.id = c.teller_id
left join unnest(cast(:limit_codes as text[]), cast(:limits_s as int[])) as l(code, limit_s) on l.code = c.business_code
cross join lateral (
  select c.accepted_at is null and c.ended_at is not null as gave_up,
    c.accepted_at is not null and c.ended_at is not null and c.closed_at is not null as handled,
    floor(extract(epoch from coalesce(c.accepted_at, c.ended_at) - c.queued_at) * 1000)::bigint as wait_ms,
    floor(extract(epoch from c.ended_at - c.accepted_at) * 1000)::bigint as in_call_ms
) m
cross join lateral (
  select coalesce(sum(floor(extract(epoch from
    (hold->>'to')::timestamptz - (hold->>'from')::timestamptz) * 1000)), 0)::bigint as held_ms
  from jsonb_array_elements(c.holds) hold where hold->>'to' is not null
) h
where c.queued_at >= :since and c.queued_at < :until
"""

DIMENSIONS: Mapping[str, str] = {
    "business": "business_code",
    "teller": "teller_id",
    "team": "team",
    "hour": "to_char(queued_at at time zone :timezone, 'HH24:00')",
    "day": "to_char(queued_at at time zone :timezone, 'YYYY-MM-DD')",
    "month": "to_char(queued_at at time zone :timezone, 'YYYY-MM')",
}
_COLUMNS = {name: "stars_sum" if name == "stars" else name for name in TALLY_FIELDS}
SUMS = ", ".join(f"coalesce(sum({column}), 0)::bigint as {name}" for name, column in _COLUMNS.items())


def parameters(
    since: datetime, until: datetime, timezone: str, limits: Mapping[str, int], default_s: int
) -> dict[str, Any]:
    """What `CALLS` and `DIMENSIONS` need."""
    return {
        "since": since,
        "until": until,
        "timezone": timezone,
        "limit_codes": list(limits),
        "limits_s": list(limits.values()),
        "default_limit_s": default_s,
    }


@dataclass(frozen=True, slots=True)
class Sums:
    """What the calls of one key add up to.

    Attributes:
        settled / resolved_first: Calls with a disposition, and those resolved at first contact.
        estimated / off_s: Answered calls that were told a range, and how far from it they waited altogether.
    """

    tally: Tally = field(default_factory=Tally)
    settled: int = 0
    resolved_first: int = 0
    estimated: int = 0
    off_s: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.tally + other.tally,
            self.settled + other.settled,
            self.resolved_first + other.resolved_first,
            self.estimated + other.estimated,
            self.off_s + other.off_s,
        )


async def tallies(
    session: AsyncSession, dimension: str, where: str, values: Mapping[str, Any]
) -> dict[str | None, Sums]:
    """Sums by a dimension's key; key None: no such thing.

    Args:
        dimension: A key of `DIMENSIONS`. where: A condition over the columns of `CALLS`, written by the caller.
    """
    key = DIMENSIONS[dimension]
    # The timezone is a literal of the settings: a bind parameter would make PostgreSQL see two different expressions.
    query = text(
        f"select {key} as key, {SUMS}, coalesce(sum(settled), 0)::bigint as settled, "
        f"coalesce(sum(resolved_first), 0)::bigint as resolved_first, "
        f"coalesce(sum(estimated), 0)::bigint as estimated, coalesce(sum(off_s), 0)::float8 as off_s "
        f"from ({CALLS}) calls where {where} group by 1 order by 1"
    )
    rows = (await session.execute(query, dict(values))).mappings().all()
    return {
        row["key"]: Sums(
            Tally(*(row[name] for name in TALLY_FIELDS)),
            row["settled"],
            row["resolved_first"],
            row["estimated"],
            row["off_s"],
        )
        for row in rows
    }
