"""What may be written into forms, and what an ID card has to satisfy."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.counter.fields import Choice, FieldSpec, problem_of, problems_of
from server.counter.flows import packaged_flows
from server.counter.id_card import check_card, check_digit, customer_class, id_number_problem
from server.counter.kinds.fee import FeeConfig, fee_of
from server.counter.kinds.form import FormConfig

TODAY = date(2026, 6, 1)
BIRTHS = st.dates(date(1930, 1, 1), date(2010, 12, 31))


def number_for(birth: date, sequence: str = "123") -> str:
    first = f"110105{birth:%Y%m%d}{sequence}"
    return first + check_digit(first)


def field(kind: str, **more: object) -> FieldSpec:
    return FieldSpec.model_validate({"key": "x", "type": kind, "label_zh": "甲", "label_en": "X", **more})


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_numbers_of_the_standard_itself(number: str) -> None:
    assert id_number_problem(number) is None


@given(BIRTHS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_found(birth: date, place: int, letter: str) -> None:
    number = number_for(birth)
    assume(number[place] != letter)
    assert id_number_problem(number[:place] + letter + number[place + 1 :]) is not None


@given(st.text(max_size=20))
def test_any_text_is_judged(text: str) -> None:
    for kind in ("text", "name", "id_number", "phone", "account", "date", "email"):
        problem_of(field(kind), text)
    assert id_number_problem(text) is not None


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("name", "王小明", None),
        ("name", "阿卜杜拉·买买提", None),
        ("name", "Anna O'Brien", None),
        ("name", "Аnna", "characters"),  # Cyrillic А
        ("name", "王小明\u202e", "characters"),
        ("name", "王 小明", "characters"),
        ("phone", "13800138000", None),
        ("phone", "１３８００１３８０００", "format"),
        ("phone", "23800138000", "format"),
        ("account", "6222021234567890123", None),
        ("account", "٦222021234567890", "format"),
        ("amount", 1, None),
        ("amount", 0, "range"),
        ("amount", -5, "range"),
        ("amount", 10**18, "range"),
        ("amount", True, "type"),
        ("amount", "100", "type"),
        ("text", "和平路１号", "characters"),
        ("text", "和平路1号（东）", None),
        ("text", "a\u200bb", "characters"),
        ("text", "x" * 61, "too_long"),
        ("text", 7, "type"),
        ("date", "2026-02-29", "format"),
        ("date", "2024-02-29", None),
        ("email", "a@b.cn", None),
        ("email", "a@b..cn", "format"),
        ("text", "", "missing"),
        ("text", None, "missing"),
    ],
)
def test_values(kind: str, value: object, problem: str | None) -> None:
    assert problem_of(field(kind), value) == problem  # type: ignore[arg-type]


def test_choices_and_unknown_fields() -> None:
    spec = field("choice", choices=[Choice(value="a", label_zh="甲", label_en="A")])
    assert problems_of((spec,), {"x": "a"}) == []
    assert problems_of((spec,), {"x": "b", "y": "c"}) == [
        {"field": "y", "problem": "unknown"},
        {"field": "x", "problem": "choice"},
    ]
    with pytest.raises(ValueError, match="choices"):
        field("choice")


@given(BIRTHS)
def test_both_sides_of_a_true_card_agree(birth: date) -> None:
    issued = TODAY - timedelta(days=400)
    age = (issued - birth).days // 365.2425
    assume(min(abs(age - border) for border in (16, 26, 46)) > 1)
    years = 5 if age < 16 else 10 if age < 26 else 20
    fields = {
        "id_number": number_for(birth),
        "birth": birth.isoformat(),
        "sex": "男",
        "valid_from": issued.isoformat(),
        "valid_until": "长期" if age >= 46 else issued.replace(year=issued.year + years).isoformat(),
    }
    assert all(check.ok for check in check_card(fields, TODAY))
    wrong = {**fields, "sex": "女", "birth": (birth + timedelta(days=1)).isoformat(), "valid_until": "2026-05-31"}
    assert {check.code for check in check_card(wrong, TODAY) if check.ok is False} >= {"birth", "sex", "valid_now"}


def test_what_was_not_read_is_not_judged() -> None:
    assert {check.ok for check in check_card({}, TODAY)} == {None}


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        (date(2008, 6, 2), "minor"),
        (date(2008, 6, 1), "adult"),
        (date(1966, 6, 2), "adult"),
        (date(1966, 6, 1), "elderly"),
    ],
)
def test_customer_classes(birth: date, expected: str) -> None:
    assert customer_class(birth, TODAY) == expected


@given(st.integers(1, 10**15))
def test_fees_stay_within_their_bounds(amount_fen: int) -> None:
    config = FeeConfig(per_million=200, least_fen=100, most_fen=5000, amount_field="amount")
    assert 100 <= fee_of(config, amount_fen) <= 5000
    assert fee_of(config, 10_000_000) == 2000
    assert fee_of(config, None) == 0


def form_of(code: str) -> FormConfig:
    flow = next(flow for flow in packaged_flows() if flow.code == code)
    return FormConfig.model_validate(flow.step("form").config)


def test_what_holds_between_fields() -> None:
    person = {"name": "王小明", "id_number": "110105199003074536"}
    change = form_of("info_change")
    assert [each["problem"] for each in change.problems(person)] == ["one_of"] * 3
    assert change.problems({**person, "email": "a@b.com"}) == []
    wealth = form_of("wealth_signing")
    signs = {**person, "account": "6222021234567890123", "amount": 100}
    told = {
        (risk, product): [
            each["problem"] for each in wealth.problems({**signs, "risk_class": risk, "product": product})
        ]
        for risk in ("c1", "c3", "c4")
        for product in ("stable_r1", "balanced_r3", "growth_r4")
    }
    refused = {pair for pair, problems in told.items() if problems == ["unsuitable"]}
    assert refused == {("c1", "balanced_r3"), ("c1", "growth_r4"), ("c3", "growth_r4")}
    assert all(told[pair] == [] for pair in told.keys() - refused)


@pytest.mark.parametrize(
    "more",
    [
        {"one_of": ["nobody"]},
        {"forbidden": [{"risk_class": ["c1"]}]},
        {"forbidden": [{"risk_class": ["c9"], "product": ["growth_r4"]}]},
        {"forbidden": [{"name": ["c1"], "product": ["growth_r4"]}]},
    ],
)
def test_rules_between_fields_name_what_there_is(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FormConfig.model_validate({**form_of("wealth_signing").model_dump(), **more})
