"""A sample plan for a laptop, to be drawn by hand. Never called unless `settings.demo` is on."""

from decimal import Decimal

from sqlmodel import select

from core.db import UnitOfWork
from core.ids import new_id
from core.models.sampling import SamplePlan
from qa.sampling.plan import Dimension, Plan

DEMO_NAME = "演示抽检"


async def seed_demo_plan(work: UnitOfWork) -> None:
    """Make the demo plan when there is no plan at all. It does not draw by the clock."""
    if (await work.session.scalars(select(SamplePlan).limit(1))).first() is not None:
        return
    now = work.clock.now()
    plan = Plan(strata=(Dimension.TELLER, Dimension.RISK), percent=Decimal(50), minimum=1, rollover=2)
    row = SamplePlan(
        id=new_id("plan"),
        name=DEMO_NAME,
        enabled=False,
        content=plan.model_dump(mode="json"),
        drawn_until=now,
        edited_at=now,
    )
    work.session.add(row)
    work.audit("plan.save", "sample_plan", row.id, demo=True)
