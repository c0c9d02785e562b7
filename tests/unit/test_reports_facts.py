"""Figures of inspection: numbers are lengths of lists, rates follow from numbers, time is cut without holes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa.reports.facts import (
    METRICS,
    NO_TEAM,
    DefectFact,
    EvaluationFact,
    buckets,
    count,
    grouped,
    listed,
    mean,
    percent,
    rates,
)
from qa.reports.schemas import ReportRow
from qa.reports.sheet import csv_rows
from qa.reports.trend import of_evaluations

DEFECTS = st.builds(
    DefectFact,
    item_id=st.sampled_from(["a", "b"]),
    title_zh=st.just("甲"),
    title_en=st.just("A"),
    category=st.sampled_from(["operation", "other"]),
    lost=st.decimals(0, 10, places=2),
)
FACTS = st.lists(
    st.builds(
        EvaluationFact,
        evaluation_id=st.uuids().map(str),
        call_id=st.just("c"),
        number=st.integers(1, 99),
        business=st.sampled_from(["x", "y"]),
        teller_id=st.sampled_from(["t1", "t2"]),
        teller=st.just("甲"),
        team=st.sampled_from(["", "一组"]),
        inspector_id=st.sampled_from(["i1", "i2"]),
        inspector=st.just("乙"),
        submitted_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)).map(lambda at: at.replace(tzinfo=UTC)),
        state=st.just("final"),
        score=st.decimals(0, 100, places=2),
        fatal=st.booleans(),
        passed=st.booleans(),
        defects=st.lists(DEFECTS, max_size=3).map(tuple),
        appealed=st.integers(0, 2),
        decided=st.integers(0, 2),
        upheld=st.integers(0, 2),
        on_time=st.sampled_from([None, True, False]),
    ),
    max_size=30,
)


@given(FACTS)
def test_numbers_are_lengths_of_lists_and_groups_add_up(facts: list[EvaluationFact]) -> None:
    figures = rates(facts)
    assert figures.inspected == len(listed(facts, "inspected")) == len(facts)
    assert (figures.passed, figures.fatal) == (len(listed(facts, "passed")), len(listed(facts, "fatal")))
    assert count(facts, "passed") + count(facts, "failed") == len(facts)
    assert figures.pass_rate == percent(figures.passed, len(facts))
    assert figures.average == mean([fact.score for fact in facts])
    groups = grouped(facts, lambda fact: fact.teller_id)
    for metric in METRICS:
        whole = count(facts, metric, "a")
        assert whole == sum(count(members, metric, "a") for members in groups.values()), metric


@given(FACTS, st.sampled_from(["quality", "teller", "team", "business", "defect"]))
def test_cells_of_a_trend_are_lengths_of_lists_and_add_up_to_the_period(facts: list[EvaluationFact], by: str) -> None:
    first, last = date(2026, 1, 1), date(2026, 3, 2)  # the bank's days of all facts
    spans = buckets(first, last, days=14, weeks=98)
    for row in of_evaluations(by, facts, [], spans, {}):
        if by == "quality" and row.key == "on_time":
            continue  # of rectifications
        keys = {"teller": "teller_id", "team": "team", "business": "business"}
        group = [fact for fact in facts if by not in keys or (getattr(fact, keys[by]) or NO_TEAM) == row.key]
        assert sum(cell.count for cell in row.cells) == count(group, row.metric, row.value)
        for (begin, end), cell in zip(spans, row.cells, strict=True):
            inside = [fact for fact in group if begin <= fact.day <= end]
            assert cell.count == len(listed(inside, row.metric, row.value))
            assert cell.rate is not None or not inside or by == "quality"


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 730))
def test_stretches_of_time_have_no_holes_and_no_overlap(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    cut = buckets(first, last)
    assert (cut[0][0], cut[-1][1]) == (first, last)
    assert all(begin <= end for begin, end in cut)
    assert all(before[1] + timedelta(days=1) == after[0] for before, after in pairwise(cut))
    assert len(cut) <= 31


def test_nothing_to_count_is_not_zero_percent() -> None:
    assert rates([]).pass_rate is None
    assert mean([]) is None
    assert percent(1, 3) == Decimal("33.3")


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    row = ReportRow(
        call_id="c", number=1, business_code="x", teller_name="=1+1", team="@a", inspector_name="甲", at=None,
        state="final", score=80.0, fatal=False, note="-2",
    )  # fmt: skip
    line = csv_rows([row]).decode("utf-8-sig").splitlines()[1]
    assert line == "1,x,'=1+1,'@a,甲,,已终审,80.0,,'-2"
