"""How far apart marks are. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from qa.calibration.kappa import cohen_kappa, fleiss_kappa
from qa.scoring.score import Answer

Marks = Mapping[str, Answer]


def category(answer: Answer) -> str:
    """Marks as categories, for kappa: not applicable, nothing, part, full."""
    if answer.fraction is None:
        return "not_applicable"
    return "full" if answer.fraction == 1 else "none" if answer.fraction == 0 else "part"


def deviation(marks: Marks, expert: Marks) -> float | None:
    """Mean distance of the shares from the expert's, over items that apply to both; None when there are none.

    An item that applies to one of them alone counts as a full distance.
    """
    distances = [d for item_id, mark in marks.items() if (d := _distance(mark, expert[item_id])) is not None]
    return round(float(sum(distances, Decimal(0)) / len(distances)), 4) if distances else None


def kappa_with(marks: Marks, expert: Marks) -> float | None:
    """Cohen's kappa of one person with the expert."""
    items = sorted(marks)
    return cohen_kappa([category(marks[i]) for i in items], [category(expert[i]) for i in items])


def kappa_of_all(everybody: Sequence[Marks]) -> float | None:
    """Fleiss' kappa of everybody; None with fewer than two people."""
    if len(everybody) < 2:
        return None
    return fleiss_kappa([[category(marks[i]) for marks in everybody] for i in sorted(everybody[0])])


def agreement(everybody: Sequence[Marks], item_id: str) -> float | None:
    """Share of pairs of people that marked an item alike; None with fewer than two people."""
    marks = [category(each[item_id]) for each in everybody]
    pairs = [(a, b) for at, a in enumerate(marks) for b in marks[at + 1 :]]
    return round(sum(a == b for a, b in pairs) / len(pairs), 4) if pairs else None


def _distance(one: Answer, other: Answer) -> Decimal | None:
    if one.fraction is None and other.fraction is None:
        return None
    if one.fraction is None or other.fraction is None:
        return Decimal(1)
    return abs(one.fraction - other.fraction)
