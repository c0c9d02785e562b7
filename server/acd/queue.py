"""Reading the queue: snapshots for the dispatcher, places for the waiting."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.clock import Clock
from core.models.business import Business
from core.models.call import Call, CallOffer, CallState, TellerPresence, TellerState
from core.models.staff import Staff
from core.ports.calls import QueuePlace
from server.acd.decide import RECENT_S, ReadyTeller, Snapshot, WaitingCall, rank
from server.acd.estimate import QueueLoad, estimate

RECENT_CALLS = timedelta(hours=2)  # handling times of so long ago still tell of now
ON_DUTY = frozenset({TellerState.READY, TellerState.OFFERED, TellerState.IN_CALL, TellerState.WRAP_UP})


async def read_snapshot(session: AsyncSession, now: datetime) -> Snapshot:
    """Calls nobody rings for, and tellers who are ready."""
    waiting = select(Call, Business.skill_group).join(Business, col(Business.code) == col(Call.business_code))
    rows = (await session.execute(waiting.where(col(Call.state) == CallState.QUEUED.value))).all()
    refused: dict[str, dict[str, datetime]] = defaultdict(dict)
    if rows:
        refusals = select(CallOffer).where(
            col(CallOffer.call_id).in_([call.id for call, _ in rows]),
            col(CallOffer.outcome).in_(["timeout", "declined"]),
            col(CallOffer.ended_at) > now - timedelta(seconds=RECENT_S),
        )
        for offer in (await session.scalars(refusals.order_by(col(CallOffer.ended_at)))).all():
            if offer.ended_at is not None:
                refused[offer.call_id][offer.teller_id] = offer.ended_at
    calls = tuple(
        WaitingCall(call.id, group, call.priority, call.queued_at, call.version, refused[call.id])
        for call, group in rows
    )
    ready = select(TellerPresence, Staff.skill_groups).join(Staff, col(Staff.id) == col(TellerPresence.staff_id))
    ready = ready.where(
        col(TellerPresence.state) == TellerState.READY.value,
        col(Staff.active).is_(True),
        col(Staff.may_take_calls).is_(True),
    )
    tellers = tuple(
        ReadyTeller(presence.staff_id, frozenset(groups), presence.since, presence.version)
        for presence, groups in (await session.execute(ready)).all()
    )
    return Snapshot(calls, tellers)


class QueueBoard:
    """Implements `core.ports.calls.QueueView`."""

    def __init__(self, clock: Clock, ring_s: float) -> None:
        self._clock = clock
        self._ring_s = ring_s

    async def places(self, session: AsyncSession, call_ids: Collection[str]) -> dict[str, QueuePlace]:
        """Places of those of the calls that wait."""
        wanted = set(call_ids)
        waiting = (
            select(Call.id, Call.priority, Call.queued_at, Business.skill_group)
            .join(Business, col(Business.code) == col(Call.business_code))
            .where(col(Call.state).in_([CallState.QUEUED.value, CallState.OFFERED.value]))
        )
        by_group: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for call_id, priority, queued_at, group in (await session.execute(waiting)).all():
            by_group[group].append(rank(priority, queued_at, call_id))
        places: dict[str, QueuePlace] = {}
        for group, ranks in by_group.items():
            if not any(call_id in wanted for _, call_id in ranks):
                continue
            load = await self._load(session, group)
            for position, (_, call_id) in enumerate(sorted(ranks), 1):
                if call_id in wanted:
                    low_s, high_s = estimate(position, load) or (None, None)
                    places[call_id] = QueuePlace(position, low_s, high_s)
        return places

    async def _load(self, session: AsyncSession, group: str) -> QueueLoad:
        on_duty = (
            select(TellerPresence.state)
            .join(Staff, col(Staff.id) == col(TellerPresence.staff_id))
            .where(
                col(TellerPresence.state).in_([state.value for state in ON_DUTY]),
                col(Staff.skill_groups).contains([group]),
            )
        )
        states = (await session.scalars(on_duty)).all()
        # A ringing teller is as good as free: the call that rings there stands in the queue, too.
        free = sum(state in (TellerState.READY, TellerState.OFFERED) for state in states)
        handled = (
            select(func.count(), func.sum(func.extract("epoch", col(Call.closed_at) - col(Call.accepted_at))))
            .join(Business, col(Business.code) == col(Call.business_code))
            .where(
                col(Business.skill_group) == group,
                col(Call.accepted_at).is_not(None),
                col(Call.closed_at) > self._clock.now() - RECENT_CALLS,
            )
        )
        count, total = (await session.execute(handled)).one()
        return QueueLoad(free, len(states), count, float(total or 0.0), self._ring_s)
