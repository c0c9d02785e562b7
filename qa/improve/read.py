"""Reading rectifications, coaching notes and best cases."""

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.models.call import Call
from core.models.improvement import (
    BestCase,
    CoachingNote,
    Rectification,
    RectificationFile,
    RectificationState,
    RectificationStep,
)
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import inspector_of, names_of, too_close
from qa.improve.rectify import is_overdue
from qa.improve.schemas import (
    BestCaseList,
    BestCaseView,
    CoachingList,
    ProofFileView,
    RectificationList,
    RectificationStepView,
    RectificationView,
)
from qa.review.read import coaching_views
from qa.shown import shown_text

SHOWN = 300


class ImproveReader:
    """What inspectors, supervisors and tellers see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def to_check(self, actor: Actor) -> RectificationList:
        """For inspectors and the QA lead: all but those of people too close."""
        actor.require(Permission.QA_VIEW)
        async with self._database.read() as session:
            close = too_close(await inspector_of(session, actor.staff_id or ""))
            return await self._list(session, actor, ~close, may_check=True)

    async def mine(self, actor: Actor) -> RectificationList:
        """The teller's own."""
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.read() as session:
            return await self._list(session, actor, col(Rectification.teller_id) == actor.staff_id)

    async def of_team(self, actor: Actor) -> RectificationList:
        """Those of the supervisor's team."""
        actor.require(Permission.APPEAL_SUPPORT)
        async with self._database.read() as session:
            me = await session.get_one(Staff, actor.staff_id)
            return await self._list(session, actor, col(Staff.team) == me.team)

    async def _list(
        self, session: AsyncSession, actor: Actor, which: ColumnElement[bool], may_check: bool = False
    ) -> RectificationList:
        now = self._database.clock.now()
        query = (
            select(Rectification, Call, Staff)
            .join(Call, col(Call.id) == col(Rectification.call_id))
            .join(Staff, col(Staff.id) == col(Rectification.teller_id))
            .where(which)
            .order_by(col(Rectification.state) == RectificationState.EFFECTIVE, col(Rectification.due_at))
            .limit(SHOWN)
        )
        rows = (await session.execute(query)).all()
        ids = [row[0].id for row in rows]
        steps, files = await _steps(session, actor, ids), await _files(session, ids)
        names = await names_of(session, {row[0].created_by for row in rows})
        items = [
            RectificationView.model_validate(
                {
                    **row.model_dump(),
                    "title": shown_text(actor, row.title),
                    "demand": shown_text(actor, row.demand),
                    "number": call.number,
                    "business_code": call.business_code,
                    "teller_name": teller.display_name,
                    "team": teller.team,
                    "created_by_name": names[row.created_by],
                    "overdue": is_overdue(row.state, row.due_at, now),
                    "mine_to_check": may_check and row.state == RectificationState.PROVEN,
                    "steps": steps.get(row.id, []),
                    "files": files.get(row.id, []),
                }
            )
            for row, call, teller in rows
        ]
        return RectificationList(items=items)

    async def notes_to_me(self, actor: Actor) -> CoachingList:
        """Coaching notes to the teller."""
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.read() as session:
            return CoachingList(
                items=await coaching_views(session, actor, col(CoachingNote.teller_id) == actor.staff_id)
            )

    async def notes_on(self, actor: Actor) -> CoachingList:
        """Coaching notes that this inspector wrote; all of them for the QA lead."""
        actor.require(Permission.QA_VIEW)
        which = col(CoachingNote.author_id) == actor.staff_id
        if actor.may(Permission.QA_MANAGE):
            which = col(CoachingNote.id).is_not(None)
        async with self._database.read() as session:
            return CoachingList(items=await coaching_views(session, actor, which))

    async def cases(self, actor: Actor) -> BestCaseList:
        """The library, open to all staff; recordings only to those who may play them."""
        async with self._database.read() as session:
            query = (
                select(BestCase, Call)
                .join(Call, col(Call.id) == col(BestCase.call_id))
                .where(col(BestCase.withdrawn_at).is_(None))
                .order_by(col(BestCase.created_at).desc())
                .limit(SHOWN)
            )
            rows = (await session.execute(query)).all()
            names = await names_of(session, {case.added_by for case, _ in rows})
        return BestCaseList(
            items=[
                BestCaseView.model_validate(
                    {
                        **case.model_dump(),
                        "number": call.number,
                        "added_by_name": names[case.added_by],
                        "can_play": actor.may(Permission.QA_VIEW),
                        "can_withdraw": actor.may(Permission.QA_VIEW),
                    }
                )
                for case, call in rows
            ]
        )


async def _files(session: AsyncSession, ids: list[str]) -> dict[str, list[ProofFileView]]:
    query = select(RectificationFile).where(col(RectificationFile.rectification_id).in_(ids))
    found: dict[str, list[ProofFileView]] = {}
    for row in (await session.scalars(query.order_by(col(RectificationFile.added_at)))).all():
        found.setdefault(row.rectification_id, []).append(ProofFileView.model_validate(row.model_dump()))
    return found


async def _steps(session: AsyncSession, actor: Actor, ids: list[str]) -> dict[str, list[RectificationStepView]]:
    query = select(RectificationStep).where(col(RectificationStep.rectification_id).in_(ids))
    rows = (await session.scalars(query.order_by(col(RectificationStep.at), col(RectificationStep.id)))).all()
    names = await names_of(session, {row.staff_id for row in rows})
    found: dict[str, list[RectificationStepView]] = {}
    for row in rows:
        fields = {**row.model_dump(), "text": shown_text(actor, row.text), "name": names.get(row.staff_id or "")}
        view = RectificationStepView.model_validate(fields)
        found.setdefault(row.rectification_id, []).append(view)
    return found
