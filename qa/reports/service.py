"""Figures, the lists behind them, and exports."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import get_args

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from core.db import Database
from core.errors import BadInputError
from core.models.business import Business
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.reports import monthly, repo, sheet, trend
from qa.reports.facts import (
    CATEGORIES,
    NO_TEAM,
    EvaluationFact,
    RectificationFact,
    RuleFact,
    buckets,
    count,
    grouped,
    listed,
    mean,
    percent,
    rates,
)
from qa.reports.repo import Wanted
from qa.reports.schemas import (
    BucketView,
    DaysView,
    DefectView,
    GroupView,
    InspectorView,
    ItemDefectView,
    RatesView,
    RectificationFigures,
    ReportRow,
    ReportRows,
    ReportView,
    RuleFigures,
    TrendBy,
    TrendView,
)

MAX_DAYS = 731
DAYS, WEEKS = 14, 98
"""Stretches of a trend: days up to two weeks, weeks up to fourteen, then months."""


class ReportService:
    """Reports of inspection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, actor: Actor, wanted: Wanted) -> ReportView:
        """All figures. A supervisor sees the own team alone. BadInputError ``report.days``."""
        async with self._database.read() as session:
            wanted, scope = await _confined(session, actor, wanted)
            facts = await repo.evaluation_facts(session, wanted)
            rectifications = await repo.rectification_facts(session, wanted, self._database.clock.now())
            rules = await repo.rule_facts(session, wanted)
            names = {row.code: row.name_zh for row in (await session.scalars(select(Business))).all()}
        return ReportView(
            first=wanted.first,
            last=wanted.last,
            scope=scope,
            totals=_rates(facts),
            trend=[
                BucketView(first=a, last=b, **_rates([f for f in facts if a <= f.day <= b]).model_dump())
                for a, b in buckets(wanted.first, wanted.last)
            ],
            defects=_defects(facts),
            items=_items(facts),
            tellers=_groups(facts, lambda f: f.teller_id, lambda f: f.teller, lambda f: f.team),
            teams=_groups(facts, lambda f: f.team or NO_TEAM, lambda f: f.team),
            businesses=_groups(facts, lambda f: f.business, lambda f: names.get(f.business, f.business)),
            rules=_rules(rules),
            inspectors=_inspectors(facts) if actor.may(Permission.QA_VIEW) else [],
            rectifications=_rectified(rectifications),
        )

    async def trends(self, actor: Actor, wanted: Wanted, by: TrendBy) -> TrendView:
        """Figures of each group in each stretch of the period. BadInputError ``report.days``."""
        async with self._database.read() as session:
            wanted, _ = await _confined(session, actor, wanted)
            spans = buckets(wanted.first, wanted.last, days=DAYS, weeks=WEEKS)
            if by == "rule":
                rows = trend.of_rules(await repo.rule_facts(session, wanted), spans)
            else:
                facts = await repo.evaluation_facts(session, wanted)
                rectified = await repo.rectification_facts(session, wanted, self._database.clock.now())
                names = {row.code: row.name_zh for row in (await session.scalars(select(Business))).all()}
                rows = trend.of_evaluations(by, facts, rectified, spans, names)
        return TrendView(by=by, spans=[DaysView(first=first, last=last) for first, last in spans], rows=rows)

    async def rows(self, actor: Actor, wanted: Wanted, metric: str, value: str) -> ReportRows:
        """The list behind a number of the report. BadInputError ``report.days``."""
        async with self._database.read() as session:
            wanted, _ = await _confined(session, actor, wanted)
            if metric.startswith("rule"):
                facts = [f for f in await repo.rule_facts(session, wanted) if f.rule_id == value]
                items = [_rule_row(f) for f in facts if metric == "rule" or metric == f"rule_{f.verdict}"]
            elif metric.startswith("rectification"):
                found = await repo.rectification_facts(session, wanted, self._database.clock.now())
                items = [_rectification_row(f) for f in found if _counts(f, metric)]
            else:
                items = [_row(f) for f in listed(await repo.evaluation_facts(session, wanted), metric, value)]
        return ReportRows.model_validate({"metric": metric, "total": len(items), "items": items})

    async def workbook(self, actor: Actor, wanted: Wanted) -> bytes:
        """Figures and all evaluations as XLSX; audited."""
        report = await self.report(actor, wanted)
        rows = await self.rows(actor, wanted, "inspected", "")
        rectified = await self.rows(actor, wanted, "rectification", "")
        trends = [await self.trends(actor, wanted, by) for by in get_args(TrendBy)]
        await self._note(actor, "xlsx", wanted)
        return await asyncio.to_thread(sheet.workbook, report, rows.items, rectified.items, trends)

    async def csv(self, actor: Actor, wanted: Wanted, metric: str, value: str) -> bytes:
        """The list behind a number as CSV (UTF-8 with a byte order mark, as spreadsheets expect it); audited."""
        rows = await self.rows(actor, wanted, metric, value)
        await self._note(actor, "csv", wanted)
        return sheet.csv_rows(rows.items)

    async def month_pdf(self, actor: Actor, month: str) -> bytes:
        """The monthly report as PDF; audited."""
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        wanted = Wanted(first, last)
        report = await self.report(actor, wanted)
        shown: tuple[TrendBy, ...] = ("quality", "team", "business", "defect", "rule")
        trends = {by: await self.trends(actor, wanted, by) for by in shown}
        await self._note(actor, "pdf", wanted)
        return await asyncio.to_thread(monthly.render, report, trends, month, self._database.clock.now())

    async def _note(self, actor: Actor, form: str, wanted: Wanted) -> None:
        async with self._database.unit_of_work(actor) as work:
            detail = {key: str(part) for key, part in asdict(wanted).items() if part}
            work.audit("report.export", "qa_report", form, **detail)


async def _confined(session: AsyncSession, actor: Actor, wanted: Wanted) -> tuple[Wanted, str | None]:
    """What this person may see: without QA permissions only the own team."""
    actor.require(Permission.QA_REPORT)
    if not 0 <= (wanted.last - wanted.first).days < MAX_DAYS:
        raise BadInputError("first day before last, at most two years", code="report.days")
    if actor.may(Permission.QA_VIEW):
        return wanted, None
    me = await session.get_one(Staff, actor.staff_id)
    if me.team is None:  # sees nobody's figures
        return replace(wanted, teller_id="-"), ""
    return replace(wanted, team=me.team), me.team


def _rates(facts: Sequence[EvaluationFact]) -> RatesView:
    return RatesView.model_validate(asdict(rates(facts)))


def _groups(
    facts: Sequence[EvaluationFact],
    key: Callable[[EvaluationFact], str],
    name: Callable[[EvaluationFact], str],
    team: Callable[[EvaluationFact], str] | None = None,
) -> list[GroupView]:
    return [
        GroupView(
            key=group, name=name(members[0]), team=team(members[0]) if team else None, **_rates(members).model_dump()
        )
        for group, members in grouped(facts, key).items()
    ]


def _defects(facts: Sequence[EvaluationFact]) -> list[DefectView]:
    counts = {category: count(facts, "defect", category) for category in CATEGORIES}
    total = sum(counts.values())
    return [
        DefectView.model_validate({"category": category, "count": n, "share": percent(n, total)})
        for category, n in counts.items()
    ]


def _items(facts: Sequence[EvaluationFact]) -> list[ItemDefectView]:
    every = {defect.item_id: defect for fact in facts for defect in fact.defects}
    found = [
        ItemDefectView(
            item_id=item_id,
            title_zh=defect.title_zh,
            title_en=defect.title_en,
            category=defect.category,
            count=count(facts, "item", item_id),
            lost=float(sum(one.lost for fact in facts for one in fact.defects if one.item_id == item_id)),
        )
        for item_id, defect in every.items()
    ]
    return sorted(found, key=lambda item: (-item.count, item.item_id))


def _rules(facts: Sequence[RuleFact]) -> list[RuleFigures]:
    groups: dict[str, list[RuleFact]] = {}
    for fact in facts:
        groups.setdefault(fact.rule_id, []).append(fact)
    found = []
    for rule_id, members in groups.items():
        confirmed, rejected = (sum(f.verdict == word for f in members) for word in ("confirmed", "rejected"))
        precision = percent(confirmed, confirmed + rejected)
        found.append(
            RuleFigures(
                rule_id=rule_id,
                label_zh=members[0].label_zh,
                label_en=members[0].label_en,
                kind=members[0].kind,
                hits=len(members),
                confirmed=confirmed,
                rejected=rejected,
                precision=None if precision is None else float(precision),
            )
        )
    return sorted(found, key=lambda rule: (-rule.hits, rule.rule_id))


def _inspectors(facts: Sequence[EvaluationFact]) -> list[InspectorView]:
    found = []
    for key, members in grouped(facts, lambda f: f.inspector_id).items():
        late, on_time, figures = count(members, "late"), count(members, "on_time"), rates(members)
        found.append(
            InspectorView.model_validate(
                {
                    "key": key,
                    "name": members[0].inspector,
                    "inspected": len(members),
                    "average": mean([f.score for f in members]),
                    "pass_rate": figures.pass_rate,
                    "on_time_rate": percent(on_time, late + on_time),
                    "late": late,
                    "decided": count(members, "decided"),
                    "upheld": figures.upheld,
                    "upheld_rate": figures.upheld_rate,
                }
            )
        )
    return found


def _rectified(facts: Sequence[RectificationFact]) -> RectificationFigures:
    on_time = sum(f.on_time is True for f in facts)
    known = sum(f.on_time is not None for f in facts)
    share = percent(on_time, known)
    return RectificationFigures(
        opened=len(facts),
        effective=sum(f.state == "effective" for f in facts),
        on_time=on_time,
        on_time_rate=None if share is None else float(share),
        overdue=sum(f.overdue for f in facts),
    )


def _counts(fact: RectificationFact, metric: str) -> bool:
    return {"rectification_on_time": fact.on_time is True, "rectification_overdue": fact.overdue}.get(metric, True)


def _row(fact: EvaluationFact) -> ReportRow:
    return ReportRow(
        call_id=fact.call_id,
        number=fact.number,
        business_code=fact.business,
        teller_name=fact.teller,
        team=fact.team,
        inspector_name=fact.inspector,
        at=fact.submitted_at,
        state=fact.state,
        score=float(fact.score),
        fatal=fact.fatal,
        note="；".join(defect.title_zh for defect in fact.defects),
    )


def _rule_row(fact: RuleFact) -> ReportRow:
    return ReportRow(
        call_id=fact.call_id,
        number=fact.number,
        business_code=fact.business,
        teller_name=fact.teller,
        team=fact.team,
        inspector_name="",
        at=fact.ended_at,
        state=fact.verdict or "",
        score=None,
        fatal=False,
        note=fact.label_zh,
    )


def _rectification_row(fact: RectificationFact) -> ReportRow:
    return ReportRow(
        call_id=fact.call_id,
        number=fact.number,
        business_code=fact.business,
        teller_name=fact.teller,
        team=fact.team,
        inspector_name="",
        at=fact.created_at,
        state=fact.state,
        score=None,
        fatal=False,
        note=fact.title,
    )
