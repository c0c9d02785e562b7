"""What a list begins with: calls and bookings old enough that something of them may be due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models import (
    Appointment,
    BusinessCase,
    Call,
    Callback,
    CallState,
    ChatMessage,
    Consent,
    NoticeMessage,
    OutboxEvent,
    Prefill,
    PurgeItem,
    PurgeItemState,
    PurgeRun,
    PurgeState,
    Rating,
    Recording,
    RecordingState,
    Ticket,
    Tombstone,
    Transcript,
)
from recording.retention.extent import Root
from recording.retention.facts import Events
from recording.retention.rules import FLOORS, DataClass, Rule, StartEvent

_THERE: dict[DataClass, Any] = {
    DataClass.RECORDING: exists().where(
        col(Recording.call_id) == col(Call.id), col(Recording.state) != RecordingState.DELETED
    ),
    DataClass.CONVERSATION: or_(
        exists().where(col(Transcript.call_id) == col(Call.id)),
        exists().where(col(ChatMessage.call_id) == col(Call.id)),
    ),
    DataClass.BUSINESS: or_(
        exists().where(col(BusinessCase.call_id) == col(Call.id)),
        exists().where(col(Prefill.visit_id) == col(Call.visit_id)),
    ),
    DataClass.SERVICE: or_(
        exists().where(col(Consent.visit_id) == col(Call.visit_id)),
        *(exists().where(col(table.call_id) == col(Call.id)) for table in (Rating, Ticket, NoticeMessage, Callback)),
    ),
    DataClass.TIMELINE: exists().where(col(OutboxEvent.call_id) == col(Call.id)),
}
"""Whether a call has anything of a class."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something of a class that may be due; `events` are known for bookings, those of calls are read later."""

    root: Root
    label: str
    events: Events | None = None
    call: Call | None = None


def _untouched(root_id: Any, data_class: DataClass) -> Any:
    """Neither deleted nor on a list that somebody still has to decide on or work off."""
    open_states = (PurgeState.LISTED, PurgeState.APPROVED)
    on_list = exists().where(
        col(PurgeItem.root_id) == root_id,
        col(PurgeItem.data_class) == data_class,
        col(PurgeItem.state).in_((PurgeItemState.LISTED, PurgeItemState.DELETING)),
        col(PurgeItem.run_id) == col(PurgeRun.id),
        col(PurgeRun.state).in_(open_states),
    )
    gone = exists().where(col(Tombstone.root_id) == root_id, col(Tombstone.data_class) == data_class)
    return and_(~on_list, ~gone)


def _begun_before(rules: Sequence[Rule], data_class: DataClass, event: StartEvent, now: datetime) -> datetime:
    """What began after this is certainly still kept: a coarse bound, so that not all calls ever held are looked at."""
    days = [
        rule.duration.least_days for rule in (*rules, *FLOORS) if (rule.data_class, rule.event) == (data_class, event)
    ]
    return datetime.fromtimestamp(max(0.0, now.timestamp() - max(days, default=0) * 86_400), now.tzinfo)


async def candidates(
    session: AsyncSession, data_class: DataClass, rules: Sequence[Rule], now: datetime, limit: int
) -> list[Candidate]:
    """The oldest candidates of a class."""
    if data_class is DataClass.CONTACT:
        return await _contacts(session, rules, now, limit)
    done_after = exists().where(
        col(BusinessCase.call_id) == col(Call.id),
        or_(col(BusinessCase.identity_level) > 0, col(BusinessCase.state) == "done"),
        col(BusinessCase.ended_at) > _begun_before(rules, data_class, StartEvent.BUSINESS_DONE, now),
    )
    query = (
        select(Call)
        .where(
            col(Call.state) == CallState.CLOSED,
            col(Call.ended_at) <= _begun_before(rules, data_class, StartEvent.CALL_ENDED, now),
            ~done_after,
            _THERE[data_class],
            _untouched(col(Call.id), data_class),
        )
        .order_by(col(Call.ended_at), col(Call.id))
        .limit(limit)
    )
    calls = (await session.scalars(query)).all()
    return [Candidate(Root("call", call.id, call.visit_id), str(call.number), call=call) for call in calls]


async def _contacts(session: AsyncSession, rules: Sequence[Rule], now: datetime, limit: int) -> list[Candidate]:
    before = _begun_before(rules, DataClass.CONTACT, StartEvent.EXPIRED, now)
    booked = (
        select(Appointment)
        .where(
            col(Appointment.visit_id).is_(None),
            col(Appointment.ends_at) <= before,
            _untouched(col(Appointment.id), DataClass.CONTACT),
        )
        .order_by(col(Appointment.ends_at))
        .limit(limit)
    )
    filled = (
        select(Prefill)
        .where(
            col(Prefill.visit_id).is_(None),
            col(Prefill.case_id).is_(None),
            col(Prefill.expires_at) <= before,
            _untouched(col(Prefill.id), DataClass.CONTACT),
        )
        .order_by(col(Prefill.expires_at))
        .limit(limit)
    )
    found = [
        Candidate(Root("appointment", row.id), f"{row.starts_at:%Y-%m-%d %H:%M}", {StartEvent.EXPIRED: row.ends_at})
        for row in (await session.scalars(booked)).all()
    ]
    found += [
        Candidate(Root("prefill", row.id), f"{row.created_at:%Y-%m-%d %H:%M}", {StartEvent.EXPIRED: row.expires_at})
        for row in (await session.scalars(filled)).all()
    ]
    return found[:limit]
