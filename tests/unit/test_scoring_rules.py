"""Everything a form can say, over random forms: bonus, conditions, fatal sections, N/A, comments, lost points."""

import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from qa.scoring.form import Fatal, Form, read_form
from qa.scoring.score import NOT_APPLICABLE, Answer, asked_shares, assert_justified, lost_points, score

SHARES = st.one_of(st.none(), st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]), st.decimals(0, 1, places=2))


def item(item_id: str, weight: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": item_id, "label_zh": "甲", "label_en": "A", "weight": weight, **more}


def form(*sections: list[dict[str, Any]]) -> Form:
    made = [{"id": f"s{n}", "label_zh": "节", "label_en": "S", "items": items} for n, items in enumerate(sections)]
    return read_form({"id": "f", "version": 1, "sections": made})


@st.composite
def forms(draw_from: st.DrawFn) -> Form:
    """Two to seven weighted items in one to three sections, with all that an item may carry."""
    count = draw_from(st.integers(2, 7))
    cuts = sorted(draw_from(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    sections: list[list[dict[str, Any]]] = [[] for _ in range(draw_from(st.integers(1, min(3, count))))]
    ids: list[str] = []
    for at, weight in enumerate(weights):
        when = None
        if ids and draw_from(st.booleans()):
            answered = draw_from(st.sampled_from(["full", "deducted", "zero", "not_applicable"]))
            when = {"item": draw_from(st.sampled_from(ids)), "answered": answered}
        target = sections[at * len(sections) // count]
        target.append(item(f"i{at}", weight, when=when, fatal=draw_from(st.sampled_from(list(Fatal)))))
        ids.append(f"i{at}")
    sections[-1].append(item("extra", draw_from(st.integers(1, 20)), bonus=True))
    return form(*sections)


@st.composite
def answered(draw_from: st.DrawFn) -> tuple[Form, dict[str, Answer]]:
    made = draw_from(forms())
    return made, {each.id: Answer(draw_from(SHARES)) for each in made.items}


@given(answered())
def test_points_are_bounded_and_follow_the_definition(case: tuple[Form, dict[str, Answer]]) -> None:
    made, answers = case
    result, shares = score(made, answers), asked_shares(made, answers)
    earned = weight = Fraction(0)
    for section in made.sections:
        lost = any(i.fatal is Fatal.SECTION and shares[i.id] not in (None, 1) for i in section.items)
        for each in section.items:
            share = shares[each.id]
            if share is not None and not each.bonus:
                weight += Fraction(each.weight)
                earned += 0 if lost else Fraction(each.weight) * Fraction(share)
    bonus = sum((Fraction(i.weight) * Fraction(shares[i.id] or 0) for i in made.items if i.bonus), Fraction(0))
    exact = min(Fraction(100), (100 * earned / weight if weight else Fraction(100)) + bonus)
    assert abs(Fraction(result.before_fatal) - exact) <= Fraction(1, 100)
    assert 0 <= result.points <= result.max == 100
    fatal = any(i.fatal is Fatal.FORM and shares[i.id] not in (None, 1) for i in made.items)
    assert result.fatal == fatal
    assert result.points == (0 if fatal else result.before_fatal)


@given(answered(), st.data())
def test_an_item_that_does_not_apply_counts_as_if_the_form_did_not_have_it(
    case: tuple[Form, dict[str, Answer]], data: st.DataObject
) -> None:
    made, answers = case
    # Only items on which no other depends: leaving out a condition's item means something else.
    free = [i for i in made.items if not i.bonus and all(j.when is None or j.when.item != i.id for j in made.items)]
    gone = data.draw(st.sampled_from(free))
    shares = asked_shares(made, {**answers, gone.id: NOT_APPLICABLE})
    rest = [i for i in made.items if i.id != gone.id and not i.bonus and shares[i.id] is not None]
    total = sum((i.weight for i in rest), Decimal(0))
    for comment in ("", "anything"):
        result = score(made, {**answers, gone.id: Answer(None, comment)})
        if not total:
            assert result.before_fatal == 100
        elif all(i.fatal is Fatal.NONE for i in made.items):
            mean = sum((i.weight * (shares[i.id] or 0) for i in rest), Decimal(0)) * 100 / total
            assert abs(min(Decimal(100), mean + result.bonus) - result.before_fatal) <= Decimal("0.01")
        assert gone.id not in result.fatal_items


@given(answered(), st.data())
def test_what_is_not_asked_changes_nothing(case: tuple[Form, dict[str, Answer]], data: st.DataObject) -> None:
    made, answers = case
    shares = asked_shares(made, answers)
    not_asked = [i.id for i in made.items if shares[i.id] is None]
    changed = dict(answers)
    for item_id in not_asked:
        if answers[item_id].fraction is not None:  # a condition left it out, whatever was answered
            changed[item_id] = Answer(data.draw(SHARES))
    assert score(made, changed).points == score(made, answers).points


@given(answered())
def test_lost_points_are_the_items_below_their_full_share(case: tuple[Form, dict[str, Answer]]) -> None:
    made, answers = case
    shares = asked_shares(made, answers)
    lost = {each.item.id: each.lost for each in lost_points(made, answers)}
    below = {i.id for i in made.items if not i.bonus and shares[i.id] is not None and shares[i.id] != 1}
    assert set(lost) == below
    assert all(0 <= points <= 100 for points in lost.values())
    assert sum(lost.values(), Decimal(0)) <= Decimal("100.05")


def test_a_bonus_makes_up_for_lost_points_but_never_goes_beyond_the_maximum() -> None:
    made = form([item("a", 60), item("b", 40), item("extra", 10, bonus=True)])
    full, half, none = Answer(Decimal(1)), Answer(Decimal("0.5")), Answer(Decimal(0))
    assert score(made, {"a": full, "b": half, "extra": full}).points == 90
    assert score(made, {"a": full, "b": half, "extra": NOT_APPLICABLE}).points == 80
    assert score(made, {"a": full, "b": full, "extra": full}).points == 100
    assert score(made, {"a": none, "b": none, "extra": none}).points == 0


def test_a_fatal_item_of_a_section_takes_that_section_alone() -> None:
    made = form([item("a", 60), item("f", 0, fatal="section")], [item("b", 40)])
    result = score(made, {"a": Answer(Decimal(1)), "f": Answer(Decimal(0)), "b": Answer(Decimal(1))})
    assert (result.points, result.fatal, result.fatal_items) == (40, False, ("f",))
    assert [section.points for section in result.sections] == [0, 100]


def test_comments_and_items_that_may_not_be_skipped_are_owed() -> None:
    made = form([item("a", 60, comment="deduction"), item("b", 40, comment="always", may_skip=False)])
    full = Answer(Decimal(1))
    assert_justified(made, {"a": full, "b": Answer(Decimal(1), "seen")})
    for answers, code, items in (
        ({"a": full, "b": Answer(Decimal(1), "  ")}, "score.comment_missing", ["b"]),
        ({"a": Answer(Decimal("0.5")), "b": Answer(Decimal(1), "x")}, "score.comment_missing", ["a"]),
        ({"a": full, "b": NOT_APPLICABLE}, "score.must_apply", ["b"]),
    ):
        with pytest.raises(BadInputError) as refused:
            assert_justified(made, answers)
        assert (refused.value.code, refused.value.fields["items"]) == (code, items)


@pytest.mark.parametrize(
    "items",
    [
        [item("a", 100, when={"item": "b", "answered": "full"}), item("b", 0, fatal="form")],
        [item("a", 90), item("b", 10, bonus=True)],
        [item("a", 100), item("b", 10, bonus=True, fatal="form")],
        [item("a", 100, points=0)],
        [item("a", 100, color="red")],
        [item("A", 100)],
    ],
)
def test_forms_that_make_no_sense_are_refused(items: list[dict[str, Any]]) -> None:
    with pytest.raises(BadInputError) as refused:
        form(items)
    assert refused.value.code == "form.invalid"
    assert refused.value.fields["problems"]


VECTORS = json.loads((Path(__file__).parents[1] / "data" / "score_vectors.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_vectors_shared_with_the_pages(case: dict[str, Any]) -> None:
    made = read_form(VECTORS["form"])
    answers = {k: Answer(None if v is None else Decimal(str(v))) for k, v in case["answers"].items()}
    result = score(made, answers)
    assert float(result.points) == case["points"]
    assert result.fatal == case["fatal"]
    assert result.points == result.points.quantize(Decimal("0.01"), ROUND_HALF_UP)
