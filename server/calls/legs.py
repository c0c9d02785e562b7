"""Which teller had a call when."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.ids import new_id
from core.models.handover import CallLeg


def begin_leg(session: AsyncSession, call_id: str, teller_id: str, now: datetime) -> None:
    """A teller takes the call."""
    session.add(CallLeg(id=new_id("leg"), call_id=call_id, teller_id=teller_id, began_at=now))


async def end_leg(session: AsyncSession, call_id: str, ended_by: str, now: datetime) -> str | None:
    """The running leg is over. Returns the teller who had the call last, also when no leg was running."""
    query = select(CallLeg).where(col(CallLeg.call_id) == call_id).order_by(col(CallLeg.began_at).desc()).limit(1)
    leg = (await session.scalars(query)).first()
    if leg is None:
        return None
    if leg.ended_at is None:
        leg.ended_at, leg.ended_by = now, ended_by
    return leg.teller_id
