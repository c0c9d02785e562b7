"""Rows for a draw: the frame, and who can inspect."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.business import Business
from core.models.call import Call
from core.models.handover import CallLeg
from core.models.qa import Evaluation, EvaluationState, Finding
from core.models.sampling import InspectionTask, SampleDraw, TaskState
from core.models.staff import Role, Staff
from core.ports.compliance import FindingKind
from qa.access import inspector_of
from qa.batches import batches
from qa.desk.repo import newest_checks
from qa.sampling.plan import Teller, Unit, risk_of
from qa.sampling.share import Inspector

_FLAGS = (
    FindingKind.MISSING.value,
    FindingKind.FORBIDDEN.value,
    FindingKind.DANGER.value,
    FindingKind.COMPLAINT.value,
)


_LATE = timedelta(days=31)
"""A call that is transcribed and checked later than this after its end is in no draw any more."""

_AT_ONCE = timedelta(minutes=5)
"""What was stored while the last draw was being made may bear an earlier time than that draw."""


async def frame_of(session: AsyncSession, plan_id: str, begin: datetime, end: datetime) -> list[Unit]:
    """Calls that ended in this half-open span, are pre-scored, and nobody has inspected or been given yet.

    Calls of earlier spans whose pre-score was not there when this plan drew last are in it, too: a backlog of
    transcriptions must not keep a call from ever being drawn.
    """
    given = select(col(InspectionTask.id)).where(
        col(InspectionTask.call_id) == col(Call.id), col(InspectionTask.state) != TaskState.CANCELLED
    )
    query = (
        select(Call, Staff, Evaluation, Business)
        .join(Evaluation, col(Evaluation.call_id) == col(Call.id))
        .join(Staff, col(Staff.id) == col(Call.teller_id))
        .join(Business, col(Business.code) == col(Call.business_code))
        .where(
            or_(col(Call.ended_at) >= begin, await _missed(session, plan_id, begin)),
            col(Call.ended_at) < end,
            col(Call.accepted_at).is_not(None),
            col(Evaluation.state) == EvaluationState.PENDING,
            ~given.exists(),
        )
        .order_by(col(Call.id))
    )
    rows = (await session.execute(query)).all()
    call_ids = [call.id for call, *_ in rows]
    flags, tellers = await _flags(session, call_ids), await _tellers(session, call_ids)
    return [
        _unit(call, teller, evaluation, business, flags.get(call.id, ()), tellers.get(call.id, {}))
        for call, teller, evaluation, business in rows
    ]


async def _missed(session: AsyncSession, plan_id: str, begin: datetime) -> ColumnElement[bool]:
    """The condition of having ended before `begin` and not having been ready when the plan drew last."""
    of_plan = col(SampleDraw.plan_id) == plan_id
    first = await session.scalar(select(func.min(col(SampleDraw.period_from))).where(of_plan))
    last = await session.scalar(select(func.max(col(SampleDraw.drawn_at))).where(of_plan))
    if first is None or last is None:
        return false()
    frames = await session.scalars(
        select(col(SampleDraw.frame)).where(of_plan, col(SampleDraw.drawn_at) >= last - _AT_ONCE)
    )
    return and_(
        col(Call.ended_at) >= max(first, begin - _LATE),
        col(Evaluation.created_at) >= last - _AT_ONCE,
        col(Call.id).not_in([str(unit["call_id"]) for frame in frames for unit in frame]),
    )


async def inspectors_of(session: AsyncSession) -> list[Inspector]:
    """Everybody who inspects, with open tasks and conflicts."""
    query = select(Staff).where(col(Staff.active).is_(True), col(Staff.roles).contains([Role.INSPECTOR.value]))
    found = (await session.scalars(query.order_by(col(Staff.id)))).all()
    load = await open_tasks(session)
    return [await inspector_of(session, staff.id, load.get(staff.id, 0)) for staff in found]


async def open_tasks(session: AsyncSession) -> dict[str, int]:
    """Open tasks by inspector."""
    query = (
        select(col(InspectionTask.inspector_id), func.count())
        .where(col(InspectionTask.state) == TaskState.OPEN)
        .group_by(col(InspectionTask.inspector_id))
    )
    return {staff_id: count for staff_id, count in (await session.execute(query)).all() if staff_id}


async def _flags(session: AsyncSession, call_ids: list[str]) -> dict[str, tuple[str, ...]]:
    """What the newest check of each call found, sorted by name."""
    found: dict[str, list[str]] = {}
    for some in batches(call_ids):
        query = (
            select(col(Finding.call_id), col(Finding.kind), col(Finding.rule_id))
            .where(
                col(Finding.call_id).in_(some),
                col(Finding.kind).in_(_FLAGS),
                col(Finding.check_id).in_(newest_checks()),
            )
            .distinct()
        )
        for call_id, kind, rule_id in (await session.execute(query)).all():
            found.setdefault(call_id, []).append(f"{kind}:{rule_id}")
    return {call_id: tuple(sorted(names)) for call_id, names in found.items()}


async def _tellers(session: AsyncSession, call_ids: list[str]) -> dict[str, dict[str, str | None]]:
    """Team by teller of everybody who had a call, in the order of having it."""
    found: dict[str, dict[str, str | None]] = {}
    for some in batches(call_ids):
        query = (
            select(col(CallLeg.call_id), col(Staff.id), col(Staff.team))
            .join(Staff, col(Staff.id) == col(CallLeg.teller_id))
            .where(col(CallLeg.call_id).in_(some))
            .order_by(col(CallLeg.began_at), col(CallLeg.id))
        )
        for call_id, teller_id, team in (await session.execute(query)).all():
            found.setdefault(call_id, {})[teller_id] = team
    return found


def _unit(
    call: Call,
    teller: Staff,
    evaluation: Evaluation,
    business: Business,
    flags: tuple[str, ...],
    tellers: dict[str, str | None],
) -> Unit:
    began = call.connected_at or call.accepted_at or call.queued_at
    return Unit(
        call_id=call.id,
        teller_id=teller.id,
        team=teller.team,
        business=call.business_code,
        risk=risk_of(business.recording_required, flags),
        score=evaluation.auto_score,
        fatal=evaluation.auto_fatal,
        flags=flags,
        others=tuple(Teller(teller_id=one, team=team) for one, team in tellers.items() if one != teller.id),
        duration_s=max(0, int(((call.ended_at or began) - began).total_seconds())),
    )
