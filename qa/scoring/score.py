"""``score(form, answers)`` and the automatic pre-score from findings. Pure; Decimal throughout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from core.errors import BadInputError
from core.ports.compliance import FindingKind, RuleFinding
from qa.scoring.form import FULL_WEIGHT, CommentRule, Condition, DefectKind, Fatal, Form, Item, Section

_CENT = Decimal("0.01")
_NONE, _ALL = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """Judgement of one item: share of its points from 0 to 1, or None when it does not apply to this call."""

    fraction: Decimal | None
    comment: str = ""

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
        points: 0–``max``; 0 when an item that is fatal for the form failed.
        before_fatal: What the points would be without items fatal for the form.
        fatal: Whether such an item failed. fatal_items: every failed fatal item, also those of a section.
        bonus: Points added by bonus items, before the cap at ``max``.
    """

    points: Decimal
    max: Decimal
    before_fatal: Decimal
    fatal: bool
    fatal_items: tuple[str, ...]
    sections: tuple[SectionScore, ...]
    bonus: Decimal = _NONE


@dataclass(frozen=True, slots=True)
class LostPoints:
    """An item that lost points: a defect. `lost` is in percent of the form, as if nothing were left out."""

    item: Item
    kind: DefectKind
    lost: Decimal


def score(form: Form, answers: Mapping[str, Answer]) -> ScoreResult:
    """Weighted points; items that do not apply leave the denominator. With nothing to judge the score is full.

    Raises:
        BadInputError: An item has no answer, an answer names no item (``score.incomplete``), or a share lies
            outside 0–1 (``score.out_of_range``).
    """
    _assert_complete(form, answers)
    shares = asked_shares(form, answers)
    earned = weight = _NONE
    sections = []
    for section in form.sections:
        has, of = _section_points(section, shares)
        earned, weight = earned + has, weight + of
        sections.append(SectionScore(section.id, _scaled(has, of)))
    bonus = sum((i.weight * (shares[i.id] or _NONE) for i in form.items if i.bonus), _NONE)
    whole = _scaled(earned, weight)
    before_fatal = min(FULL_WEIGHT, (FULL_WEIGHT if whole is None else whole) + bonus).quantize(_CENT, ROUND_HALF_UP)
    failed = tuple(i for i in form.items if i.fatal is not Fatal.NONE and _failed(shares[i.id]))
    fatal = any(item.fatal is Fatal.FORM for item in failed)
    points = _NONE if fatal else before_fatal
    ids = tuple(item.id for item in failed)
    return ScoreResult(points, FULL_WEIGHT, before_fatal, fatal, ids, tuple(sections), bonus)


def asked_shares(form: Form, answers: Mapping[str, Answer]) -> dict[str, Decimal | None]:
    """The share of each item; None also where a condition of the form says that the item is not asked."""
    shares: dict[str, Decimal | None] = {}
    for item in form.items:
        asked = item.when is None or _holds(item.when, shares)
        shares[item.id] = answers[item.id].fraction if asked else None
    return shares


def assert_justified(form: Form, answers: Mapping[str, Answer]) -> None:
    """What an inspector owes beyond complete answers: comments, and no skipping of what may not be skipped.

    Raises:
        BadInputError: ``score.comment_missing`` or ``score.must_apply``, with `items`.
    """
    shares = asked_shares(form, answers)
    asked = [item for item in form.items if item.when is None or _holds(item.when, shares)]
    skipped = [item.id for item in asked if not item.may_skip and shares[item.id] is None]
    if skipped:
        raise BadInputError("these items always apply", code="score.must_apply", items=skipped)
    silent = [
        item.id for item in asked if _owes_comment(item, shares[item.id]) and not answers[item.id].comment.strip()
    ]
    if silent:
        raise BadInputError("these items need a comment", code="score.comment_missing", items=silent)


def lost_points(form: Form, answers: Mapping[str, Answer]) -> list[LostPoints]:
    """Every item that lost points, in the form's order."""
    shares = asked_shares(form, answers)
    return [
        LostPoints(item, item.defect, (item.weight * (_ALL - share)).quantize(_CENT, ROUND_HALF_UP))
        for item in form.items
        if not item.bonus and (share := shares[item.id]) is not None and share < _ALL
    ]


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


def _assert_complete(form: Form, answers: Mapping[str, Answer]) -> None:
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


def _holds(condition: Condition, shares: Mapping[str, Decimal | None]) -> bool:
    share = shares[condition.item]
    if share is None:
        return condition.answered == "not_applicable"
    return {
        "full": share == _ALL,
        "deducted": share < _ALL,
        "zero": share == _NONE,
        "not_applicable": False,
    }[condition.answered]


def _owes_comment(item: Item, share: Decimal | None) -> bool:
    if item.comment is CommentRule.ALWAYS:
        return True
    return item.comment is CommentRule.DEDUCTION and share is not None and share < _ALL and not item.bonus


def _failed(share: Decimal | None) -> bool:
    return share is not None and share < _ALL


def _section_points(section: Section, shares: Mapping[str, Decimal | None]) -> tuple[Decimal, Decimal]:
    """What the section earned, of what; a failed fatal item of the section takes all it earned."""
    earned = weight = _NONE
    lost = any(item.fatal is Fatal.SECTION and _failed(shares[item.id]) for item in section.items)
    for item in section.items:
        share = shares[item.id]
        if share is not None and not item.bonus:
            weight += item.weight
            earned += item.weight * share
    return (_NONE if lost else earned), weight


def _scaled(earned: Decimal, weight: Decimal) -> Decimal | None:
    return None if weight == 0 else (FULL_WEIGHT * earned / weight).quantize(_CENT, ROUND_HALF_UP)


def _auto_answer(item: Item, heard: set[str], missing: set[str], violated: set[str]) -> Answer:
    if violated.intersection(item.violations):
        return Answer(_NONE)
    asked = [node for node in item.nodes if node in heard or node in missing]
    if asked:
        return Answer(Decimal(sum(node in heard for node in asked)) / len(asked))
    return Answer(_ALL) if item.violations else NOT_APPLICABLE
