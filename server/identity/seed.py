"""Demo staff for a laptop. Never called unless `settings.demo` is on."""

import asyncio
from dataclasses import dataclass

from sqlmodel import col, select

from core.db import UnitOfWork
from core.ids import new_id
from core.models.staff import Role, Staff
from core.security.passwords import hash_password

DEMO_PASSWORD = "AirCounter-demo-1"
"""Password of every demo login; documented in the README and shown at start."""


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """One demo account."""

    username: str
    display_name: str
    staff_number: str
    role: Role
    skill_groups: tuple[str, ...] = ()
    team: str | None = None


DEMO_LOGINS = (
    DemoLogin("teller1", "李敏", "1001", Role.TELLER, ("personal", "wealth"), "一组"),
    DemoLogin("teller2", "王建国", "2008", Role.TELLER, ("personal", "wealth"), "一组"),
    DemoLogin("teller3", "陈静", "3015", Role.TELLER, ("personal", "wealth"), "二组"),
    DemoLogin("supervisor1", "赵主管", "9001", Role.SUPERVISOR, team="一组"),
    DemoLogin("supervisor2", "钱主管", "9002", Role.SUPERVISOR, team="二组"),
    DemoLogin("inspector1", "孙质检", "9101", Role.INSPECTOR, team="质检组"),
    DemoLogin("inspector2", "郑质检", "9102", Role.INSPECTOR, team="质检组"),
    DemoLogin("inspector3", "冯质检", "9103", Role.INSPECTOR, team="质检组"),
    DemoLogin("qalead1", "卫组长", "9111", Role.QA_LEAD, team="质检组"),
    DemoLogin("expert1", "何专员", "9401", Role.EXPERT),
    DemoLogin("auditor1", "周审计", "9201", Role.AUDITOR),
    DemoLogin("admin1", "吴管理", "9301", Role.ADMIN),
)


async def seed_demo_staff(work: UnitOfWork) -> list[DemoLogin]:
    """Create the demo accounts that do not exist yet; existing ones are left as they are.

    Returns:
        The accounts created now.
    """
    taken = set((await work.session.scalars(select(col(Staff.username)))).all())
    numbers = set((await work.session.scalars(select(col(Staff.staff_number)))).all())
    created = [login for login in DEMO_LOGINS if login.username not in taken and login.staff_number not in numbers]
    for login in created:
        staff = Staff(
            id=new_id("staff"),
            username=login.username,
            display_name=login.display_name,
            staff_number=login.staff_number,
            roles=[login.role.value],
            skill_groups=list(login.skill_groups),
            team=login.team,
            password_hash=await asyncio.to_thread(hash_password, DEMO_PASSWORD),
            created_at=work.clock.now(),
        )
        work.session.add(staff)
        work.audit("staff.create", "staff", staff.id, username=login.username, roles=staff.roles, demo=True)
    return created
