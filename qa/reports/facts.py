"""What reports count, and how. Pure: every number is the length of the list behind it, or made of such numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

BANK_TIME = timedelta(hours=8)
NO_TEAM = "-"
"""Stands for tellers without a team, in keys and filters."""

CATEGORIES = ("entry_error", "operation", "verification", "other")
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class DefectFact:
    """An item that lost points."""

    item_id: str
    title_zh: str
    title_en: str
    category: str
    lost: Decimal


@dataclass(frozen=True, slots=True)
class EvaluationFact:
    """One scored call. `appealed` / `upheld`: items under appeal, and of them those decided for the teller."""

    evaluation_id: str
    call_id: str
    number: int
    business: str
    teller_id: str
    teller: str
    team: str
    inspector_id: str
    inspector: str
    submitted_at: datetime
    state: str
    score: Decimal
    fatal: bool
    passed: bool
    defects: tuple[DefectFact, ...] = ()
    appealed: int = 0
    decided: int = 0
    upheld: int = 0
    on_time: bool | None = None

    @property
    def day(self) -> date:
        """Day of the score in the bank's time."""
        return (self.submitted_at + BANK_TIME).date()


@dataclass(frozen=True, slots=True)
class RectificationFact:
    """One rectification opened in the period. `on_time`: the first proof came before its date; None: still open."""

    rectification_id: str
    call_id: str
    number: int
    teller_id: str
    teller: str
    team: str
    business: str
    title: str
    category: str
    state: str
    rounds: int
    created_at: datetime
    on_time: bool | None
    overdue: bool

    @property
    def day(self) -> date:
        """Day of its opening in the bank's time."""
        return (self.created_at + BANK_TIME).date()


@dataclass(frozen=True, slots=True)
class RuleFact:
    """One result of a rule in a call that ended in the period."""

    call_id: str
    number: int
    rule_id: str
    label_zh: str
    label_en: str
    kind: str
    verdict: str | None
    ended_at: datetime
    business: str
    teller: str
    team: str

    @property
    def day(self) -> date:
        """Day of the call's end in the bank's time."""
        return (self.ended_at + BANK_TIME).date()


@dataclass(frozen=True, slots=True)
class Rates:
    """Figures of a group of evaluations. Rates are percent with one decimal; None where there is nothing to count."""

    inspected: int
    average: Decimal | None
    passed: int
    pass_rate: Decimal | None
    fatal: int
    fatal_rate: Decimal | None
    appealed: int
    upheld: int
    upheld_rate: Decimal | None


def percent(part: int, whole: int) -> Decimal | None:
    """A share in percent, one decimal."""
    return (Decimal(100 * part) / whole).quantize(_TENTH, ROUND_HALF_UP) if whole else None


def mean(values: Sequence[Decimal]) -> Decimal | None:
    """Mean with two decimals."""
    if not values:
        return None
    return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def rates(facts: Sequence[EvaluationFact]) -> Rates:
    """The figures of a group."""
    passed, fatal = count(facts, "passed"), count(facts, "fatal")
    decided = count(facts, "decided")
    upheld = count(facts, "upheld")
    return Rates(
        inspected=len(facts),
        average=mean([fact.score for fact in facts]),
        passed=passed,
        pass_rate=percent(passed, len(facts)),
        fatal=fatal,
        fatal_rate=percent(fatal, len(facts)),
        appealed=count(facts, "appealed"),
        upheld=upheld,
        upheld_rate=percent(upheld, decided),
    )


_METRICS: dict[str, Callable[[EvaluationFact, str], bool]] = {
    "inspected": lambda fact, _: True,
    "passed": lambda fact, _: fact.passed,
    "failed": lambda fact, _: not fact.passed,
    "fatal": lambda fact, _: fact.fatal,
    "appealed": lambda fact, _: fact.appealed > 0,
    "decided": lambda fact, _: fact.decided > 0,
    "upheld": lambda fact, _: fact.upheld > 0,
    "late": lambda fact, _: fact.on_time is False,
    "on_time": lambda fact, _: fact.on_time is True,
    "defect": lambda fact, value: any(defect.category == value for defect in fact.defects),
    "item": lambda fact, value: any(defect.item_id == value for defect in fact.defects),
}
METRICS = tuple(_METRICS)


def listed(facts: Iterable[EvaluationFact], metric: str, value: str = "") -> list[EvaluationFact]:
    """The evaluations that a number counts; `value` names the defect's category or item. KeyError: no such metric."""
    counts = _METRICS[metric]
    return [fact for fact in facts if counts(fact, value)]


def count(facts: Iterable[EvaluationFact], metric: str, value: str = "") -> int:
    """A number: the length of its list."""
    return len(listed(facts, metric, value))


def grouped(facts: Iterable[EvaluationFact], key: Callable[[EvaluationFact], str]) -> dict[str, list[EvaluationFact]]:
    """Facts by group, in the order of the keys."""
    groups: dict[str, list[EvaluationFact]] = {}
    for fact in facts:
        groups.setdefault(key(fact), []).append(fact)
    return dict(sorted(groups.items()))


def buckets(first: date, last: date, days: int = 31, weeks: int = 182) -> list[tuple[date, date]]:
    """Both days included: days up to so many, then weeks up to so many days, then months; the last may be cut short."""
    span = (last - first).days + 1
    found, begin = [], first
    while begin <= last:
        if span <= days:
            end = begin
        elif span <= weeks:
            end = begin + timedelta(days=6 - begin.weekday())
        else:
            end = (begin.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        found.append((begin, min(end, last)))
        begin = end + timedelta(days=1)
    return found
