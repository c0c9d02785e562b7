"""While somebody takes part in an open calibration of a call, nobody's marks on it are shown to that person."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.improvement import CalibrationSession


async def is_blind(session: AsyncSession, staff_id: str | None, call_id: str) -> bool:
    """Whether this person has to score the call without knowing others' marks."""
    query = select(CalibrationSession).where(
        col(CalibrationSession.call_id) == call_id, col(CalibrationSession.closed_at).is_(None)
    )
    rows = (await session.scalars(query)).all()
    return any(staff_id in (row.expert_id, *row.participants) for row in rows)
