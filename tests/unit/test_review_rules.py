"""When a second person is needed: the shipped table, and what must hold for every table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.counter.review.rules import (
    HIGHEST_LEVEL,
    ReviewFacts,
    ReviewRule,
    packaged_rules,
    required_review,
)

CLASSES = ["adult", "elderly", "minor", "vip", "risk"]
BUSINESSES = ["transfer", "inquiry", "account_opening"]
amounts = st.integers(0, 10**12)
facts = st.builds(
    ReviewFacts,
    business=st.sampled_from(BUSINESSES),
    amount_fen=amounts,
    day_total_fen=amounts,
    customer_class=st.sampled_from(CLASSES),
    flow_level=st.integers(0, HIGHEST_LEVEL),
    fraud_decided=st.booleans(),
)
rules = st.lists(
    st.builds(
        ReviewRule,
        reason=st.sampled_from(["a", "b", "c"]),
        business=st.sampled_from(["any", *BUSINESSES]),
        customer_class=st.sampled_from(["any", *CLASSES]),
        amount_from_fen=amounts,
        day_total_from_fen=amounts,
        level=st.integers(1, HIGHEST_LEVEL),
        written_reason=st.booleans(),
    ),
    max_size=8,
)


def changed(base: ReviewFacts, **values: object) -> ReviewFacts:
    return ReviewFacts(**{name: values.get(name, getattr(base, name)) for name in ReviewFacts.__dataclass_fields__})


@given(rules, facts, st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_money_never_needs_less(table: list[ReviewRule], base: ReviewFacts, more: int, sent: int) -> None:
    before = required_review(table, base)
    after = required_review(
        table, changed(base, amount_fen=base.amount_fen + more, day_total_fen=base.day_total_fen + sent)
    )
    assert after.level >= before.level
    assert after.written_reason >= before.written_reason
    assert set(after.reasons) >= set(before.reasons)


@given(rules, facts, st.randoms())
def test_order_does_not_matter_and_no_rule_lowers(table: list[ReviewRule], base: ReviewFacts, random: object) -> None:
    needed = required_review(table, base)
    shuffled = sorted(table, key=lambda rule: random.random())  # type: ignore[attr-defined]
    assert required_review(shuffled, base) == needed
    for cut in range(len(table)):
        fewer = required_review(table[:cut] + table[cut + 1 :], base)
        assert fewer.level <= needed.level
        assert fewer.written_reason <= needed.written_reason


@given(rules, facts)
def test_a_decided_alert_always_needs_a_written_second_opinion(table: list[ReviewRule], base: ReviewFacts) -> None:
    needed = required_review(table, changed(base, fraud_decided=True))
    assert needed.level >= 2
    assert needed.written_reason
    assert "fraud_alert" in needed.reasons


@given(amounts, amounts)
def test_splitting_a_transfer_over_the_day_does_not_avoid_the_check(sent: int, last: int) -> None:
    whole = required_review(packaged_rules(), ReviewFacts("transfer", sent + last, 0, "adult"))
    last_part = required_review(packaged_rules(), ReviewFacts("transfer", last, sent, "adult"))
    assert last_part.written_reason >= whole.written_reason


@pytest.mark.parametrize(
    ("amount", "sent", "level", "written"),
    [
        (100, 0, 1, False),
        (5_000_000, 0, 1, False),
        (5_000_001, 0, 2, True),
        (8_000_000, 0, 2, True),
        (1_000_000, 4_000_001, 2, True),
        (50_000_000, 0, 3, True),
        (100, 100_000_000, 4, True),
    ],
)
def test_shipped_table_for_transfers(amount: int, sent: int, level: int, written: bool) -> None:
    needed = required_review(packaged_rules(), ReviewFacts("transfer", amount, sent, "adult"))
    assert (needed.level, needed.written_reason) == (level, written)


def test_an_inquiry_needs_nobody() -> None:
    assert not required_review(packaged_rules(), ReviewFacts("inquiry", 0, 0, "adult")).needed


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        required_review(packaged_rules(), ReviewFacts("transfer", -1, 0, "adult"))
