"""What retention goes by: when the events of calls happened, and which legal holds are on them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.call import Call, CallState
from core.models.case import BusinessCase, CaseState
from core.models.fraud import FraudAlert
from core.models.improvement import Appeal, Rectification
from core.models.posting import Posting, PostingState
from core.models.recording import Recording, RecordingState
from core.models.retention import HoldState, LegalHold, PersonCall, ProductEnd, RetentionRule
from core.models.ticket import Ticket
from recording.retention.rules import DEFAULTS, DataClass, Duration, Rule, StartEvent

Events = dict[StartEvent, datetime | None]

_UNCLEAR = (PostingState.RUNNING, PostingState.UNDOING, PostingState.RECONCILE)


async def table_of(session: AsyncSession) -> list[Rule]:
    """The bank's table: its own lines, and the packaged ones it has not replaced."""
    own = {
        (row.data_class, row.event): Rule(
            DataClass(row.data_class),
            StartEvent(row.event),
            Duration(row.amount, "months" if row.unit == "months" else "days"),
        )
        for row in (await session.scalars(select(RetentionRule))).all()
    }
    return [*own.values(), *(rule for rule in DEFAULTS if (rule.data_class, rule.event) not in own)]


async def events_of(session: AsyncSession, calls: Sequence[Call]) -> dict[str, Events]:
    """The starting events of calls, by their ids. None: it will happen, but has not yet."""
    ids = [call.id for call in calls]
    found: dict[str, Events] = {
        call.id: {StartEvent.CALL_ENDED: call.ended_at if call.state == CallState.CLOSED else None} for call in calls
    }
    unfinished = (RecordingState.CAPTURING, RecordingState.CAPTURED)
    running = select(Recording.call_id).where(_in(Recording.call_id, ids), col(Recording.state).in_(unfinished))
    for call_id in (await session.scalars(running)).all():
        found[call_id][StartEvent.CALL_ENDED] = None
    counts = or_(col(BusinessCase.identity_level) > 0, col(BusinessCase.state).in_((CaseState.DONE, CaseState.RUNNING)))
    cases = select(BusinessCase.call_id, BusinessCase.ended_at).where(_in(BusinessCase.call_id, ids), counts)
    _latest(found, StartEvent.BUSINESS_DONE, (await session.execute(cases)).all())
    ends = select(ProductEnd.call_id, ProductEnd.ends_at).where(_in(ProductEnd.call_id, ids))
    _latest(found, StartEvent.PRODUCT_END, (await session.execute(ends)).all())
    disputes: list[Any] = []
    for query in (
        select(Ticket.call_id, Ticket.closed_at).where(_in(Ticket.call_id, ids)),
        select(Call.id, Ticket.closed_at)
        .join(Ticket, col(Ticket.visit_id) == col(Call.visit_id))
        .where(_in(Call.id, ids)),
        select(Appeal.call_id, Appeal.decided_at).where(_in(Appeal.call_id, ids)),
        select(Rectification.call_id, Rectification.closed_at).where(_in(Rectification.call_id, ids)),
        select(FraudAlert.call_id, FraudAlert.decided_at).where(_in(FraudAlert.call_id, ids)),
    ):
        disputes += (await session.execute(query)).all()
    unclear = select(Posting.call_id).where(_in(Posting.call_id, ids), col(Posting.state).in_(_UNCLEAR))
    disputes += [(call_id, None) for call_id in (await session.scalars(unclear)).all()]
    _latest(found, StartEvent.DISPUTE_RESOLVED, disputes)
    return found


def _in(column: Any, ids: list[str]) -> Any:
    return col(column).in_(ids)


def _latest(found: dict[str, Events], event: StartEvent, rows: Iterable[Any]) -> None:
    """The newest of several; one that has not happened yet outlasts all others."""
    times: dict[str, list[datetime | None]] = defaultdict(list)
    for call_id, at in rows:
        times[call_id].append(at)
    for call_id, each in times.items():
        known = [at for at in each if at is not None]
        found[call_id][event] = max(known) if len(known) == len(each) else None


async def held(session: AsyncSession, call_ids: Sequence[str]) -> set[str]:
    """Those of the calls that a legal hold is on, by itself or by the person whose call it was."""
    on_person = exists().where(
        col(PersonCall.call_id) == col(Call.id),
        col(PersonCall.person_key) == col(LegalHold.person_key),
    )
    query = (
        select(Call.id)
        .join(LegalHold, or_(col(LegalHold.call_id) == col(Call.id), on_person))
        .where(_in(Call.id, list(call_ids)), col(LegalHold.state) != HoldState.LIFTED)
    )
    return set((await session.scalars(query)).all())
