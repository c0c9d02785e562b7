"""The inspector's work: list, open, score."""

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError
from core.events import EvaluationSubmitted
from core.models.call import Rating
from core.models.qa import Evaluation, EvaluationState
from core.models.recording import RecordingFile
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.desk import repo, views
from qa.desk.access import access_qa_call
from qa.desk.repo import CallFilter, CallLine
from qa.desk.schemas import EvaluationRequest, EvaluationView, FindingView, QaCallDetail, QaCallPage, RatingView
from qa.scoring.form import Form
from qa.scoring.forms import form_by_version
from qa.scoring.score import Answer, score
from qa.scoring.stored import answers_to_json
from qa.transcripts import call_transcript


class DeskService:
    """The QA desk."""

    def __init__(self, database: Database, form: Form) -> None:
        """`form` is shown for calls without a pre-score; others keep the form they were judged by."""
        self._database = database
        self._form = form

    async def calls(
        self, actor: Actor, state: str = "", business: str = "", flag: str = "", page: int = 1
    ) -> QaCallPage:
        """Finished calls, newest first, without the own ones."""
        actor.require(Permission.QA_VIEW)
        wanted = CallFilter(state, business, flag, not_of=actor.staff_id)
        async with self._database.read() as session:
            total = await repo.count_calls(session, wanted)
            lines = await repo.page_of_calls(session, wanted, page)
        items = [views.row_view(line) for line in lines]
        return QaCallPage(items=items, total=total, page=page, page_size=repo.PAGE_SIZE)

    async def open_call(self, actor: Actor, call_id: str) -> QaCallDetail:
        """Everything about one call. The look is audited.

        Raises:
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call``.
        """
        async with self._database.unit_of_work(actor) as work:
            await access_qa_call(work.session, actor, call_id)
            line = (await repo.lines(work.session, [call_id]))[0]
            detail = await self._detail(work.session, line)
            work.audit("qa.view", "call", call_id)
        return detail

    async def _detail(self, session: AsyncSession, line: CallLine) -> QaCallDetail:
        call_id, evaluation = line.call.id, line.evaluation
        files = select(RecordingFile).where(col(RecordingFile.call_id) == call_id).order_by(col(RecordingFile.party))
        transcript = await call_transcript(session, call_id)
        findings = await repo.newest_findings(session, [call_id])
        rating = await session.get(Rating, call_id)
        kind = transcript.kind.value if transcript.kind else ""
        fields: dict[str, Any] = {
            **views.row_fields(line),
            "recording": views.recording_view(line.recording) if line.recording else None,
            "holds": views.hold_views(line.call, line.recording),
            "files": [views.file_view(file) for file in (await session.scalars(files)).all()],
            "segments": [views.segment_view(row, kind) for row in transcript.rows],
            "findings": [FindingView.model_validate(finding.model_dump()) for finding in findings],
            "form": views.form_view(form_by_version(evaluation.form_version) if evaluation else self._form),
            "evaluation": await _view(session, evaluation) if evaluation else None,
            "rating": RatingView(stars=rating.stars, comment=rating.comment) if rating else None,
            "disposition": line.call.disposition,
            "note": line.call.note,
        }
        return QaCallDetail.model_validate(fields)

    async def submit(self, actor: Actor, call_id: str, request: EvaluationRequest) -> EvaluationView:
        """Save the inspector's judgement.

        Raises:
            ConflictError: ``evaluation.stale`` when somebody (or a new check) changed it meanwhile: look again;
                ``evaluation.not_ready`` while there is no pre-score.
            BadInputError: ``score.incomplete`` unless every item of the form has exactly one answer.
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call``.
        """
        actor.require(Permission.QA_SCORE)
        async with self._database.unit_of_work(actor) as work:
            await access_qa_call(work.session, actor, call_id)
            mine = select(Evaluation).where(col(Evaluation.call_id) == call_id).with_for_update()
            evaluation = (await work.session.scalars(mine)).first()
            if evaluation is None:
                raise ConflictError("the call has no pre-score yet", code="evaluation.not_ready")
            if evaluation.version != request.version:
                raise ConflictError(
                    "somebody changed this evaluation meanwhile",
                    code="evaluation.stale",
                    current_version=evaluation.version,
                )
            before = _books(evaluation)
            _judge(evaluation, request)
            evaluation.state, evaluation.inspector_id = EvaluationState.SUBMITTED, actor.staff_id
            evaluation.submitted_at = work.clock.now()
            evaluation.version += 1
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


def _judge(evaluation: Evaluation, request: EvaluationRequest) -> None:
    answers = {
        item_id: Answer(None if given.fraction is None else Decimal(repr(given.fraction)))
        for item_id, given in request.answers.items()
    }
    result = score(form_by_version(evaluation.form_version), answers)
    evaluation.answers = answers_to_json(answers)
    evaluation.score, evaluation.fatal = result.points, result.fatal
    evaluation.comment = request.comment


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
    inspector = await session.get(Staff, evaluation.inspector_id) if evaluation.inspector_id else None
    return views.evaluation_view(evaluation, inspector.display_name if inspector else None)
