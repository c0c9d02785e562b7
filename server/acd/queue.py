"""Reading the queue: snapshots for the dispatcher, places for the waiting."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select, union_all

from core.clock import Clock
from core.models.call import Call, CallOffer, CallState, TellerPresence, TellerState
from core.models.handover import CallLeg, CallTransfer
from core.models.queue import Strategy
from core.models.staff import Staff
from core.ports.calls import QueuePlace
from server.acd.config import group_rules
from server.acd.decide import GroupRules, ReadyTeller, Snapshot, WaitingCall
from server.acd.estimate import QueueLoad, estimate

RECENT_CALLS = timedelta(hours=2)  # handling times of so long ago still tell of now
TODAY = timedelta(hours=14)  # a shift and its breaks: what counts as today's work
SPARE = 20  # heads of a queue looked at beyond the ready tellers, for those that were refused
REFUSALS = timedelta(minutes=10)
_WAITING = (CallState.QUEUED.value, CallState.OFFERED.value)

# As text, for it is asked by everybody who joins or looks. A ringing teller is as good as free: the call that rings
# there stands in the queue, too.
_OF_GROUP = """
  lateral (select count(*) filter (where p.state in ('ready', 'offered')) as free, count(*) as serving
   from teller_presence p join staff s on s.id = p.staff_id
   where p.state in ('ready', 'offered', 'in_call', 'wrap_up')
     and s.skill_groups @> jsonb_build_array(g.skill_group)) duty,
  lateral (select count(*) as handled, coalesce(sum(extract(epoch from h.closed_at - h.accepted_at)), 0) as handled_s
   from call h where h.skill_group = g.skill_group and h.accepted_at is not null and h.closed_at > :recently) done
"""
_LOAD = text(
    f"select free, serving, handled, handled_s from (select cast(:skill_group as text) as skill_group) g, {_OF_GROUP}"
)
_AHEAD = text(
    "select free, serving, handled, handled_s, (select count(*) from call b where b.skill_group = g.skill_group "
    "and b.state in ('queued', 'offered') and (b.rank_at, b.id) < (g.rank_at, g.id)) as ahead "
    f"from call g, {_OF_GROUP} "
    "where g.id = :call_id and g.state in ('queued', 'offered')"
)


async def read_snapshot(session: AsyncSession, now: datetime) -> Snapshot:
    """The heads of the queues that ready tellers can reach, and these tellers. Cheap however many wait."""
    rules = await group_rules(session)
    tellers = await _ready_tellers(session, now, rules)
    if not tellers:
        return Snapshot({}, ())
    skills = {group for teller in tellers for group in teller.skill_groups}
    groups = skills | {code for code, rule in rules.items() if skills & set(rule.overflow)}
    free = select(Call).where(col(Call.state) == CallState.QUEUED.value)
    is_named = col(Call.wanted_teller_id).is_not(None) & (col(Call.wanted_until) > now)
    heads = [
        free.where(col(Call.skill_group) == group, is_named.is_not(True))
        .order_by(col(Call.rank_at), col(Call.id))
        .limit(2 * len(tellers) + SPARE)
        for group in sorted(groups)
    ]
    handed = free.where(col(Call.wanted_teller_id).in_([teller.teller_id for teller in tellers]), is_named)
    found = (await session.scalars(select(Call).from_statement(union_all(*heads, handed)))).all()
    calls = await _waiting_calls(session, found, now)
    queues: dict[str, list[WaitingCall]] = defaultdict(list)
    for row in sorted(found, key=lambda row: (row.rank_at, row.id)):
        if calls[row.id].wanted is None:
            queues[row.skill_group].append(calls[row.id])
    return Snapshot(queues, tellers, rules, tuple(call for call in calls.values() if call.wanted is not None))


async def _waiting_calls(session: AsyncSession, rows: Sequence[Call], now: datetime) -> dict[str, WaitingCall]:
    refused: dict[str, dict[str, datetime]] = defaultdict(dict)
    if rung := [row.id for row in rows if row.offered_at is not None]:
        refusals = select(CallOffer.call_id, CallOffer.teller_id, func.max(CallOffer.ended_at)).where(
            col(CallOffer.call_id).in_(rung),
            col(CallOffer.outcome).in_(["timeout", "declined"]),
            col(CallOffer.ended_at) > now - REFUSALS,
        )
        grouped = refusals.group_by(col(CallOffer.call_id), col(CallOffer.teller_id))
        for call_id, teller_id, ended_at in (await session.execute(grouped)).all():
            if ended_at is not None:
                refused[call_id][teller_id] = ended_at
    handed_on: dict[str, set[str]] = defaultdict(set)
    if talked := [row.id for row in rows if row.accepted_at is not None]:
        transfers = select(CallTransfer).where(col(CallTransfer.call_id).in_(talked))
        for transfer in (await session.scalars(transfers)).all():
            if transfer.kind == "return":  # no reason never to meet again
                refused[transfer.call_id].setdefault(transfer.from_teller_id, transfer.at)
            else:
                handed_on[transfer.call_id].add(transfer.from_teller_id)
    return {
        row.id: WaitingCall(
            row.id,
            row.skill_group,
            (row.rank_at or row.queued_at).replace(tzinfo=UTC),
            row.queued_at,
            row.version,
            refused[row.id],
            frozenset(handed_on[row.id]),
            row.wanted_teller_id if row.wanted_until is not None and row.wanted_until > now else None,
        )
        for row in rows
    }


async def _ready_tellers(
    session: AsyncSession, now: datetime, rules: Mapping[str, GroupRules]
) -> tuple[ReadyTeller, ...]:
    ready = select(TellerPresence, Staff.skill_groups).join(Staff, col(Staff.id) == col(TellerPresence.staff_id))
    ready = ready.where(
        col(TellerPresence.state) == TellerState.READY.value,
        col(Staff.active).is_(True),
        col(Staff.may_take_calls).is_(True),
    )
    rows = (await session.execute(ready)).all()
    used = {rule.strategy for rule in rules.values()}
    ids = [presence.staff_id for presence, _ in rows]
    work: dict[str, tuple[int, float]] = {}
    if used & {Strategy.FEWEST_CALLS, Strategy.LEAST_TALK} and ids:
        talk = func.sum(func.extract("epoch", func.coalesce(CallLeg.ended_at, now) - CallLeg.began_at))
        legs = select(CallLeg.teller_id, func.count(), talk).where(
            col(CallLeg.teller_id).in_(ids), col(CallLeg.began_at) > now - TODAY
        )
        found = (await session.execute(legs.group_by(col(CallLeg.teller_id)))).all()
        work = {teller_id: (count, float(talk_s or 0.0)) for teller_id, count, talk_s in found}
    rung: dict[str, datetime] = {}
    if Strategy.ROUND_ROBIN in used and ids:
        rings = select(CallOffer.teller_id, func.max(CallOffer.offered_at)).where(
            col(CallOffer.teller_id).in_(ids), col(CallOffer.offered_at) > now - TODAY
        )
        found_rings = (await session.execute(rings.group_by(col(CallOffer.teller_id)))).all()
        rung = {teller_id: rung_at for teller_id, rung_at in found_rings if rung_at is not None}
    return tuple(
        ReadyTeller(
            presence.staff_id,
            frozenset(groups),
            presence.since,
            presence.version,
            *work.get(presence.staff_id, (0, 0.0)),
            rung.get(presence.staff_id),
        )
        for presence, groups in rows
    )


class QueueBoard:
    """Implements `core.ports.calls.QueueView`."""

    def __init__(self, clock: Clock, ring_s: float) -> None:
        self._clock = clock
        self._ring_s = ring_s

    async def places(self, session: AsyncSession, call_ids: Collection[str]) -> dict[str, QueuePlace]:
        """Places of those of the calls that wait."""
        wanted = set(call_ids)
        if len(wanted) == 1:
            return await self._place(session, next(iter(wanted)))
        asked = select(Call.skill_group).where(col(Call.id).in_(wanted), col(Call.state).in_(_WAITING)).distinct()
        places: dict[str, QueuePlace] = {}
        for group in (await session.scalars(asked)).all():
            order = (
                select(Call.id)
                .where(col(Call.skill_group) == group, col(Call.state).in_(_WAITING))
                .order_by(col(Call.rank_at), col(Call.id))
            )
            load = await self.load(session, group)
            for position, call_id in enumerate((await session.scalars(order)).all(), 1):
                if call_id in wanted:
                    places[call_id] = _place(position, load)
        return places

    async def line(self, session: AsyncSession) -> dict[str, QueuePlace]:
        """Places of all who wait, by visit: one query for all of them and one look at each group's tellers."""
        order = (
            select(Call.skill_group, Call.visit_id)
            .where(col(Call.state).in_(_WAITING))
            .order_by(col(Call.skill_group), col(Call.rank_at), col(Call.id))
        )
        places: dict[str, QueuePlace] = {}
        for group, waiting in groupby((await session.execute(order)).all(), key=lambda row: row[0]):
            load = await self.load(session, group)
            for position, (_, visit_id) in enumerate(waiting, 1):
                places[visit_id] = _place(position, load)
        return places

    async def _place(self, session: AsyncSession, call_id: str) -> dict[str, QueuePlace]:
        """One call's place: those before it are counted in the index."""
        found = (await session.execute(_AHEAD, {"call_id": call_id, **self._recent()})).first()
        return {call_id: _place(1 + found.ahead, self._load(found))} if found is not None else {}

    async def load(self, session: AsyncSession, group: str) -> QueueLoad:
        """What a wait in this group stands on."""
        return self._load((await session.execute(_LOAD, {"skill_group": group, **self._recent()})).one())

    def _recent(self) -> dict[str, datetime]:
        return {"recently": self._clock.now() - RECENT_CALLS}

    def _load(self, row: Row[Any]) -> QueueLoad:
        return QueueLoad(row.free, row.serving, row.handled, float(row.handled_s), self._ring_s)


def _place(position: int, load: QueueLoad) -> QueuePlace:
    low_s, high_s = estimate(position, load) or (None, None)
    return QueuePlace(position, low_s, high_s)
