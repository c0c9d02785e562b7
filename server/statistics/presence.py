"""How tellers spent a period, from the history of their presence."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.figures.definitions import occupancy

BUSY = ("offered", "in_call", "wrap_up")
BEFORE = timedelta(hours=24)
"""Longer than a state on duty lasts: spans that began earlier than this before the period are not looked at."""

# What has ended, and what runs. Each is cut off at the ends of the period, and to whole milliseconds.
_SPENT = """
select teller_id, state, sum(floor(extract(epoch from
  least(ended_at, :until) - greatest(began_at, :since)) * 1000))::bigint as spent_ms
from (
  select teller_id, state, began_at, ended_at from teller_span
  where began_at >= :first and began_at < :until and ended_at > :since
  union all
  select staff_id, state, since, cast(:until as timestamptz) from teller_presence
  where since >= :first and since < :until
) spans
where cast(:only as text) is null or teller_id = :only
group by 1, 2
"""


async def spent_ms(
    session: AsyncSession, since: datetime, until: datetime, only: str | None = None
) -> dict[str, dict[str, int]]:
    """Milliseconds by teller and state; a state that began before the period counts from its beginning on.

    Args:
        until: Not after now. only: A teller; None: all.
    """
    given = {"since": since, "until": until, "first": since - BEFORE, "only": only}
    spent: dict[str, dict[str, int]] = defaultdict(dict)
    for teller_id, state, span in (await session.execute(text(_SPENT), given)).all():
        spent[teller_id][state] = span
    return dict(spent)


def occupancy_of(spent: Mapping[str, int]) -> float | None:
    """See `core.figures.definitions.occupancy`."""
    return occupancy(sum(spent.get(state, 0) for state in BUSY), spent.get("ready", 0))
