"""Release, acknowledgement, appeal, opinion and verdict: the use cases."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.events import AppealFiled, EvaluationFinal, EvaluationReleased
from core.ids import new_id
from core.models.call import Call
from core.models.improvement import Appeal, AppealItem, AppealState
from core.models.qa import Evaluation
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call
from qa.desk.schemas import ReleaseRequest
from qa.review.change import assert_version, locked_by_id, locked_evaluation, write_answers, write_step
from qa.review.schemas import AppealRequest, AppealVerdictRequest, OpinionOnItem, OpinionRequest, VerdictOnItem
from qa.review.states import APPEAL_DAYS, Parties, appeal_until, assert_independent, move
from qa.scoring.forms import stored_form
from qa.scoring.score import Answer
from qa.scoring.stored import answers_from_json

_OnItem = TypeVar("_OnItem", OpinionOnItem, VerdictOnItem)

APPEAL_DUE_DAYS = 5
"""Days in which supervisor and QA lead have to decide."""


class ReviewService:
    """The way of an evaluation from the inspector to the final verdict."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def release(self, actor: Actor, call_id: str, request: ReleaseRequest) -> None:
        """Let the teller see the evaluation: by the inspector who scored it or by the QA lead.

        Raises:
            ConflictError: ``evaluation.not_ready``, ``evaluation.stale``, ``evaluation.wrong_state``.
            DeniedError: ``evaluation.not_yours``.
        """
        async with self._database.unit_of_work(actor) as work:
            call = await access_qa_call(work.session, actor, call_id)
            evaluation = await locked_evaluation(work.session, call_id)
            if evaluation.inspector_id != actor.staff_id and not actor.may(Permission.QA_MANAGE):
                raise DeniedError("only who scored the call releases its score", code="evaluation.not_yours")
            assert_version(evaluation, request.version)
            evaluation.state = move(evaluation.state, "release")
            evaluation.released_at = work.clock.now()
            write_step(work, evaluation, "released", evaluation.score, request.note)
            work.audit("evaluation.release", "evaluation", evaluation.id, call_id=call_id)
            work.emit(
                EvaluationReleased(
                    at=work.clock.now(), call_id=call_id, evaluation_id=evaluation.id, teller_id=call.teller_id or ""
                )
            )

    async def acknowledge(self, actor: Actor, evaluation_id: str, version: int) -> None:
        """The teller accepts. ConflictError ``evaluation.stale``, ``evaluation.wrong_state``; NotFoundError."""
        async with self._database.unit_of_work(actor) as work:
            evaluation, _ = await access_own(work.session, actor, evaluation_id)
            assert_version(evaluation, version)
            evaluation.state = move(evaluation.state, "acknowledge")
            evaluation.acknowledged_at = work.clock.now()
            write_step(work, evaluation, "acknowledged", evaluation.score)
            work.audit("evaluation.acknowledge", "evaluation", evaluation.id, call_id=evaluation.call_id)

    async def appeal(self, actor: Actor, evaluation_id: str, request: AppealRequest) -> None:
        """The teller appeals against items. Without a supervisor of the team it goes straight to the QA lead.

        Raises:
            ConflictError: ``evaluation.stale``, ``evaluation.wrong_state``, ``appeal.too_late``.
            BadInputError: ``appeal.items`` when an item is not of the form or named twice.
        """
        async with self._database.unit_of_work(actor) as work:
            evaluation, call = await access_own(work.session, actor, evaluation_id)
            assert_version(evaluation, request.version)
            evaluation.state, now = move(evaluation.state, "appeal"), work.clock.now()
            if evaluation.released_at is None or now > appeal_until(evaluation.released_at):
                raise ConflictError("the time to appeal is over", code="appeal.too_late")
            named = [item.item_id for item in request.items]
            if len(set(named)) != len(named) or not set(named) <= set(evaluation.answers):
                raise BadInputError("each item of the form at most once", code="appeal.items")
            supervised = await _has_supervisor(work.session, await work.session.get_one(Staff, actor.staff_id))
            appeal = Appeal(
                id=new_id("appeal"),
                evaluation_id=evaluation.id,
                call_id=call.id,
                teller_id=actor.staff_id or "",
                state=AppealState.WITH_SUPERVISOR if supervised else AppealState.WITH_LEAD,
                created_at=now,
                due_at=now + timedelta(days=APPEAL_DUE_DAYS),
            )
            work.session.add(appeal)
            await work.session.flush()
            for item in request.items:
                work.session.add(AppealItem(appeal_id=appeal.id, item_id=item.item_id, reason=item.reason))
            write_step(work, evaluation, "appealed", evaluation.score)
            work.audit("appeal.file", "appeal", appeal.id, call_id=call.id, items=named)
            work.emit(AppealFiled(at=now, call_id=call.id, appeal_id=appeal.id, teller_id=appeal.teller_id))

    async def give_opinion(self, actor: Actor, appeal_id: str, request: OpinionRequest) -> None:
        """The supervisor of the teller's team speaks on every item; then it is the QA lead's turn.

        Raises:
            NotFoundError: ``appeal.not_found``, also for other teams. ConflictError: ``appeal.wrong_state``.
            DeniedError: ``appeal.own_part``. BadInputError: ``appeal.items`` unless every item is spoken on.
        """
        async with self._database.unit_of_work(actor) as work:
            appeal, evaluation, items = await _locked_appeal(work, appeal_id, AppealState.WITH_SUPERVISOR)
            me = await work.session.get_one(Staff, actor.staff_id)
            teller = await work.session.get_one(Staff, appeal.teller_id)
            if teller.team is None or teller.team != me.team:
                raise NotFoundError("there is no such appeal in your team", code="appeal.not_found")
            assert_independent(actor.staff_id, Parties(appeal.teller_id, evaluation.inspector_id))
            for opinion in _for_all(request.items, items):
                row = items[opinion.item_id]
                row.supported, row.supervisor_note = opinion.supported, opinion.note
            appeal.state, appeal.supervisor_id = AppealState.WITH_LEAD, actor.staff_id
            appeal.supported_at = work.clock.now()
            write_step(work, evaluation, "opinion", evaluation.score)
            opinions = {item_id: row.supported for item_id, row in items.items()}
            work.audit("appeal.opinion", "appeal", appeal.id, call_id=appeal.call_id, items=opinions)

    async def decide(self, actor: Actor, appeal_id: str, request: AppealVerdictRequest) -> None:
        """The last word: upheld items get a new share, the score is computed anew and is final.

        Raises:
            NotFoundError: ``appeal.not_found``. ConflictError: ``appeal.wrong_state``. DeniedError:
            ``appeal.own_part``. BadInputError: ``appeal.items`` unless every item is decided.
        """
        async with self._database.unit_of_work(actor) as work:
            appeal, evaluation, items = await _locked_appeal(work, appeal_id, AppealState.WITH_LEAD)
            await access_qa_call(work.session, actor, appeal.call_id)
            parties = Parties(appeal.teller_id, evaluation.inspector_id, appeal.supervisor_id)
            assert_independent(actor.staff_id, parties)
            answers, before = answers_from_json(evaluation.answers), evaluation.score
            for verdict in _for_all(request.items, items):
                row = items[verdict.item_id]
                row.upheld, row.lead_note = verdict.upheld, verdict.note
                if verdict.upheld:
                    row.fraction = None if verdict.fraction is None else Decimal(repr(verdict.fraction))
                    answers[verdict.item_id] = Answer(row.fraction, answers[verdict.item_id].comment)
            form = await stored_form(work.session, evaluation.form_version)
            await write_answers(work, evaluation, form, answers)
            appeal.state, appeal.lead_id, appeal.note = AppealState.DECIDED, actor.staff_id, request.note
            appeal.decided_at = work.clock.now()
            evaluation.state, evaluation.final_at = move(evaluation.state, "decide"), work.clock.now()
            write_step(work, evaluation, "decided", before, request.note)
            work.audit(
                "appeal.decide",
                "appeal",
                appeal.id,
                call_id=appeal.call_id,
                items={item_id: row.upheld for item_id, row in items.items()},
                before=str(before),
                after=str(evaluation.score),
            )
            work.emit(_final(work, evaluation, "verdict"))

    async def lapse(self, work: UnitOfWork) -> int:
        """Make final what can no longer be appealed; returns how many. For the house's clock."""
        until = work.clock.now() - timedelta(days=APPEAL_DAYS)
        query = select(Evaluation).where(
            col(Evaluation.state).in_(["released", "acknowledged"]), col(Evaluation.released_at) < until
        )
        late = (await work.session.scalars(query.with_for_update(skip_locked=True).limit(500))).all()
        for evaluation in late:
            evaluation.state, evaluation.final_at = move(evaluation.state, "lapse"), work.clock.now()
            write_step(work, evaluation, "lapsed", evaluation.score)
            work.audit("evaluation.final", "evaluation", evaluation.id, call_id=evaluation.call_id)
            work.emit(_final(work, evaluation, "lapsed"))
        return len(late)


async def access_own(session: AsyncSession, actor: Actor, evaluation_id: str) -> tuple[Evaluation, Call]:
    """A released evaluation of the actor's own call, locked. NotFoundError ``evaluation.not_found`` for all others."""
    actor.require(Permission.EVALUATION_OWN)
    evaluation = await locked_by_id(session, evaluation_id)
    call = await session.get_one(Call, evaluation.call_id)
    if call.teller_id != actor.staff_id or evaluation.released_at is None:
        raise NotFoundError("there is no such evaluation of yours", code="evaluation.not_found")
    return evaluation, call


async def _has_supervisor(session: AsyncSession, teller: Staff) -> bool:
    if teller.team is None:
        return False
    query = select(Staff).where(
        col(Staff.team) == teller.team, col(Staff.active).is_(True), col(Staff.roles).contains([Role.SUPERVISOR.value])
    )
    return any(staff.id != teller.id for staff in (await session.scalars(query)).all())


async def _locked_appeal(
    work: UnitOfWork, appeal_id: str, state: AppealState
) -> tuple[Appeal, Evaluation, dict[str, AppealItem]]:
    appeal = await work.session.get(Appeal, appeal_id, with_for_update=True)
    if appeal is None:
        raise NotFoundError("there is no such appeal", code="appeal.not_found")
    if appeal.state != state:
        raise ConflictError("it is not your turn on this appeal", code="appeal.wrong_state", state=appeal.state)
    evaluation = await locked_by_id(work.session, appeal.evaluation_id)
    rows = (await work.session.scalars(select(AppealItem).where(col(AppealItem.appeal_id) == appeal_id))).all()
    return appeal, evaluation, {row.item_id: row for row in rows}


def _for_all(given: list[_OnItem], items: dict[str, AppealItem]) -> list[_OnItem]:
    """What is said, when it is said on every item exactly once."""
    if sorted(one.item_id for one in given) != sorted(items):
        raise BadInputError("every item under appeal, once", code="appeal.items")
    return given


def _final(work: UnitOfWork, evaluation: Evaluation, reason: Literal["verdict", "lapsed"]) -> EvaluationFinal:
    return EvaluationFinal(at=work.clock.now(), call_id=evaluation.call_id, evaluation_id=evaluation.id, reason=reason)
