"""Counting what waits, by post."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.models.call import Call
from core.models.improvement import Appeal, AppealState, CoachingNote, Rectification, RectificationState
from core.models.qa import Evaluation, EvaluationState
from core.models.sampling import InspectionTask, TaskState
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import inspector_of, too_close
from qa.waiting.schemas import WaitingItem, WaitingView


class WaitingReader:
    """Counts of open work. Overdue rectifications are shown to the teller, the supervisor and the QA lead."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, actor: Actor) -> WaitingView:
        """What this person has to do; empty for people without a part in inspection."""
        now = self._database.clock.now()
        items: list[WaitingItem] = []
        async with self._database.read() as session:
            if actor.may(Permission.EVALUATION_OWN):
                items += await _of_teller(session, actor, now)
            if actor.may(Permission.APPEAL_SUPPORT):
                items += await _of_supervisor(session, actor, now)
            if actor.may(Permission.QA_VIEW):
                items += await _of_inspection(session, actor, now)
        return WaitingView(items=[item for item in items if item.count > 0])


def _late(now: datetime) -> ColumnElement[bool]:
    return (col(Rectification.state) == RectificationState.OPEN) & (col(Rectification.due_at) < now)


async def _of_teller(session: AsyncSession, actor: Actor, now: datetime) -> list[WaitingItem]:
    released = select(Evaluation).join(Call, col(Call.id) == col(Evaluation.call_id))
    released = released.where(col(Call.teller_id) == actor.staff_id, col(Evaluation.state) == EvaluationState.RELEASED)
    mine = select(Rectification).where(
        col(Rectification.teller_id) == actor.staff_id, col(Rectification.state) == RectificationState.OPEN
    )
    unread = select(CoachingNote).where(
        col(CoachingNote.teller_id) == actor.staff_id, col(CoachingNote.read_at).is_(None)
    )
    return [
        await _item(session, "myquality", "mine", released),
        await _item(session, "myquality", "rectifications", mine, _late(now)),
        await _item(session, "myquality", "coaching", unread),
    ]


async def _of_supervisor(session: AsyncSession, actor: Actor, now: datetime) -> list[WaitingItem]:
    me = await session.get_one(Staff, actor.staff_id)
    team = select(col(Staff.id)).where(col(Staff.team) == me.team)
    appeals = select(Appeal).where(col(Appeal.teller_id).in_(team), col(Appeal.state) == AppealState.WITH_SUPERVISOR)
    late = select(Rectification).where(col(Rectification.teller_id).in_(team), _late(now))
    return [
        await _item(session, "teamquality", "appeals", appeals, col(Appeal.due_at) < now),
        await _item(session, "teamquality", "rectifications", late, _late(now)),
    ]


async def _of_inspection(session: AsyncSession, actor: Actor, now: datetime) -> list[WaitingItem]:
    close = select(col(Staff.id)).where(too_close(await inspector_of(session, actor.staff_id or "")))
    wanted = col(Rectification.state) == RectificationState.PROVEN
    if actor.may(Permission.QA_MANAGE):
        wanted |= _late(now)
    checks = select(Rectification).where(wanted, col(Rectification.teller_id).not_in(close))
    items = [await _item(session, "qa", "rectifications", checks, _late(now))]
    if actor.may(Permission.QA_SCORE):
        tasks = select(InspectionTask).where(
            col(InspectionTask.inspector_id) == actor.staff_id, col(InspectionTask.state) == TaskState.OPEN
        )
        items.append(await _item(session, "qa", "queue", tasks, col(InspectionTask.due_at) < now))
    if actor.may(Permission.QA_VERDICT):
        appeals = select(Appeal).where(col(Appeal.state) == AppealState.WITH_LEAD)
        items.append(await _item(session, "qa", "appeals", appeals))
    return items


async def _item(
    session: AsyncSession, page: str, tab: str, rows: Select[Any], late: ColumnElement[bool] | None = None
) -> WaitingItem:
    query = rows.with_only_columns(
        func.count(), func.count().filter(late if late is not None else false()), maintain_column_froms=True
    )
    count, overdue = (await session.execute(query)).one()
    return WaitingItem.model_validate({"page": page, "tab": tab, "count": count, "overdue": overdue})
