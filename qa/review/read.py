"""Reading for the teller's pages and for those who decide on appeals."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.models.call import Call
from core.models.improvement import Appeal, AppealItem, AppealState, CoachingNote, Rectification, RectificationState
from core.models.qa import Evaluation
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import names_of
from qa.desk import views
from qa.desk.repo import newest_findings
from qa.desk.service import steps_of
from qa.review.schemas import (
    AppealItemView,
    AppealList,
    AppealView,
    CoachingView,
    MyEvaluation,
    MyEvaluationList,
    MyEvaluationRow,
)
from qa.review.service import access_own
from qa.review.states import appeal_until
from qa.scoring.forms import stored_form
from qa.shown import shown_text
from qa.transcripts import call_transcript

SHOWN = 200


class ReviewReader:
    """What a teller, a supervisor and the QA lead see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mine(self, actor: Actor) -> MyEvaluationList:
        """The teller's own released evaluations, newest first."""
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.read() as session:
            query = (
                select(Evaluation, Call)
                .join(Call, col(Call.id) == col(Evaluation.call_id))
                .where(col(Call.teller_id) == actor.staff_id, col(Evaluation.released_at).is_not(None))
                .order_by(col(Evaluation.released_at).desc())
                .limit(SHOWN)
            )
            rows = (await session.execute(query)).all()
            items = [await _row(session, evaluation, call) for evaluation, call in rows]
            owed = select(func.count()).where(
                col(Rectification.teller_id) == actor.staff_id, col(Rectification.state) == RectificationState.OPEN
            )
            open_tasks = int((await session.scalar(owed)) or 0)
        average = round(sum(item.score for item in items) / len(items), 2) if items else None
        return MyEvaluationList(items=items, average=average, open_tasks=open_tasks)

    async def open_mine(self, actor: Actor, evaluation_id: str) -> MyEvaluation:
        """One of the teller's own evaluations. NotFoundError ``evaluation.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            session = work.session
            evaluation, call = await access_own(session, actor, evaluation_id)
            work.audit("evaluation.view", "evaluation", evaluation.id, call_id=call.id)
            transcript = await call_transcript(session, call.id)
            findings = await newest_findings(session, [call.id])
            appeals = await appeal_views(session, actor, col(Appeal.evaluation_id) == evaluation.id, work.clock.now())
            names = await names_of(session, {evaluation.inspector_id})
            kind = transcript.kind.value if transcript.kind else ""
            return MyEvaluation(
                **(await _row(session, evaluation, call)).model_dump(),
                version=evaluation.version,
                inspector_name=names.get(evaluation.inspector_id or ""),
                comment=shown_text(actor, evaluation.comment),
                form=views.form_view(await stored_form(session, evaluation.form_version)),
                answers=views.answer_views(evaluation.answers),
                findings=views.finding_views(actor, findings, transcript.rows),
                segments=views.segment_views(actor, transcript.rows, kind),
                steps=await steps_of(session, evaluation.id),
                appeal=appeals[0] if appeals else None,
                coaching=await coaching_views(session, actor, col(CoachingNote.call_id) == call.id),
            )

    async def of_team(self, actor: Actor) -> AppealList:
        """Appeals of the supervisor's own team."""
        actor.require(Permission.APPEAL_SUPPORT)
        async with self._database.read() as session:
            me = await session.get_one(Staff, actor.staff_id)
            team = select(col(Staff.id)).where(col(Staff.team) == me.team, col(Staff.id) != me.id)
            now = self._database.clock.now()
            return AppealList(items=await appeal_views(session, actor, col(Appeal.teller_id).in_(team), now))

    async def all_appeals(self, actor: Actor) -> AppealList:
        """Every appeal, for the QA lead."""
        actor.require(Permission.QA_VERDICT)
        async with self._database.read() as session:
            now = self._database.clock.now()
            return AppealList(items=await appeal_views(session, actor, col(Appeal.id).is_not(None), now))


async def _row(session: AsyncSession, evaluation: Evaluation, call: Call) -> MyEvaluationRow:
    form = await stored_form(session, evaluation.form_version)
    score = float(evaluation.score or 0)
    return MyEvaluationRow.model_validate(
        {
            "evaluation_id": evaluation.id,
            "call_id": call.id,
            "number": call.number,
            "business_code": call.business_code,
            "ended_at": call.ended_at,
            "state": evaluation.state,
            "score": score,
            "max_score": float(evaluation.max_score),
            "fatal": bool(evaluation.fatal),
            "passed": score >= form.pass_mark and not evaluation.fatal,
            "released_at": evaluation.released_at,
            "appeal_until": appeal_until(evaluation.released_at) if evaluation.released_at else None,
        }
    )


async def appeal_views(
    session: AsyncSession, actor: Actor, which: ColumnElement[bool], now: datetime
) -> list[AppealView]:
    """Appeals with their items: those that wait first, the oldest of them first. Numbers in reasons are covered."""
    query = (
        select(Appeal, Evaluation, Call)
        .join(Evaluation, col(Evaluation.id) == col(Appeal.evaluation_id))
        .join(Call, col(Call.id) == col(Appeal.call_id))
        .where(which)
        .order_by(col(Appeal.state) == AppealState.DECIDED, col(Appeal.created_at))
        .limit(SHOWN)
    )
    rows = (await session.execute(query)).all()
    ids = [appeal.id for appeal, _, _ in rows]
    items: dict[str, list[AppealItem]] = {}
    for item in (await session.scalars(select(AppealItem).where(col(AppealItem.appeal_id).in_(ids)))).all():
        items.setdefault(item.appeal_id, []).append(item)
    return [await _appeal_view(session, actor, *row, items.get(row[0].id, []), now) for row in rows]


async def _appeal_view(
    session: AsyncSession,
    actor: Actor,
    appeal: Appeal,
    evaluation: Evaluation,
    call: Call,
    items: Sequence[AppealItem],
    now: datetime,
) -> AppealView:
    teller = await session.get_one(Staff, appeal.teller_id)
    names = await names_of(session, {evaluation.inspector_id, appeal.supervisor_id, appeal.lead_id})
    titles = {item.id: item for item in (await stored_form(session, evaluation.form_version)).items}
    given = views.answer_views(evaluation.answers)
    return AppealView.model_validate(
        {
            "appeal_id": appeal.id,
            "evaluation_id": evaluation.id,
            "call_id": call.id,
            "number": call.number,
            "business_code": call.business_code,
            "teller_name": teller.display_name,
            "team": teller.team,
            "inspector_name": names.get(evaluation.inspector_id or ""),
            "supervisor_name": names.get(appeal.supervisor_id or ""),
            "lead_name": names.get(appeal.lead_id or ""),
            "state": appeal.state,
            "score": float(evaluation.score or 0),
            "created_at": appeal.created_at,
            "due_at": appeal.due_at,
            "overdue": appeal.state != AppealState.DECIDED and appeal.due_at < now,
            "note": shown_text(actor, appeal.note),
            "items": [
                AppealItemView(
                    item_id=item.item_id,
                    title_zh=titles[item.item_id].label_zh,
                    title_en=titles[item.item_id].label_en,
                    given=given[item.item_id],
                    reason=shown_text(actor, item.reason),
                    supported=item.supported,
                    supervisor_note=shown_text(actor, item.supervisor_note),
                    upheld=item.upheld,
                    fraction=views.number(item.fraction),
                    lead_note=shown_text(actor, item.lead_note),
                )
                for item in sorted(items, key=lambda item: list(titles).index(item.item_id))
            ],
        }
    )


async def coaching_views(session: AsyncSession, actor: Actor, which: ColumnElement[bool]) -> list[CoachingView]:
    """Coaching notes, newest first, with numbers covered."""
    query = (
        select(CoachingNote, Call)
        .join(Call, col(Call.id) == col(CoachingNote.call_id))
        .where(which)
        .order_by(col(CoachingNote.created_at).desc())
        .limit(SHOWN)
    )
    rows = (await session.execute(query)).all()
    names = await names_of(session, {staff_id for note, _ in rows for staff_id in (note.author_id, note.teller_id)})
    return [
        CoachingView(
            **note.model_dump(include={"id", "call_id", "at_s", "created_at", "read_at"}),
            text=shown_text(actor, note.text),
            number=call.number,
            teller_name=names[note.teller_id],
            author_name=names[note.author_id],
        )
        for note, call in rows
    ]
