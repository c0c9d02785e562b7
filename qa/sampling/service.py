"""Plans, draws and their replay, conflicts: the use cases."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.events import SampleDrawn
from core.ids import new_id
from core.models.sampling import InspectionTask, InspectorConflict, SampleDraw, SamplePlan, TaskState
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.sampling import repo
from qa.sampling.draw import Draw, draw, frame_sha256, new_seed
from qa.sampling.plan import Plan, Unit, period_begin, period_end
from qa.sampling.schemas import ConflictRequest, PlanRequest, ReplayView
from qa.sampling.share import Inspector, share_out

BANK_TIME = timedelta(hours=8)
"""Offset of Chinese standard time; periods end at the bank's midnight."""

SETTLE = timedelta(hours=1)
"""Pause after a period's end: its last calls are still being transcribed and checked."""


class SamplingService:
    """Sample plans and what is drawn by them. A new plan begins with the period that is running."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_plan(self, actor: Actor, plan_id: str | None, request: PlanRequest) -> str:
        """Make a plan or change one; returns its id. A change counts from the next draw on.

        Raises:
            NotFoundError: ``plan.not_found``. ConflictError: ``plan.stale``. BadInputError: ``input.invalid``.
        """
        actor.require(Permission.QA_MANAGE)
        plan = read_plan(request.plan.model_dump(mode="json"))
        async with self._database.unit_of_work(actor) as work:
            now = work.clock.now()
            if plan_id is None:
                begin = period_begin(plan.period, now, BANK_TIME)
                row = SamplePlan(id=new_id("plan"), name=request.name, drawn_until=begin, edited_at=now, version=0)
                work.session.add(row)
            else:
                row = await _locked_plan(work, plan_id)
                if row.version != request.version:
                    raise ConflictError("somebody changed this plan meanwhile", code="plan.stale")
            before = {"name": row.name, "enabled": row.enabled, "plan": row.content}
            row.name, row.enabled, row.content = request.name, request.enabled, plan.model_dump(mode="json")
            row.version, row.edited_by, row.edited_at = row.version + 1, actor.staff_id, now
            after = {"name": row.name, "enabled": row.enabled, "plan": row.content}
            work.audit("plan.save", "sample_plan", row.id, before=before, after=after)
            return row.id

    async def draw_now(self, actor: Actor, plan_id: str, seed: str = "") -> str:
        """Draw by hand from what has ended since the last draw; returns the draw's id.

        Raises:
            NotFoundError: ``plan.not_found``.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            row = await _locked_plan(work, plan_id)
            return (await _draw(work, row, row.drawn_until, work.clock.now(), seed or new_seed())).id

    async def draw_due(self, work: UnitOfWork) -> int:
        """Draw every enabled plan whose period is over, period by period; returns the number of draws."""
        now, done = work.clock.now(), 0
        query = select(SamplePlan).where(col(SamplePlan.enabled).is_(True))
        for row in (await work.session.scalars(query.with_for_update(skip_locked=True))).all():
            while (end := next_draw_at(row)) + SETTLE <= now:
                await _draw(work, row, row.drawn_until, end, new_seed())
                done += 1
        return done

    async def replay(self, actor: Actor, draw_id: str) -> ReplayView:
        """Repeat a draw from what was recorded and compare, pick for pick and inspector for inspector.

        Raises:
            NotFoundError: ``draw.not_found``.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(SampleDraw, draw_id)
            if row is None:
                raise NotFoundError("there is no such draw", code="draw.not_found")
            view = await asyncio.to_thread(replayed, row)
            work.audit("draw.replay", "sample_draw", draw_id, same=view.same)
        return view

    async def add_conflict(self, actor: Actor, request: ConflictRequest) -> None:
        """Declare a conflict of interest. It counts for what is drawn, opened or scored from now on.

        Raises:
            BadInputError: ``conflict.whom`` unless exactly one of teller and team is named.
            NotFoundError: ``staff.not_found``.
        """
        actor.require(Permission.QA_MANAGE)
        if (request.teller_id is None) == (request.team is None):
            raise BadInputError("a teller or a team", code="conflict.whom")
        async with self._database.unit_of_work(actor) as work:
            for staff_id in filter(None, (request.inspector_id, request.teller_id)):
                if await work.session.get(Staff, staff_id) is None:
                    raise NotFoundError("there is no such member of staff", code="staff.not_found")
            row = InspectorConflict(
                id=new_id("conflict"),
                **request.model_dump(),
                created_by=actor.staff_id,
                created_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("conflict.add", "inspector_conflict", row.id, **request.model_dump())

    async def remove_conflict(self, actor: Actor, conflict_id: str) -> None:
        """It no longer stands. NotFoundError ``conflict.not_found``."""
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(InspectorConflict, conflict_id)
            if row is None:
                raise NotFoundError("there is no such conflict", code="conflict.not_found")
            before = row.model_dump(mode="json", exclude={"id", "created_at"})
            await work.session.delete(row)
            work.audit("conflict.remove", "inspector_conflict", conflict_id, before=before)


def read_plan(content: Mapping[str, Any]) -> Plan:
    """A plan from plain data. BadInputError ``plan.invalid``."""
    try:
        return Plan.model_validate(content)
    except ValueError as error:
        raise BadInputError(f"the plan is not valid: {error}", code="plan.invalid") from None


def next_draw_at(row: SamplePlan) -> datetime:
    """When the running period of a plan is over."""
    return period_end(Plan.model_validate(row.content).period, row.drawn_until, BANK_TIME)


def replayed(row: SampleDraw) -> ReplayView:
    """A recorded draw done again. Pure: reads nothing but the row."""
    frame = [Unit.model_validate(unit) for unit in row.frame]
    plan = Plan.model_validate(row.plan)
    inspectors = [Inspector.model_validate(one) for one in row.inspectors]
    again = _picks(draw(plan, frame, row.seed, row.owed), frame, inspectors, plan, row.seed)
    digest = frame_sha256(frame)
    differences = [] if digest == row.frame_sha256 else ["frame_sha256"]
    differences += [str(one["call_id"]) for one in row.picks if one not in again]
    differences += [str(one["call_id"]) for one in again if one not in row.picks]
    same = not differences and again == row.picks
    return ReplayView(same=same, frame_sha256=digest, picked=len(again), differences=sorted(set(differences)))


async def _draw(work: UnitOfWork, row: SamplePlan, begin: datetime, end: datetime, seed: str) -> SampleDraw:
    plan = Plan.model_validate(row.content)
    frame = [unit for unit in await repo.frame_of(work.session, row.id, begin, end) if plan.includes(unit)]
    inspectors = await repo.inspectors_of(work.session)
    owed = {**dict.fromkeys(await _tellers(work.session, plan), 0), **row.carried} if plan.rollover else {}
    result = await asyncio.to_thread(draw, plan, frame, seed, owed)
    picks = await asyncio.to_thread(_picks, result, frame, inspectors, plan, seed)
    made = SampleDraw(
        id=new_id("draw"),
        plan_id=row.id,
        plan=plan.model_dump(mode="json"),
        period_from=begin,
        period_to=end,
        seed=seed,
        frame=[unit.as_json() for unit in frame],
        frame_sha256=frame_sha256(frame),
        inspectors=[one.model_dump(mode="json") for one in inspectors],
        owed=owed,
        carried=result.carried,
        picks=picks,
        drawn_by=work.actor.name,
        drawn_at=work.clock.now(),
    )
    work.session.add(made)
    await work.session.flush()
    for pick in picks:
        work.session.add(_task(work, made.id, pick, plan))
    row.drawn_until, row.carried = end, result.carried
    work.audit("plan.draw", "sample_draw", made.id, plan_id=row.id, seed=seed, picked=len(picks), frame=len(frame))
    work.emit(SampleDrawn(at=work.clock.now(), draw_id=made.id, plan_id=row.id, calls=len(picks)))
    return made


def _picks(
    result: Draw, frame: list[Unit], inspectors: list[Inspector], plan: Plan, seed: str
) -> list[dict[str, object]]:
    units = {unit.call_id: unit for unit in frame}
    given = share_out([units[pick.call_id] for pick in result.picks], inspectors, plan.cap, seed)
    return [
        {
            "call_id": pick.call_id,
            "reason": pick.reason,
            "stratum": pick.stratum,
            "inspector_id": given[pick.call_id],
        }
        for pick in result.picks
    ]


def _task(work: UnitOfWork, draw_id: str, pick: Mapping[str, Any], plan: Plan) -> InspectionTask:
    return InspectionTask(
        id=new_id("task"),
        call_id=pick["call_id"],
        draw_id=draw_id,
        inspector_id=pick["inspector_id"],
        state=TaskState.OPEN,
        reason=pick["reason"],
        due_at=work.clock.now() + timedelta(days=plan.due_days),
        created_at=work.clock.now(),
    )


async def _tellers(session: AsyncSession, plan: Plan) -> list[str]:
    """Tellers the plan is about: a period without any call of theirs owes the next ones."""
    query = select(Staff).where(col(Staff.active).is_(True), col(Staff.roles).contains([Role.TELLER.value]))
    rows = (await session.scalars(query.order_by(col(Staff.id)))).all()
    return [staff.id for staff in rows if not plan.teams or (staff.team or "") in plan.teams]


async def _locked_plan(work: UnitOfWork, plan_id: str) -> SamplePlan:
    row = await work.session.get(SamplePlan, plan_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such plan", code="plan.not_found")
    return row
