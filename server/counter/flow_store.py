"""Versions of flows in the database. The shipped one is version 1; a running case keeps the version it began with."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.models.business import Business
from core.models.case import BusinessFlow
from server.counter.flows import Flow, packaged_flows


async def seed_flows(work: UnitOfWork) -> None:
    """Bring the shipped flows in; a release with a newer one adds a version. What a bank has edited stays in force."""
    for flow in packaged_flows():
        content = flow.model_dump(mode="json")
        newest = select(BusinessFlow).where(col(BusinessFlow.business_code) == flow.code)
        row = (await work.session.scalars(newest.order_by(col(BusinessFlow.version).desc()).limit(1))).first()
        if row is None:
            await add_version(work, flow.code, 1, content, "")
        elif row.created_by == work.actor.name and row.content != content:
            await add_version(work, flow.code, row.version + 1, content, "")


async def newest_version(session: AsyncSession, code: str) -> int:
    """The highest version of a flow; 0 when there is none."""
    query = select(BusinessFlow.version).where(col(BusinessFlow.business_code) == code)
    return (await session.scalars(query.order_by(col(BusinessFlow.version).desc()).limit(1))).first() or 0


async def add_version(
    work: UnitOfWork, code: str, version: int, content: dict[str, Any], note: str, by: str | None = None
) -> None:
    """A new version that new cases use from now on. `by`: who wrote it, unless it is whoever acts."""
    active = update(BusinessFlow).where(col(BusinessFlow.business_code) == code, col(BusinessFlow.active).is_(True))
    await work.session.execute(active.values(active=False))
    work.session.add(
        BusinessFlow(
            business_code=code,
            version=version,
            content=content,
            active=True,
            note=note,
            created_by=by or work.actor.name,
            created_at=work.clock.now(),
        )
    )
    await work.session.flush()


async def active_flow(session: AsyncSession, business_code: str) -> tuple[int, Flow]:
    """The version new cases use. NotFoundError ``business.not_found``."""
    query = (
        select(BusinessFlow)
        .join(Business, col(Business.code) == col(BusinessFlow.business_code))
        .where(
            col(BusinessFlow.business_code) == business_code,
            col(BusinessFlow.active).is_(True),
            col(Business.enabled).is_(True),
        )
    )
    row = (await session.scalars(query)).first()
    if row is None:
        raise NotFoundError("this business is not offered", code="business.not_found")
    return row.version, Flow.model_validate(row.content)
