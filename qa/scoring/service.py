"""The automatic pre-score of a checked call, kept apart from the inspector's score."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import NotFoundError
from core.events import CallScored, ComplianceChecked
from core.ids import new_id
from core.jobs import Subscription
from core.models.call import Call
from core.models.qa import ComplianceCheck, Evaluation, EvaluationState, Finding
from core.ports.compliance import FindingKind, RuleFinding, Severity
from core.ports.speech import Party
from core.security.actor import system_actor
from qa.scoring.form import Form
from qa.scoring.forms import active_form, form_version
from qa.scoring.score import auto_answers, score
from qa.scoring.stored import answers_to_json


@dataclass(frozen=True, slots=True)
class _Checked:
    business: str
    findings: list[RuleFinding]
    is_newest: bool


class ScoringService:
    """Pre-scores calls whose script check is stored."""

    def __init__(self, database: Database, form: Form) -> None:
        """`form` judges calls when no form is active in the database."""
        self._database = database
        self._form = form

    async def on_compliance_checked(self, event: ComplianceChecked) -> None:
        """Store the pre-score of the call's newest check; a submitted evaluation is never touched."""
        async with self._database.unit_of_work(system_actor("qa.score")) as work:
            checked = await _load(work.session, event)
            if not checked.is_newest:  # an older check came late
                return
            form = await active_form(work.session, checked.business, self._form)
            evaluation_id = await self._store(work, event.call_id, _auto_part(form, checked))
            if evaluation_id is not None:
                work.emit(CallScored(at=work.clock.now(), call_id=event.call_id, evaluation_id=evaluation_id))

    async def _store(self, work: UnitOfWork, call_id: str, auto: dict[str, Any]) -> str | None:
        """Returns the evaluation's id when something changed."""
        fresh = {
            "id": new_id("eval"),
            "call_id": call_id,
            "state": EvaluationState.PENDING,
            "answers": {},
            "draft": {},
            "comment": "",
            "created_at": work.clock.now(),
            "version": 1,
        }
        row = insert(Evaluation).values(**fresh, **auto).on_conflict_do_nothing(index_elements=["call_id"])
        if (await work.session.execute(row.returning(col(Evaluation.id)))).first() is not None:
            return str(fresh["id"])
        mine = select(Evaluation).where(col(Evaluation.call_id) == call_id).with_for_update()
        evaluation = (await work.session.scalars(mine)).one()
        same = all(getattr(evaluation, name) == value for name, value in auto.items())
        if same or evaluation.state != EvaluationState.PENDING:
            return None
        if evaluation.form_version != auto["form_version"]:
            evaluation.draft = {}  # answers to another form
        for name, value in auto.items():
            setattr(evaluation, name, value)
        evaluation.version += 1  # an inspector who looks at the old pre-score must see the new one first
        return evaluation.id


def _auto_part(form: Form, checked: _Checked) -> dict[str, Any]:
    answers = auto_answers(form, checked.findings, checked.business)
    result = score(form, answers)
    return {
        "form_version": form_version(form),
        "auto_answers": answers_to_json(answers),
        "auto_score": result.points,
        "auto_fatal": result.fatal,
        "max_score": result.max,
    }


def subscriptions(service: ScoringService) -> list[Subscription]:
    """Facts this part handles as jobs."""
    return [Subscription(ComplianceChecked, "qa.score", service.on_compliance_checked)]


async def _load(session: AsyncSession, event: ComplianceChecked) -> _Checked:
    call = await session.get(Call, event.call_id)
    if call is None:
        raise NotFoundError("there is no such call", code="call.not_found")
    newest = (
        select(col(ComplianceCheck.id))
        .where(col(ComplianceCheck.call_id) == event.call_id)
        .order_by(col(ComplianceCheck.checked_at).desc(), col(ComplianceCheck.id).desc())
        .limit(1)
    )
    rows = (await session.scalars(select(Finding).where(col(Finding.check_id) == event.check_id))).all()
    is_newest = (await session.scalars(newest)).first() == event.check_id
    return _Checked(call.business_code, [_finding(row) for row in rows], is_newest)


def _finding(row: Finding) -> RuleFinding:
    return RuleFinding(
        rule_id=row.rule_id,
        kind=FindingKind(row.kind),
        severity=Severity(row.severity),
        label_zh=row.label_zh,
        label_en=row.label_en,
        party=Party(row.party) if row.party else None,
        at_s=row.at_s,
        end_s=row.end_s,
        score=row.score,
        evidence=row.evidence,
        phrase=row.phrase,
    )
