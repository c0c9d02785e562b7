"""Figures over time: one row per group, one cell per stretch of days. Pure; a cell's count is the length of a list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from qa.reports.facts import CATEGORIES, NO_TEAM, EvaluationFact, RectificationFact, RuleFact, count, grouped, percent
from qa.reports.schemas import TrendCell, TrendRow

Span = tuple[date, date]


class Dated(Protocol):
    """A fact that happened on a day."""

    @property
    def day(self) -> date:
        """In the bank's time."""


Fact = TypeVar("Fact", bound=Dated)


def cells(
    facts: Iterable[Fact], spans: Sequence[Span], measure: Callable[[list[Fact]], tuple[int, Decimal | None]]
) -> list[TrendCell]:
    """The facts of each span, measured as (count, rate). Spans are in order of time and do not overlap."""
    by_span: list[list[Fact]] = [[] for _ in spans]
    for fact in facts:
        place = next((n for n, (first, last) in enumerate(spans) if first <= fact.day <= last), None)
        if place is not None:
            by_span[place].append(fact)
    return [
        TrendCell(count=number, rate=None if rate is None else float(rate))
        for number, rate in (measure(members) for members in by_span)
    ]


def of_evaluations(
    by: str,
    facts: Sequence[EvaluationFact],
    rectifications: Sequence[RectificationFact],
    spans: Sequence[Span],
    businesses: Mapping[str, str],
) -> list[TrendRow]:
    """Rows of tellers, teams or businesses, of kinds of defects, or of quality as a whole (``quality``).

    Args:
        businesses: Names by code.
    """
    if by == "quality":
        return _quality(facts, rectifications, spans)
    if by == "defect":
        return [
            _row(category, "", "defect", category, cells(facts, spans, _share("defect", category)))
            for category in CATEGORIES
        ]
    key, name = _GROUPS[by]
    return [
        _row(group, businesses.get(group, name(members[0])), "inspected", "", cells(members, spans, _passed))
        for group, members in grouped(facts, key).items()
    ]


def of_rules(facts: Sequence[RuleFact], spans: Sequence[Span]) -> list[TrendRow]:
    """A row per rule, the most frequent first: hits, and of those judged the share that was confirmed."""
    groups: dict[str, list[RuleFact]] = {}
    for fact in facts:
        groups.setdefault(fact.rule_id, []).append(fact)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [
        TrendRow(
            key=rule_id,
            name_zh=members[0].label_zh,
            name_en=members[0].label_en,
            metric="rule",
            value=rule_id,
            cells=cells(members, spans, _precision),
        )
        for rule_id, members in ordered
    ]


def _quality(
    facts: Sequence[EvaluationFact], rectifications: Sequence[RectificationFact], spans: Sequence[Span]
) -> list[TrendRow]:
    def upheld(some: list[EvaluationFact]) -> tuple[int, Decimal | None]:
        return count(some, "upheld"), percent(count(some, "upheld"), count(some, "decided"))

    def on_time(some: list[RectificationFact]) -> tuple[int, Decimal | None]:
        known = sum(one.on_time is not None for one in some)
        done = sum(one.on_time is True for one in some)
        return done, percent(done, known)

    return [
        _row("passed", "", "passed", "", cells(facts, spans, _share("passed"))),
        _row("fatal", "", "fatal", "", cells(facts, spans, _share("fatal"))),
        _row("upheld", "", "upheld", "", cells(facts, spans, upheld)),
        _row("on_time", "", "rectification_on_time", "", cells(rectifications, spans, on_time)),
    ]


def _share(metric: str, value: str = "") -> Callable[[list[EvaluationFact]], tuple[int, Decimal | None]]:
    def measure(some: list[EvaluationFact]) -> tuple[int, Decimal | None]:
        number = count(some, metric, value)
        return number, percent(number, len(some))

    return measure


def _passed(some: list[EvaluationFact]) -> tuple[int, Decimal | None]:
    return len(some), percent(count(some, "passed"), len(some))


def _precision(some: list[RuleFact]) -> tuple[int, Decimal | None]:
    confirmed, rejected = (sum(one.verdict == word for one in some) for word in ("confirmed", "rejected"))
    return len(some), percent(confirmed, confirmed + rejected)


def _row(key: str, name: str, metric: Any, value: str, made: list[TrendCell]) -> TrendRow:
    return TrendRow(key=key, name_zh=name, name_en=name, metric=metric, value=value, cells=made)


_GROUPS: dict[str, tuple[Callable[[EvaluationFact], str], Callable[[EvaluationFact], str]]] = {
    "teller": (lambda fact: fact.teller_id, lambda fact: fact.teller),
    "team": (lambda fact: fact.team or NO_TEAM, lambda fact: fact.team),
    "business": (lambda fact: fact.business, lambda fact: fact.business),
}
