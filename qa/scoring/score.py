"""``score(form, answers)`` and the automatic pre-score from findings. Pure; Decimal throughout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from core.errors import BadInputError
from core.ports.compliance import FindingKind, RuleFinding
from qa.scoring.form import FULL_WEIGHT, Form, Item

_CENT = Decimal("0.01")
_NONE, _ALL = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """Judgement of one item: share of its points from 0 to 1, or None when it does not apply to this call."""

    fraction: Decimal | None

    @property
    def applies(self) -> bool:
        """Whether the item counts."""
        return self.fraction is not None


NOT_APPLICABLE = Answer(None)


@dataclass(frozen=True, slots=True)
class SectionScore:
    """Points of one section on its own scale of 0–100; None when none of its weighted items applies."""

    section_id: str
    points: Decimal | None


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Result of a form.

    Attributes:
        points: 0–``max``; 0 when a fatal item failed.
        before_fatal: What the points would be without fatal items.
        fatal: Whether a fatal item failed, and which (``fatal_items``).
    """

    points: Decimal
    max: Decimal
    before_fatal: Decimal
    fatal: bool
    fatal_items: tuple[str, ...]
    sections: tuple[SectionScore, ...]


def score(form: Form, answers: Mapping[str, Answer]) -> ScoreResult:
    """Weighted points; items that do not apply leave the denominator. With nothing to judge the score is full.

    Raises:
        BadInputError: An item has no answer, an answer names no item (``score.incomplete``), or a share lies
            outside 0–1 (``score.out_of_range``).
    """
    expected, given = {item.id for item in form.items}, set(answers)
    if expected != given:
        raise BadInputError(
            "Every item needs exactly one answer.",
            code="score.incomplete",
            missing=sorted(expected - given),
            unknown=sorted(given - expected),
        )
    for item_id, answer in answers.items():
        fraction = answer.fraction
        if fraction is not None and not (fraction.is_finite() and _NONE <= fraction <= _ALL):
            raise BadInputError("A share must lie between 0 and 1.", code="score.out_of_range", item=item_id)
    whole = _weighted(form.items, answers)
    before_fatal = FULL_WEIGHT if whole is None else whole
    failed = tuple(i.id for i in form.items if i.fatal and answers[i.id].fraction not in (None, _ALL))
    sections = tuple(SectionScore(s.id, _weighted(s.items, answers)) for s in form.sections)
    return ScoreResult(_NONE if failed else before_fatal, FULL_WEIGHT, before_fatal, bool(failed), failed, sections)


def auto_answers(form: Form, findings: Iterable[RuleFinding], business: str) -> dict[str, Answer]:
    """Automatic answers from a call's findings.

    A node that is neither heard nor missing is not asked of this business and does not count.
    """
    found = list(findings)
    heard = {f.rule_id for f in found if f.kind is FindingKind.PRESENT}
    missing = {f.rule_id for f in found if f.kind is FindingKind.MISSING}
    violated = {f.rule_id for f in found if f.kind is FindingKind.FORBIDDEN}
    return {
        item.id: _auto_answer(item, heard, missing, violated) if item.concerns(business) else NOT_APPLICABLE
        for item in form.items
    }


def _auto_answer(item: Item, heard: set[str], missing: set[str], violated: set[str]) -> Answer:
    if violated.intersection(item.violations):
        return Answer(_NONE)
    asked = [node for node in item.nodes if node in heard or node in missing]
    if asked:
        return Answer(Decimal(sum(node in heard for node in asked)) / len(asked))
    return Answer(_ALL) if item.violations else NOT_APPLICABLE


def _weighted(items: Iterable[Item], answers: Mapping[str, Answer]) -> Decimal | None:
    weight = earned = _NONE
    for item in items:
        fraction = answers[item.id].fraction
        if fraction is not None:
            weight += item.weight
            earned += item.weight * fraction
    if weight == 0:
        return None
    return (FULL_WEIGHT * earned / weight).quantize(_CENT, ROUND_HALF_UP)
