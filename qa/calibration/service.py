"""Calibration sessions: opening, scoring blind, closing, and reading the result."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.ids import new_id
from core.models.call import Call
from core.models.improvement import CalibrationScore, CalibrationSession
from core.models.qa import Evaluation
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call, names_of
from qa.calibration import compare
from qa.calibration.schemas import (
    CalibrationItem,
    CalibrationList,
    CalibrationRequest,
    CalibrationScoreRequest,
    CalibrationView,
    ScorerView,
)
from qa.desk import views
from qa.scoring.forms import stored_form
from qa.scoring.score import Answer, assert_justified, score
from qa.scoring.stored import answers_from_json, answers_to_json

SHOWN = 100


class CalibrationService:
    """Calibration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, actor: Actor, request: CalibrationRequest) -> None:
        """Begin a session.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``evaluation.not_ready`` without a pre-score;
            ``task.no_inspector`` when somebody named does not inspect. DeniedError: as for opening the call.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            call = (await work.session.scalars(select(Call).where(col(Call.number) == request.call_number))).first()
            call = await access_qa_call(work.session, actor, call.id if call else "")
            mine = select(Evaluation).where(col(Evaluation.call_id) == call.id)
            evaluation = (await work.session.scalars(mine)).first()
            if evaluation is None:
                raise ConflictError("the call has no pre-score yet", code="evaluation.not_ready")
            participants = sorted({*request.participants} - {request.expert_id})
            for staff_id in (request.expert_id, *participants):
                staff = await work.session.get(Staff, staff_id)
                if staff is None or not {Role.INSPECTOR.value, Role.QA_LEAD.value} & set(staff.roles):
                    raise ConflictError("this person does not inspect", code="task.no_inspector")
            row = CalibrationSession(
                id=new_id("calib"),
                title=request.title,
                call_id=call.id,
                form_version=evaluation.form_version,
                expert_id=request.expert_id,
                participants=participants,
                created_by=actor.staff_id or "",
                created_at=work.clock.now(),
                due_at=work.clock.now() + timedelta(days=request.due_days),
            )
            work.session.add(row)
            work.audit("calibration.open", "calibration_session", row.id, call_id=call.id, who=participants)

    async def mark(self, actor: Actor, session_id: str, request: CalibrationScoreRequest) -> None:
        """Hand in one's marks, or change them before the end.

        Raises:
            NotFoundError: ``calibration.not_found``, also for those who do not take part. ConflictError:
            ``calibration.closed``. BadInputError: as for scoring a call.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, session_id)
            if actor.staff_id is None or actor.staff_id not in (row.expert_id, *row.participants):
                raise NotFoundError("there is no such session for you", code="calibration.not_found")
            if row.closed_at is not None:
                raise ConflictError("the session is closed", code="calibration.closed")
            await access_qa_call(work.session, actor, row.call_id)
            form = await stored_form(work.session, row.form_version)
            answers = {
                item_id: Answer(None if one.fraction is None else Decimal(repr(one.fraction)), one.comment)
                for item_id, one in request.answers.items()
            }
            result = score(form, answers)
            assert_justified(form, answers)
            await work.session.merge(
                CalibrationScore(
                    session_id=row.id,
                    staff_id=actor.staff_id,
                    answers=answers_to_json(answers),
                    score=result.points,
                    fatal=result.fatal,
                    comment=request.comment,
                    submitted_at=work.clock.now(),
                )
            )
            work.audit("calibration.score", "calibration_session", row.id, score=str(result.points))

    async def close(self, actor: Actor, session_id: str) -> None:
        """End it: from now on everybody who took part sees everything.

        Raises:
            NotFoundError: ``calibration.not_found``. ConflictError: ``calibration.closed``;
            ``calibration.no_expert`` while the expert has not scored.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, session_id)
            if row.closed_at is not None:
                raise ConflictError("the session is closed", code="calibration.closed")
            if await work.session.get(CalibrationScore, (row.id, row.expert_id)) is None:
                raise ConflictError("the expert has not scored yet", code="calibration.no_expert")
            row.closed_at = work.clock.now()
            work.audit("calibration.close", "calibration_session", row.id)

    async def sessions(self, actor: Actor) -> CalibrationList:
        """Sessions one takes part in; all of them for the QA lead."""
        actor.require(Permission.QA_VIEW)
        async with self._database.read() as session:
            query = select(CalibrationSession).order_by(
                col(CalibrationSession.closed_at).is_not(None), col(CalibrationSession.created_at).desc()
            )
            rows = (await session.scalars(query.limit(SHOWN))).all()
            seen = [
                row
                for row in rows
                if actor.may(Permission.QA_MANAGE) or actor.staff_id in (row.expert_id, *row.participants)
            ]
            return CalibrationList(items=[await _view(session, actor, row) for row in seen])


async def _locked(work: UnitOfWork, session_id: str) -> CalibrationSession:
    row = await work.session.get(CalibrationSession, session_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such session", code="calibration.not_found")
    return row


async def _view(session: AsyncSession, actor: Actor, row: CalibrationSession) -> CalibrationView:
    call = await session.get_one(Call, row.call_id)
    form = await stored_form(session, row.form_version)
    query = select(CalibrationScore).where(col(CalibrationScore.session_id) == row.id)
    scores = {one.staff_id: one for one in (await session.scalars(query)).all()}
    names = await names_of(session, {row.expert_id, *row.participants})
    marks = {staff_id: answers_from_json(one.answers) for staff_id, one in scores.items()}
    everybody, closed = list(marks.values()), row.closed_at is not None
    return CalibrationView(
        **row.model_dump(include={"id", "title", "call_id", "form_version", "created_at", "due_at", "closed_at"}),
        number=call.number,
        business_code=call.business_code,
        takes_part=actor.staff_id in (row.expert_id, *row.participants),
        scored=actor.staff_id in scores,
        fleiss=_rounded(compare.kappa_of_all(everybody)) if closed else None,
        scorers=[
            _scorer(staff_id, names[staff_id], row, scores.get(staff_id), marks, closed or staff_id == actor.staff_id)
            for staff_id in (row.expert_id, *row.participants)
        ],
        items=[
            CalibrationItem(
                item_id=item.id,
                title_zh=item.label_zh,
                title_en=item.label_en,
                weight=float(item.weight),
                agreement=compare.agreement(everybody, item.id) if closed else None,
            )
            for item in form.items
        ],
    )


def _scorer(
    staff_id: str,
    name: str,
    row: CalibrationSession,
    given: CalibrationScore | None,
    marks: dict[str, dict[str, Answer]],
    shown: bool,
) -> ScorerView:
    expert, mine = marks.get(row.expert_id), marks.get(staff_id)
    compared = row.closed_at is not None and expert is not None and mine is not None and staff_id != row.expert_id
    visible = given if shown else None
    return ScorerView(
        staff_id=staff_id,
        name=name,
        is_expert=staff_id == row.expert_id,
        done=given is not None,
        score=float(visible.score) if visible else None,
        fatal=visible.fatal if visible else None,
        deviation=compare.deviation(mine, expert) if compared and mine and expert else None,
        kappa=_rounded(compare.kappa_with(mine, expert)) if compared and mine and expert else None,
        answers=views.answer_views(visible.answers) if visible else None,
        comment=visible.comment if visible else "",
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
