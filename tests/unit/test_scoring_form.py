"""The pure score: bounds, weights, N/A invariance, fatal items, automatic answers."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInputError
from core.ports.compliance import FindingKind, RuleFinding, Severity
from qa.scoring.form import Fatal, load_form, parse_form
from qa.scoring.score import NOT_APPLICABLE, Answer, auto_answers, score

FORM = load_form()
_FRACTION = st.one_of(st.none(), st.decimals(0, 1, places=2))
ANSWERS = st.fixed_dictionaries({item.id: _FRACTION.map(Answer) for item in FORM.items})


def _full() -> dict[str, Answer]:
    return {item.id: Answer(Decimal(1)) for item in FORM.items}


def _finding(rule_id: str, kind: FindingKind) -> RuleFinding:
    return RuleFinding(rule_id, kind, Severity.MAJOR, "甲", "A", None, None, None, 0.0, "", "")


@settings(deadline=None)
@given(ANSWERS)
def test_points_stay_within_bounds(answers: dict[str, Answer]) -> None:
    result = score(FORM, answers)
    assert 0 <= result.points <= result.max == 100
    assert 0 <= result.before_fatal <= 100
    assert result.points == (0 if result.fatal else result.before_fatal)


@settings(deadline=None)
@given(ANSWERS)
def test_points_are_the_weighted_mean_of_what_applies(answers: dict[str, Answer]) -> None:
    rows = [(i.weight, answers[i.id].fraction) for i in FORM.items if answers[i.id].fraction is not None]
    weight = sum((w for w, _ in rows), Decimal(0))
    expected = sum((w * f for w, f in rows if f is not None), Decimal(0)) * 100 / weight if weight else Decimal(100)
    assert abs(score(FORM, answers).before_fatal - expected) <= Decimal("0.005")


@settings(deadline=None)
@given(ANSWERS, st.sampled_from([item.id for item in FORM.items]), st.decimals(0, 1, places=2))
def test_a_better_answer_never_lowers_the_points(answers: dict[str, Answer], item: str, fraction: Decimal) -> None:
    before = {**answers, item: Answer(fraction)}
    after = {**answers, item: Answer(Decimal(1))}
    assert score(FORM, after).points >= score(FORM, before).points


@settings(deadline=None)
@given(st.decimals(0, 1, places=2), st.sets(st.sampled_from([i.id for i in FORM.items if i.weight]), max_size=8))
def test_leaving_out_items_does_not_change_an_even_result(fraction: Decimal, left_out: set[str]) -> None:
    answers = {i.id: Answer(fraction if i.weight else Decimal(1)) for i in FORM.items}
    without = {key: NOT_APPLICABLE if key in left_out else value for key, value in answers.items()}
    assert score(FORM, without).points == score(FORM, answers).points


@pytest.mark.parametrize("item", [item.id for item in FORM.items if item.fatal is Fatal.FORM])
def test_a_fatal_item_takes_all_points(item: str) -> None:
    result = score(FORM, {**_full(), item: Answer(Decimal(0))})
    assert (result.points, result.fatal, result.fatal_items) == (0, True, (item,))
    assert result.before_fatal == 100


def test_section_scores_stand_on_their_own_scale() -> None:
    result = score(FORM, {**_full(), "closing": Answer(Decimal(0)), "greeting": NOT_APPLICABLE})
    sections = {s.section_id: s.points for s in result.sections}
    assert sections["service"] == Decimal("70.59")  # 12 of 17
    assert sections["consent"] == 100
    assert sections["red_lines"] is None  # carries no weight


@pytest.mark.parametrize("change", [{"greeting": None}, {"unknown": Answer(Decimal(1))}])
def test_answers_must_fit_the_form(change: dict[str, Answer | None]) -> None:
    answers = {key: value for key, value in {**_full(), **change}.items() if value is not None}
    with pytest.raises(BadInputError) as refused:
        score(FORM, answers)
    assert refused.value.code == "score.incomplete"


@pytest.mark.parametrize("fraction", ["-0.1", "1.01", "NaN", "Infinity"])
def test_a_share_outside_its_range_is_refused(fraction: str) -> None:
    with pytest.raises(BadInputError) as refused:
        score(FORM, {**_full(), "greeting": Answer(Decimal(fraction))})
    assert refused.value.code == "score.out_of_range"


def test_automatic_answers_follow_the_findings() -> None:
    answers = auto_answers(
        FORM,
        [
            _finding("greeting_identity", FindingKind.PRESENT),
            _finding("recording_consent", FindingKind.PRESENT),
            _finding("customer_consent", FindingKind.MISSING),
            _finding("fee_notice", FindingKind.MISSING),
            _finding("promise_return", FindingKind.FORBIDDEN),
        ],
        "wealth_signing",
    )
    assert answers["greeting"] == Answer(Decimal(1))
    assert answers["recording_consent"] == Answer(Decimal("0.5"))
    assert answers["fees"] == Answer(Decimal(0))
    assert answers["manners"] == Answer(Decimal(1))
    assert answers["three_questions"] == NOT_APPLICABLE
    assert score(FORM, answers).fatal_items == ("no_promise",)


@pytest.mark.parametrize(
    "items",
    [
        "[{id: a, label_zh: a, label_en: a, weight: 99}]",
        "[{id: a, label_zh: a, label_en: a, weight: 50}, {id: a, label_zh: a, label_en: a, weight: 50}]",
        "[{id: a, label_zh: a, label_en: a, weight: 100}, {id: b, label_zh: b, label_en: b, weight: 0}]",
        "[]",
        "[{",
    ],
)
def test_a_form_that_does_not_add_up_is_refused(items: str) -> None:
    text = "{id: f, version: 1, sections: [{id: s, label_zh: s, label_en: s, items: " + items + "}]}"
    with pytest.raises(BadInputError) as refused:
        parse_form(text)
    assert refused.value.code == "form.invalid"
