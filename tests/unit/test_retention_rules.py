"""How long something is kept: the longest wins, floors hold, holds win, nothing without a rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.retention.rules import (
    DEFAULTS,
    EVENTS,
    FLOORS,
    DataClass,
    Duration,
    Rule,
    StartEvent,
    decide,
    floor_of,
    problem_of,
)

AT = datetime(2024, 1, 31, 12, tzinfo=UTC)

durations = st.builds(Duration, st.integers(0, 1500), st.sampled_from(["days", "months"]))
rules = st.builds(Rule, st.sampled_from(DataClass), st.sampled_from(StartEvent), durations)
times = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
events = st.dictionaries(st.sampled_from(StartEvent), st.none() | times)
classes = st.sampled_from(DataClass)


@given(classes, events, st.lists(rules), times)
def test_a_hold_always_wins(data_class: DataClass, happened: dict, table: list, now: datetime) -> None:
    assert decide(data_class, happened, table, True, now).why == "hold"


@given(classes, events, st.lists(rules), times)
def test_due_is_exactly_when_every_rule_and_floor_is_over(
    data_class: DataClass, happened: dict, table: list, now: datetime
) -> None:
    mine = [rule for rule in [*table, *FLOORS] if rule.data_class == data_class and rule.event in happened]
    starts = [happened[rule.event] for rule in mine]
    over = bool(mine) and None not in starts
    over = over and all(rule.duration.after(start) <= now for rule, start in zip(mine, starts, strict=True))
    assert decide(data_class, happened, table, False, now).due == over


@given(classes, events, st.lists(rules), rules, times)
def test_another_rule_never_shortens(
    data_class: DataClass, happened: dict, table: list, more: Rule, now: datetime
) -> None:
    before, after = (decide(data_class, happened, each, False, now) for each in (table, [*table, more]))
    if after.due:
        assert before.due or before.why == "no_rule"
    if before.kept_until and after.kept_until:
        assert after.kept_until >= before.kept_until


@given(classes, events, st.lists(rules), times, st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_what_is_due_stays_due(
    data_class: DataClass, happened: dict, table: list, now: datetime, later: timedelta
) -> None:
    if decide(data_class, happened, table, False, now).due:
        assert decide(data_class, happened, table, False, now + later).due


@given(durations, times)
def test_the_least_days_are_a_lower_bound(duration: Duration, start: datetime) -> None:
    end = duration.after(start)
    assert end.year == 9999 or (end - start).days >= duration.least_days


@given(rules, times)
def test_a_line_that_can_be_set_never_undercuts_its_floor(rule: Rule, start: datetime) -> None:
    floor = floor_of(rule.data_class, rule.event)
    if problem_of(rule) is None and floor is not None and rule.duration.unit == floor.unit:
        assert rule.duration.after(start) >= floor.after(start)


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        (Duration(1, "months"), datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (Duration(13, "months"), datetime(2025, 2, 28, 12, tzinfo=UTC)),
        (Duration(0, "days"), AT),
        (Duration(200_000, "months"), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_months_end_on_a_day_that_exists(duration: Duration, end: datetime) -> None:
    assert duration.after(AT) == end


def test_the_defaults_of_the_requirements() -> None:
    assert all(problem_of(rule) is None for rule in DEFAULTS)
    sold = {StartEvent.CALL_ENDED: AT, StartEvent.BUSINESS_DONE: AT}
    ends = {each: decide(each, sold, DEFAULTS, False, AT).kept_until for each in EVENTS if each != DataClass.CONTACT}
    assert ends[DataClass.RECORDING] == datetime(2025, 1, 31, 12, tzinfo=UTC)  # open-ended: 12 months
    assert ends[DataClass.BUSINESS] == datetime(2034, 1, 31, 12, tzinfo=UTC)  # identity and transactions: 10 years
    asked = decide(DataClass.RECORDING, {StartEvent.CALL_ENDED: AT}, DEFAULTS, False, AT)
    assert asked.kept_until == AT + timedelta(days=180)
    ending = {**sold, StartEvent.PRODUCT_END: datetime(2026, 1, 1, tzinfo=UTC)}
    assert decide(DataClass.RECORDING, ending, DEFAULTS, False, AT).kept_until == datetime(2026, 7, 1, tzinfo=UTC)
    disputed = {**sold, StartEvent.DISPUTE_RESOLVED: None}
    assert decide(DataClass.RECORDING, disputed, DEFAULTS, False, AT + timedelta(days=9999)).why == "not_over"


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (Rule(DataClass.BUSINESS, StartEvent.BUSINESS_DONE, Duration(119, "months")), "below_floor"),
        (Rule(DataClass.RECORDING, StartEvent.CALL_ENDED, Duration(179, "days")), "below_floor"),
        (Rule(DataClass.RECORDING, StartEvent.CALL_ENDED, Duration(5, "months")), "below_floor"),
        (Rule(DataClass.RECORDING, StartEvent.CALL_ENDED, Duration(6, "months")), None),
        (Rule(DataClass.CONTACT, StartEvent.CALL_ENDED, Duration(6, "months")), "no_such_line"),
        (Rule(DataClass.SERVICE, StartEvent.CALL_ENDED, Duration(1201, "months")), "too_long"),
    ],
)
def test_what_may_be_set(rule: Rule, problem: str | None) -> None:
    assert problem_of(rule) == problem
