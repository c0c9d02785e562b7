"""A fresh board from PostgreSQL: rows as they are, and today's history of the tellers from the outbox."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from core.events import TellerStateChanged
from core.figures.limits import limits_s
from core.models.call import Call, Rating, TellerPresence
from core.models.oversight import Emergency, HelpRequest
from core.models.system import Alarm, OutboxEvent
from server.wallboard.board import Board, stepped
from server.wallboard.facts import AlarmFacts, CallFacts, EmergencyFacts, HelpFacts, Hold, TellerFacts

BEFORE = timedelta(hours=24)  # a state older than this began no later than today did
ALARMS = 100


def day_start(now: datetime, timezone: str) -> datetime:
    """The midnight before, where the bank is."""
    local = now.astimezone(ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)


async def read_board(session: AsyncSession, start: datetime) -> Board:
    """The board of the day that began at `start`. Read it in one repeatable-read transaction."""
    return Board.of(
        start,
        await limits_s(session),
        await _calls(session, start),
        await _tellers(session, start),
        await _alarms(session),
        await _help(session),
        await _emergency(session),
    )


async def _calls(session: AsyncSession, start: datetime) -> list[CallFacts]:
    query = (
        select(Call, Rating.stars)
        .outerjoin(Rating, col(Rating.call_id) == col(Call.id))
        .where(or_(col(Call.queued_at) >= start, col(Call.closed_at).is_(None)))
    )
    return [call_facts(call, stars) for call, stars in (await session.execute(query)).all()]


def call_facts(call: Call, stars: int | None) -> CallFacts:
    """A row as the board keeps it."""
    holds: tuple[Hold, ...] = tuple(
        (_instant(hold["from"]), _instant(hold["to"]) if hold["to"] else None) for hold in call.holds
    )
    moments = [call.queued_at, call.offered_at, call.accepted_at, call.connected_at, call.ended_at, call.closed_at]
    return CallFacts(
        call_id=call.id,
        number=call.number,
        business_code=call.business_code,
        state=call.state,
        state_at=max(moment for moment in moments if moment is not None),
        queued_at=call.queued_at,
        accepted_at=call.accepted_at,
        ended_at=call.ended_at,
        closed_at=call.closed_at,
        teller_id=call.teller_id,
        holds=holds,
        stars=stars,
    )


def _instant(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


async def _tellers(session: AsyncSession, start: datetime) -> list[TellerFacts]:
    history = (
        select(OutboxEvent.payload)
        .where(col(OutboxEvent.type) == TellerStateChanged.__name__, col(OutboxEvent.at) >= start - BEFORE)
        .order_by(col(OutboxEvent.seq))
    )
    known: dict[str, TellerFacts] = {}
    for payload in (await session.scalars(history)).all():
        fact = TellerStateChanged.model_validate_json(payload)
        known[fact.teller_id] = stepped(known.get(fact.teller_id), fact, start)
    for row in (await session.scalars(select(TellerPresence))).all():
        before = known.get(row.staff_id)
        spent: Mapping[str, int] = before.spent_ms if before else {}
        known[row.staff_id] = TellerFacts(row.staff_id, row.state, row.reason, row.since, spent)
    return list(known.values())


async def _alarms(session: AsyncSession) -> list[AlarmFacts]:
    query = select(Alarm).where(col(Alarm.cleared_at).is_(None)).order_by(col(Alarm.raised_at).desc()).limit(ALARMS)
    rows = (await session.scalars(query)).all()
    return [AlarmFacts(row.id, row.kind, row.call_id, row.message, row.raised_at) for row in rows]


async def _help(session: AsyncSession) -> list[HelpFacts]:
    query = select(HelpRequest).where(col(HelpRequest.answered_at).is_(None))
    rows = (await session.scalars(query)).all()
    return [HelpFacts(row.id, row.kind, row.teller_id, row.call_id, row.at) for row in rows]


async def _emergency(session: AsyncSession) -> EmergencyFacts | None:
    query = select(Emergency).where(col(Emergency.ended_at).is_(None)).order_by(col(Emergency.started_at).desc())
    row = (await session.scalars(query.limit(1))).first()
    return EmergencyFacts(row.id, row.drill, row.stop_entry, row.started_at) if row else None
