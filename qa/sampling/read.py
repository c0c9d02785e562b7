"""Reading plans, draws and people for the QA lead's pages."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.models.call import Call
from core.models.sampling import InspectionTask, InspectorConflict, SampleDraw, SamplePlan, TaskState
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import names_of
from qa.sampling.plan import Unit
from qa.sampling.repo import open_tasks
from qa.sampling.schemas import (
    ConflictView,
    DrawDetail,
    DrawView,
    PeopleView,
    PersonView,
    PickView,
    PlanBody,
    PlanList,
    PlanView,
)
from qa.sampling.service import next_draw_at

DRAWS_SHOWN = 50


class SamplingReader:
    """What the QA lead sees of plans and people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plans(self, actor: Actor) -> PlanList:
        """Plans by name, and the newest draws."""
        actor.require(Permission.QA_MANAGE)
        async with self._database.read() as session:
            plans = (await session.scalars(select(SamplePlan).order_by(col(SamplePlan.name), col(SamplePlan.id)))).all()
            newest = select(SampleDraw).order_by(col(SampleDraw.drawn_at).desc()).limit(DRAWS_SHOWN)
            draws = (await session.scalars(newest)).all()
            names = await names_of(session, {teller_id for plan in plans for teller_id in plan.carried})
            teams = select(col(Staff.team)).where(col(Staff.team).is_not(None)).distinct().order_by(col(Staff.team))
            return PlanList(
                plans=[_plan_view(plan, names) for plan in plans],
                draws=await _draw_views(session, draws, {plan.id: plan.name for plan in plans}),
                teams=[team for team in (await session.scalars(teams)).all() if team],
            )

    async def draw(self, actor: Actor, draw_id: str) -> DrawDetail:
        """One draw with its picks. NotFoundError ``draw.not_found``."""
        actor.require(Permission.QA_MANAGE)
        async with self._database.read() as session:
            row = await session.get(SampleDraw, draw_id)
            if row is None:
                raise NotFoundError("there is no such draw", code="draw.not_found")
            plan = await session.get_one(SamplePlan, row.plan_id)
            view = (await _draw_views(session, [row], {plan.id: plan.name}))[0]
            wanted = [str(pick["call_id"]) for pick in row.picks]
            calls = select(col(Call.id), col(Call.number)).where(col(Call.id).in_(wanted))
            numbers = dict((await session.execute(calls)).all())
            picks = [
                PickView.model_validate({**pick, "number": numbers[str(pick["call_id"])], "inspector_name": None})
                for pick in row.picks
            ]
            given = {str(pick["call_id"]): pick["inspector_id"] for pick in row.picks}
            tellers = {one.teller_id for unit in row.frame for one in Unit.model_validate(unit).tellers}
            names = await names_of(session, {*tellers, *(str(one) for one in given.values() if one)})
            for pick in picks:
                pick.inspector_name = names.get(str(given[pick.call_id]))
                for teller_id in tellers:  # people read names, the draw knows ids
                    pick.stratum = pick.stratum.replace(teller_id, names.get(teller_id, teller_id))
        return DrawDetail(**view.model_dump(), picks=picks)

    async def people(self, actor: Actor) -> PeopleView:
        """Inspectors, the QA lead and tellers, with open tasks and conflicts."""
        actor.require(Permission.QA_MANAGE)
        now = self._database.clock.now()
        async with self._database.read() as session:
            load = await open_tasks(session)
            query = select(Staff).where(col(Staff.active).is_(True)).order_by(col(Staff.staff_number))
            wanted = {Role.INSPECTOR.value, Role.QA_LEAD.value, Role.TELLER.value}
            people = [staff for staff in (await session.scalars(query)).all() if wanted & set(staff.roles)]
            rows = (await session.scalars(select(InspectorConflict).order_by(col(InspectorConflict.created_at)))).all()
            names = await names_of(session, {one for row in rows for one in (row.inspector_id, row.teller_id)})
            late = select(func.count()).where(
                col(InspectionTask.state) == TaskState.OPEN, col(InspectionTask.due_at) < now
            )
            overdue = int((await session.scalar(late)) or 0)
        total = sum(load.values())
        return PeopleView(
            people=[
                PersonView(
                    staff_id=staff.id,
                    name=staff.display_name,
                    staff_number=staff.staff_number,
                    team=staff.team,
                    roles=staff.roles,
                    open_tasks=load.get(staff.id, 0),
                )
                for staff in people
            ],
            conflicts=[
                ConflictView(
                    conflict_id=row.id,
                    inspector_name=names[row.inspector_id],
                    teller_name=names.get(row.teller_id or ""),
                    team=row.team,
                    reason=row.reason,
                    created_at=row.created_at,
                )
                for row in rows
            ],
            load=min(1.0, overdue / total) if total else 0.0,
        )


def _plan_view(row: SamplePlan, names: dict[str, str]) -> PlanView:
    return PlanView(
        plan_id=row.id,
        name=row.name,
        enabled=row.enabled,
        version=row.version,
        plan=PlanBody.model_validate(row.content),
        drawn_until=row.drawn_until,
        next_draw_at=next_draw_at(row),
        owed={names.get(teller_id, teller_id): count for teller_id, count in row.carried.items()},
    )


async def _draw_views(session: AsyncSession, rows: Sequence[SampleDraw], plans: dict[str, str]) -> list[DrawView]:
    names = await names_of(session, {row.drawn_by.removeprefix("staff:") for row in rows})
    return [
        DrawView(
            **row.model_dump(include={"plan_id", "period_from", "period_to", "seed", "frame_sha256", "drawn_at"}),
            draw_id=row.id,
            plan_name=plans.get(row.plan_id, row.plan_id),
            frame_size=len(row.frame),
            picked=len(row.picks),
            fatal=sum(pick["reason"] == "fatal" for pick in row.picks),
            unassigned=sum(pick["inspector_id"] is None for pick in row.picks),
            drawn_by=names.get(row.drawn_by.removeprefix("staff:"), row.drawn_by),
        )
        for row in rows
    ]
