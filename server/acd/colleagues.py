"""Whom a teller can turn to: experts, other tellers, groups."""

from sqlmodel import col, func, select

from core.db import Database
from core.models.business import Business
from core.models.call import Call, CallState, TellerPresence, TellerState
from core.models.handover import CallGuest
from core.models.queue import SkillGroup
from core.models.staff import Role, Staff
from core.ports.calls import Connections
from core.security.actor import Actor
from server.acd.schemas import Colleague, Colleagues, SkillGroupView

_WAITING = (CallState.QUEUED.value, CallState.OFFERED.value)


class ColleagueBook:
    """Reads only."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections

    async def around(self, actor: Actor) -> Colleagues:
        """Experts and tellers who are signed in at a page, and the groups."""
        async with self._database.read() as session:
            staff = (await session.scalars(select(Staff).where(col(Staff.active).is_(True)))).all()
            states = {row.staff_id: row.state for row in (await session.scalars(select(TellerPresence))).all()}
            open_guests = select(CallGuest.staff_id).where(col(CallGuest.left_at).is_(None))
            asked = set((await session.scalars(open_guests)).all())
            waiting = select(Call.skill_group, func.count()).where(col(Call.state).in_(_WAITING))
            counted = (await session.execute(waiting.group_by(col(Call.skill_group)))).all()
            queued = {group: count for group, count in counted if group}
            named = (await session.scalars(select(SkillGroup))).all()
            codes = set((await session.scalars(select(Business.skill_group).distinct())).all())
        people = [row for row in staff if {Role.TELLER, Role.EXPERT} & set(row.roles) and row.id != actor.staff_id]
        online = await self._connections.online_staff({row.id for row in people}) if people else set()
        ready = [row for row in staff if states.get(row.id) == TellerState.READY]
        names = {row.code: (row.name_zh, row.name_en) for row in named}
        return Colleagues(
            staff=[
                _colleague(row, states.get(row.id, TellerState.OFFLINE.value), row.id in asked)
                for row in sorted(people, key=lambda row: row.staff_number)
                if row.id in online
            ],
            groups=[
                SkillGroupView(
                    code=code,
                    name_zh=names.get(code, (code, code))[0],
                    name_en=names.get(code, (code, code))[1],
                    waiting=queued.get(code, 0),
                    ready=sum(code in row.skill_groups for row in ready),
                )
                for code in sorted(codes | set(names))
            ],
        )


def _colleague(row: Staff, state: str, asked: bool) -> Colleague:
    at_hand = state == TellerState.READY or (Role.TELLER not in row.roles and state != TellerState.BREAK)
    return Colleague(
        staff_id=row.id,
        display_name=row.display_name,
        staff_number=row.staff_number,
        roles=row.roles,
        skill_groups=row.skill_groups,
        state=state,
        free=at_hand and not asked,
    )
