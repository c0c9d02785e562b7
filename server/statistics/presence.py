"""How tellers spent a period, from the history of their presence in the outbox."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.events import TellerStateChanged
from core.figures.definitions import ms, occupancy
from core.models.system import OutboxEvent

BUSY = ("offered", "in_call", "wrap_up")
BEFORE = timedelta(hours=24)


async def spent_ms(session: AsyncSession, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    """Milliseconds by teller and state; a state that began before the period counts from its beginning on."""
    query = (
        select(OutboxEvent.payload)
        .where(
            col(OutboxEvent.type) == TellerStateChanged.__name__,
            col(OutboxEvent.at) >= since - BEFORE,
            col(OutboxEvent.at) < until,
        )
        .order_by(col(OutboxEvent.seq))
    )
    spent: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    now_in: dict[str, TellerStateChanged] = {}
    for payload in await session.scalars(query):
        fact = TellerStateChanged.model_validate_json(payload)
        before = now_in.get(fact.teller_id)
        if before is not None and fact.at > since:
            spent[fact.teller_id][before.state] += ms(fact.at - max(before.at, since))
        now_in[fact.teller_id] = fact
    for teller_id, last in now_in.items():
        spent[teller_id][last.state] += max(0, ms(until - max(last.at, since)))
    return {teller_id: dict(states) for teller_id, states in spent.items()}


def occupancy_of(spent: Mapping[str, int]) -> float | None:
    """See `core.figures.definitions.occupancy`."""
    return occupancy(sum(spent.get(state, 0) for state in BUSY), spent.get("ready", 0))
