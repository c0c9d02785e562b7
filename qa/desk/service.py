"""The inspector's work: list, open, draft, score."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError
from core.events import EvaluationSubmitted
from core.models.call import Rating
from core.models.chat import ChatMessage
from core.models.qa import Evaluation, EvaluationStep
from core.models.recording import RecordingFile
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call, inspector_of, names_of
from qa.calibration.blind import is_blind
from qa.desk import repo, tasks, views
from qa.desk.company import company_views
from qa.desk.repo import CallFilter, CallLine
from qa.desk.schemas import (
    AnswerView,
    DraftRequest,
    EvaluationRequest,
    EvaluationView,
    QaCallDetail,
    QaCallPage,
    RatingView,
    StepView,
)
from qa.review.change import assert_version, locked_evaluation, write_answers, write_step
from qa.review.states import move
from qa.scoring.form import Form
from qa.scoring.forms import active_form, stored_form
from qa.scoring.score import Answer, assert_justified
from qa.scoring.stored import answers_to_json
from qa.shown import shown_text
from qa.transcripts import call_transcript


class DeskService:
    """The QA desk."""

    def __init__(self, database: Database, form: Form) -> None:
        """`form` judges calls when no form is active in the database."""
        self._database = database
        self._form = form

    async def calls(
        self, actor: Actor, state: str = "", business: str = "", flag: str = "", page: int = 1
    ) -> QaCallPage:
        """Finished calls, newest first, without those this inspector may not inspect."""
        actor.require(Permission.QA_VIEW)
        async with self._database.read() as session:
            me = await inspector_of(session, actor.staff_id) if actor.staff_id else None
            wanted = CallFilter(state, business, flag, not_for=me)
            total = await repo.count_calls(session, wanted)
            lines = await repo.page_of_calls(session, wanted, page)
        items = [views.row_view(line) for line in lines]
        return QaCallPage(items=items, total=total, page=page, page_size=repo.PAGE_SIZE)

    async def open_call(self, actor: Actor, call_id: str) -> QaCallDetail:
        """Everything about one call. The look is audited.

        Raises:
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call``, ``qa.own_team``, ``qa.conflict``.
        """
        async with self._database.unit_of_work(actor) as work:
            await access_qa_call(work.session, actor, call_id)
            line = (await repo.lines(work.session, [call_id]))[0]
            detail = await self._detail(work.session, actor, line)
            work.audit("qa.view", "call", call_id)
        return detail

    async def _detail(self, session: AsyncSession, actor: Actor, line: CallLine) -> QaCallDetail:
        call_id, evaluation = line.call.id, line.evaluation
        files = (
            select(RecordingFile)
            .where(col(RecordingFile.call_id) == call_id)
            .order_by(col(RecordingFile.party), col(RecordingFile.track))
        )
        written = select(ChatMessage).where(col(ChatMessage.call_id) == call_id).order_by(col(ChatMessage.at))
        transcript = await call_transcript(session, call_id)
        findings = await repo.newest_findings(session, [call_id])
        rating = await session.get(Rating, call_id)
        kind = transcript.kind.value if transcript.kind else ""
        if evaluation is None:
            form = await active_form(session, line.call.business_code, self._form)
        else:
            form = await stored_form(session, evaluation.form_version)
        blind = await is_blind(session, actor.staff_id, call_id)
        if blind and evaluation is not None and evaluation.inspector_id != actor.staff_id:
            session.expunge(evaluation)  # what is hidden from one reader must not reach the table
            views.hide_marks(evaluation)
        fields: dict[str, Any] = {
            **views.row_fields(line),
            "recording": views.recording_view(line.recording) if line.recording else None,
            "holds": views.hold_views(line.call, line.recording),
            "company": await company_views(session, line.call, line.recording),
            "files": [views.file_view(file) for file in (await session.scalars(files)).all()],
            "segments": views.segment_views(actor, transcript.rows, kind),
            "chat": views.chat_views(actor, (await session.scalars(written)).all()),
            "findings": views.finding_views(actor, findings, transcript.rows),
            "form": views.form_view(form),
            "evaluation": await _view(session, evaluation) if evaluation else None,
            "steps": await steps_of(session, evaluation.id) if evaluation and not blind else [],
            "task": await tasks.note_of(session, actor, call_id),
            "rating": RatingView(stars=rating.stars, comment=shown_text(actor, rating.comment)) if rating else None,
            "disposition": line.call.disposition,
            "note": line.call.note and shown_text(actor, line.call.note),
        }
        return QaCallDetail.model_validate(fields)

    async def draft(self, actor: Actor, call_id: str, request: DraftRequest) -> EvaluationView:
        """Keep what is typed so far. A reload, or another browser, goes on from there.

        Raises:
            ConflictError: ``evaluation.stale``, ``evaluation.not_ready``, ``evaluation.wrong_state`` once it is
                released, ``task.other_inspector``. NotFoundError, DeniedError: as for opening the call.
        """
        actor.require(Permission.QA_SCORE)
        async with self._database.unit_of_work(actor) as work:
            evaluation = await self._mine_to_score(work, actor, call_id, request.version)
            evaluation.draft = {
                "answers": answers_to_json(_answers(request.answers)),
                "comment": request.comment,
                "by": actor.staff_id or actor.name,
            }
            evaluation.version += 1
            return await _view(work.session, evaluation)

    async def submit(self, actor: Actor, call_id: str, request: EvaluationRequest) -> EvaluationView:
        """Save the inspector's judgement; the open task of this call is done.

        Raises:
            ConflictError: ``evaluation.stale`` when somebody (or a new check) changed it meanwhile: look again;
                ``evaluation.not_ready`` while there is no pre-score; ``evaluation.wrong_state`` once it is released;
                ``task.other_inspector`` when the call is somebody else's to inspect.
            BadInputError: ``score.incomplete`` unless every item of the form has exactly one answer;
                ``score.comment_missing``, ``score.must_apply``.
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call``, ``qa.own_team``, ``qa.conflict``.
        """
        actor.require(Permission.QA_SCORE)
        async with self._database.unit_of_work(actor) as work:
            evaluation = await self._mine_to_score(work, actor, call_id, request.version)
            before, score_before = _books(evaluation), evaluation.score
            form, answers = await stored_form(work.session, evaluation.form_version), _answers(request.answers)
            await write_answers(work, evaluation, form, answers)
            assert_justified(form, answers)
            evaluation.state, evaluation.inspector_id = move(evaluation.state, "submit"), actor.staff_id
            evaluation.comment, evaluation.draft = request.comment, {}
            evaluation.submitted_at = work.clock.now()
            write_step(work, evaluation, "submitted", score_before)
            await tasks.finish(work, call_id)
            work.audit(
                "qa.score", "evaluation", evaluation.id, call_id=call_id, before=before, after=_books(evaluation)
            )
            work.emit(
                EvaluationSubmitted(
                    at=work.clock.now(),
                    call_id=call_id,
                    evaluation_id=evaluation.id,
                    inspector_id=actor.staff_id or actor.name,
                )
            )
            return await _view(work.session, evaluation)

    async def _mine_to_score(self, work: UnitOfWork, actor: Actor, call_id: str, version: int) -> Evaluation:
        await access_qa_call(work.session, actor, call_id)
        evaluation = await locked_evaluation(work.session, call_id)
        move(evaluation.state, "submit")
        assert_version(evaluation, version)
        await tasks.assert_mine(work.session, actor, call_id)
        if evaluation.inspector_id not in (None, actor.staff_id):
            raise ConflictError("another inspector has scored this call", code="task.other_inspector")
        return evaluation


async def steps_of(session: AsyncSession, evaluation_id: str) -> list[StepView]:
    """The history of an evaluation, oldest first."""
    query = select(EvaluationStep).where(col(EvaluationStep.evaluation_id) == evaluation_id)
    steps = (await session.scalars(query.order_by(col(EvaluationStep.at), col(EvaluationStep.id)))).all()
    names = await names_of(session, {step.staff_id for step in steps})
    return [
        StepView(
            at=step.at,
            name=names.get(step.staff_id or ""),
            action=step.action,
            score_before=views.number(step.score_before),
            score_after=views.number(step.score_after),
            note=step.note,
        )
        for step in steps
    ]


def _answers(given: Mapping[str, AnswerView]) -> dict[str, Answer]:
    return {
        item_id: Answer(None if one.fraction is None else Decimal(repr(one.fraction)), one.comment)
        for item_id, one in given.items()
    }


def _books(evaluation: Evaluation) -> dict[str, Any]:
    """The inspector's part, for the audit log."""
    return {
        "version": evaluation.version,
        "state": str(evaluation.state),
        "answers": evaluation.answers,
        "score": None if evaluation.score is None else str(evaluation.score),
        "fatal": evaluation.fatal,
        "comment": evaluation.comment,
        "inspector_id": evaluation.inspector_id,
    }


async def _view(session: AsyncSession, evaluation: Evaluation) -> EvaluationView:
    names = await names_of(session, {evaluation.inspector_id})
    return views.evaluation_view(evaluation, names.get(evaluation.inspector_id or ""))
