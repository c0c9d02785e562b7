"""Reading the facts of a period."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from core.models.call import Call
from core.models.improvement import Appeal, AppealItem, Rectification, RectificationStep
from core.models.qa import Defect, Evaluation, Finding
from core.models.sampling import InspectionTask, TaskState
from core.models.staff import Staff
from qa.batches import batches
from qa.desk.repo import newest_checks
from qa.improve.rectify import is_overdue
from qa.reports.facts import BANK_TIME, NO_TEAM, DefectFact, EvaluationFact, RectificationFact, RuleFact
from qa.scoring.form import Form
from qa.scoring.forms import stored_form


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about: days in the bank's time, both included; empty text means all."""

    first: date
    last: date
    business: str = ""
    team: str = ""
    teller_id: str = ""
    inspector_id: str = ""

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The days as a half-open span of aware UTC."""
        begin = datetime.combine(self.first, time(), UTC) - BANK_TIME
        return begin, datetime.combine(self.last + timedelta(days=1), time(), UTC) - BANK_TIME

    def conditions(self) -> list[ColumnElement[bool]]:
        """Which calls; needs Call and Staff (the teller) in the query."""
        found = []
        if self.business:
            found.append(col(Call.business_code) == self.business)
        if self.team:
            found.append(col(Staff.team).is_(None) if self.team == NO_TEAM else col(Staff.team) == self.team)
        if self.teller_id:
            found.append(col(Call.teller_id) == self.teller_id)
        return found


async def evaluation_facts(session: AsyncSession, wanted: Wanted) -> list[EvaluationFact]:
    """Evaluations that were submitted in the period, newest first."""
    begin, end = wanted.span
    inspector = aliased(Staff)
    query = (
        select(Evaluation, Call, Staff, inspector)
        .join(Call, col(Call.id) == col(Evaluation.call_id))
        .join(Staff, col(Staff.id) == col(Call.teller_id))
        .join(inspector, col(inspector.id) == col(Evaluation.inspector_id))
        .where(
            col(Evaluation.submitted_at) >= begin,
            col(Evaluation.submitted_at) < end,
            col(Evaluation.score).is_not(None),
            *wanted.conditions(),
        )
        .order_by(col(Evaluation.submitted_at).desc(), col(Evaluation.id))
    )
    if wanted.inspector_id:
        query = query.where(col(Evaluation.inspector_id) == wanted.inspector_id)
    rows = (await session.execute(query)).all()
    ids, call_ids = [row[0].id for row in rows], [row[1].id for row in rows]
    defects, appeals = await _defects(session, ids), await _appeals(session, ids)
    on_time, forms = await _on_time(session, call_ids), await _forms(session, {row[0].form_version for row in rows})
    facts = []
    for evaluation, call, teller, judge in rows:
        items = appeals.get(evaluation.id, [])
        score, fatal, submitted_at = evaluation.score, bool(evaluation.fatal), evaluation.submitted_at
        if score is None or submitted_at is None:  # the query leaves these out
            continue
        facts.append(
            EvaluationFact(
                evaluation_id=evaluation.id,
                call_id=call.id,
                number=call.number,
                business=call.business_code,
                teller_id=teller.id,
                teller=teller.display_name,
                team=teller.team or "",
                inspector_id=judge.id,
                inspector=judge.display_name,
                submitted_at=submitted_at,
                state=evaluation.state,
                score=score,
                fatal=fatal,
                passed=score >= forms[evaluation.form_version].pass_mark and not fatal,
                defects=tuple(defects.get(evaluation.id, ())),
                appealed=len(items),
                decided=sum(item.upheld is not None for item in items),
                upheld=sum(item.upheld is True for item in items),
                on_time=on_time.get(call.id),
            )
        )
    return facts


async def rectification_facts(session: AsyncSession, wanted: Wanted, now: datetime) -> list[RectificationFact]:
    """Rectifications that were opened in the period, newest first."""
    begin, end = wanted.span
    query = (
        select(Rectification, Call, Staff)
        .join(Call, col(Call.id) == col(Rectification.call_id))
        .join(Staff, col(Staff.id) == col(Rectification.teller_id))
        .where(col(Rectification.created_at) >= begin, col(Rectification.created_at) < end, *wanted.conditions())
        .order_by(col(Rectification.created_at).desc())
    )
    if wanted.inspector_id:
        query = query.where(col(Rectification.created_by) == wanted.inspector_id)
    rows = (await session.execute(query)).all()
    ids = [row[0].id for row in rows]
    proven, late = await _first_proofs(session, ids)
    facts = []
    for row, call, teller in rows:
        overdue = is_overdue(row.state, row.due_at, now)
        on_time = False if row.id in late or overdue else True if row.id in proven else None
        facts.append(
            RectificationFact(
                rectification_id=row.id,
                call_id=call.id,
                number=call.number,
                teller_id=teller.id,
                teller=teller.display_name,
                team=teller.team or "",
                business=call.business_code,
                title=row.title,
                category=row.category,
                state=row.state,
                rounds=row.round,
                created_at=row.created_at,
                on_time=on_time,
                overdue=overdue,
            )
        )
    return facts


async def _first_proofs(session: AsyncSession, ids: list[str]) -> tuple[set[str], set[str]]:
    """Rectifications with proof, and those that were overdue before the first one."""
    proven: set[str] = set()
    late: set[str] = set()
    for some in batches(ids):
        steps = select(RectificationStep).where(
            col(RectificationStep.rectification_id).in_(some), col(RectificationStep.action).in_(["proven", "overdue"])
        )
        for step in (await session.scalars(steps.order_by(col(RectificationStep.at)))).all():
            if step.action == "proven":
                proven.add(step.rectification_id)
            elif step.rectification_id not in proven:
                late.add(step.rectification_id)
    return proven, late


async def rule_facts(session: AsyncSession, wanted: Wanted) -> list[RuleFact]:
    """What the newest check of each call that ended in the period found amiss."""
    begin, end = wanted.span
    query = (
        select(Finding, Call, Staff)
        .join(Call, col(Call.id) == col(Finding.call_id))
        .join(Staff, col(Staff.id) == col(Call.teller_id))
        .where(
            col(Call.ended_at) >= begin,
            col(Call.ended_at) < end,
            col(Finding.kind) != "present",
            col(Finding.check_id).in_(newest_checks()),
            *wanted.conditions(),
        )
        .order_by(col(Call.ended_at).desc())
    )
    return [
        RuleFact(
            call_id=call.id,
            number=call.number,
            rule_id=finding.rule_id,
            label_zh=finding.label_zh,
            label_en=finding.label_en,
            kind=finding.kind,
            verdict=finding.verdict,
            ended_at=call.ended_at or call.queued_at,
            business=call.business_code,
            teller=teller.display_name,
            team=teller.team or "",
        )
        for finding, call, teller in (await session.execute(query)).all()
    ]


async def _forms(session: AsyncSession, versions: set[str]) -> dict[str, Form]:
    return {version: await stored_form(session, version) for version in versions}


async def _defects(session: AsyncSession, ids: list[str]) -> dict[str, list[DefectFact]]:
    found: dict[str, list[DefectFact]] = {}
    for some in batches(ids):
        query = select(Defect).where(col(Defect.evaluation_id).in_(some)).order_by(col(Defect.item_id))
        for row in (await session.scalars(query)).all():
            fact = DefectFact(row.item_id, row.title_zh, row.title_en, row.category, row.lost)
            found.setdefault(row.evaluation_id, []).append(fact)
    return found


async def _appeals(session: AsyncSession, ids: list[str]) -> dict[str, list[AppealItem]]:
    found: dict[str, list[AppealItem]] = {}
    for some in batches(ids):
        query = (
            select(col(Appeal.evaluation_id), AppealItem)
            .join(AppealItem, col(AppealItem.appeal_id) == col(Appeal.id))
            .where(col(Appeal.evaluation_id).in_(some))
        )
        for evaluation_id, item in (await session.execute(query)).all():
            found.setdefault(evaluation_id, []).append(item)
    return found


async def _on_time(session: AsyncSession, call_ids: list[str]) -> dict[str, bool]:
    """Whether drawn calls were inspected before their date; calls scored without a task are not here."""
    found: dict[str, bool] = {}
    for some in batches(call_ids):
        query = select(InspectionTask).where(
            col(InspectionTask.call_id).in_(some), col(InspectionTask.state) == TaskState.DONE
        )
        for row in (await session.scalars(query)).all():
            found[row.call_id] = row.done_at is not None and row.done_at <= row.due_at
    return found
