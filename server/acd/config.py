"""How groups and queues are set up, read from their tables; what has no row has the defaults."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from core.models.queue import SkillGroup, Strategy
from server.acd.decide import GroupRules

MISSED_LIMIT = 3  # unanswered offers in a row, then the teller is sent on a break


@dataclass(frozen=True, slots=True)
class RingRules:
    """Times of one group's rings.

    Attributes:
        missed_limit: Unanswered offers in a row, then the teller is sent on a break.
    """

    ring_s: float
    missed_limit: int = MISSED_LIMIT


async def group_rules(session: AsyncSession) -> dict[str, GroupRules]:
    """The rules of all groups that have a row."""
    rows = (await session.scalars(select(SkillGroup))).all()
    return {
        row.code: GroupRules(
            Strategy(row.strategy), row.reject_delay_s, tuple(row.overflow_groups), row.overflow_after_s
        )
        for row in rows
    }


async def ring_rules(session: AsyncSession, group: str, ring_s: float) -> RingRules:
    """The times of a group; `ring_s` is the installation's."""
    row = await session.get(SkillGroup, group)
    if row is None:
        return RingRules(ring_s)
    return RingRules(ring_s if row.ring_s is None else row.ring_s, row.missed_limit)
