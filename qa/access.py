"""Which calls somebody may inspect, and whose work is whose."""

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.errors import DeniedError, NotFoundError
from core.models.call import Call
from core.models.handover import CallLeg
from core.models.sampling import InspectorConflict
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.sampling.share import Inspector

_WHY = {
    "qa.own_call": "nobody inspects own work",
    "qa.own_team": "nobody inspects the own team's work",
    "qa.conflict": "there is a declared conflict of interest",
}


async def access_qa_call(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    """A finished call that was answered, for inspection.

    Raises:
        DeniedError: no inspector, or ``qa.own_call``, ``qa.own_team``, ``qa.conflict``: nobody inspects own work or
            that of people too close (岗位分离).
        NotFoundError: ``call.not_found``; also for calls that still run or were never answered.
    """
    actor.require(Permission.QA_VIEW)
    call = await session.get(Call, call_id)
    if call is None or call.ended_at is None or call.accepted_at is None:
        raise NotFoundError("there is no such finished call", code="call.not_found")
    if actor.staff_id is not None and call.teller_id is not None:
        inspector = await inspector_of(session, actor.staff_id)
        had_it = select(Staff).join(Call, col(Call.id) == call.id).where(has_had_call())
        for teller in (await session.scalars(had_it)).all():
            objection = inspector.objection(teller.id, teller.team)
            if objection is not None:
                raise DeniedError(_WHY[objection], code=objection)
    return call


async def inspector_of(session: AsyncSession, staff_id: str, load: int = 0) -> Inspector:
    """A person as the distribution of work sees them."""
    staff = await session.get_one(Staff, staff_id)
    query = select(InspectorConflict).where(col(InspectorConflict.inspector_id) == staff_id)
    conflicts = (await session.scalars(query)).all()
    return Inspector(
        staff_id=staff.id,
        team=staff.team,
        load=load,
        not_tellers=tuple(sorted(each.teller_id for each in conflicts if each.teller_id)),
        not_teams=tuple(sorted(each.team for each in conflicts if each.team)),
    )


def too_close(inspector: Inspector) -> ColumnElement[bool]:
    """SQL: the member of staff's calls are not for this inspector. Same rule as `Inspector.objection`."""
    teams = [*inspector.not_teams, *([inspector.team] if inspector.team else [])]
    return or_(
        col(Staff.id).in_([inspector.staff_id, *inspector.not_tellers]),
        col(Staff.team).in_(teams),
    )


def has_had_call() -> ColumnElement[bool]:
    """SQL, of `Staff` and `Call`: who has the call or had it until handing it on. Both are in the recording."""
    legs = select(col(CallLeg.teller_id)).where(col(CallLeg.call_id) == col(Call.id)).correlate(Call)
    return or_(col(Staff.id) == col(Call.teller_id), col(Staff.id).in_(legs))


async def names_of(session: AsyncSession, staff_ids: set[str | None]) -> dict[str, str]:
    """Display names by id."""
    wanted = [staff_id for staff_id in staff_ids if staff_id]
    rows = await session.execute(select(col(Staff.id), col(Staff.display_name)).where(col(Staff.id).in_(wanted)))
    return dict(rows.all())
