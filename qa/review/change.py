"""Changing an evaluation: one place that locks, checks the version, scores, and keeps history and defects."""

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.ids import new_id
from core.models.qa import Defect, Evaluation, EvaluationStep
from qa.scoring.form import Fatal, Form
from qa.scoring.score import Answer, lost_points, score
from qa.scoring.stored import answers_to_json


async def locked_evaluation(session: AsyncSession, call_id: str) -> Evaluation:
    """The evaluation of a call, locked. ConflictError ``evaluation.not_ready`` while there is no pre-score."""
    query = select(Evaluation).where(col(Evaluation.call_id) == call_id).with_for_update()
    evaluation = (await session.scalars(query)).first()
    if evaluation is None:
        raise ConflictError("the call has no pre-score yet", code="evaluation.not_ready")
    return evaluation


async def locked_by_id(session: AsyncSession, evaluation_id: str) -> Evaluation:
    """An evaluation, locked. NotFoundError ``evaluation.not_found``."""
    evaluation = await session.get(Evaluation, evaluation_id, with_for_update=True)
    if evaluation is None:
        raise NotFoundError("there is no such evaluation", code="evaluation.not_found")
    return evaluation


def assert_version(evaluation: Evaluation, version: int) -> None:
    """ConflictError ``evaluation.stale`` when somebody (or a new check) changed it meanwhile: look again."""
    if evaluation.version != version:
        raise stale("evaluation.stale", evaluation.version)


def stale(code: str, current_version: int) -> ConflictError:
    """The refusal of a save on old ground."""
    return ConflictError("somebody changed this meanwhile", code=code, current_version=current_version)


async def write_answers(work: UnitOfWork, evaluation: Evaluation, form: Form, answers: Mapping[str, Answer]) -> None:
    """Score the answers and store them with the defects they show."""
    result = score(form, answers)
    evaluation.answers = answers_to_json(answers)
    evaluation.score, evaluation.fatal = result.points, result.fatal
    await work.session.execute(delete(Defect).where(col(Defect.evaluation_id) == evaluation.id))
    for lost in lost_points(form, answers):
        work.session.add(
            Defect(
                evaluation_id=evaluation.id,
                item_id=lost.item.id,
                call_id=evaluation.call_id,
                category=lost.kind.value,
                title_zh=lost.item.label_zh,
                title_en=lost.item.label_en,
                fatal=lost.item.fatal is not Fatal.NONE,
                lost=lost.lost,
            )
        )


def write_step(
    work: UnitOfWork, evaluation: Evaluation, action: str, before: Decimal | None = None, note: str = ""
) -> None:
    """Add to the evaluation's history."""
    evaluation.version += 1
    work.session.add(
        EvaluationStep(
            id=new_id("step"),
            evaluation_id=evaluation.id,
            at=work.clock.now(),
            staff_id=work.actor.staff_id,
            action=action,
            score_before=before,
            score_after=evaluation.score,
            note=note,
        )
    )
