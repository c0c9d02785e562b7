"""Time limits of the businesses, for the overtime rate and the call for help."""

from sqlalchemy import Integer, cast
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.case import BusinessFlow


async def limits_s(session: AsyncSession) -> dict[str, int]:
    """By business code, as their active flows say; a business without a flow is missing and has the default."""
    limit = cast(col(BusinessFlow.content)["time_limit_s"].astext, Integer)
    query = select(BusinessFlow.business_code, limit).where(col(BusinessFlow.active).is_(True))
    return {code: int(limit_s) for code, limit_s in (await session.execute(query)).all() if limit_s is not None}
