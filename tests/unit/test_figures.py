"""Definitions of the centre's numbers: tallies, staffing against published values, forecast, radar. Pure."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.figures.definitions import CallTimes, Tally, abandon_rate, aht_s, answer_rate, asa_s, service_level, tally_of
from core.figures.forecast import SLOTS, error, forecast
from core.figures.radar import Month, radar
from core.figures.staffing import Load, erlang_c, outcome, tellers_needed

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def call(wait_s: float, talk_s: float | None = None, wrap_s: float = 10, **more: int) -> CallTimes:
    """A call given up after `wait_s`, or answered then."""
    at = START + timedelta(seconds=wait_s)
    if talk_s is None:
        return CallTimes(START, ended_at=at, closed_at=at)
    end = at + timedelta(seconds=talk_s)
    return CallTimes(START, at, end, end + timedelta(seconds=wrap_s), **more)


def test_what_counts_how() -> None:
    calls = [call(20, 300), call(21, 480, held_ms=60_000, stars=2), call(4.9), call(5), call(40, 901, stars=5)]
    total = Tally.sum(tally_of(each) for each in calls)
    assert (total.offered, total.answered, total.in_time) == (5, 3, 1)
    assert (total.abandoned, total.short_abandoned) == (1, 1)
    assert service_level(total) == 1 / 4
    assert (answer_rate(total), abandon_rate(total)) == (3 / 4, 1 / 4)
    assert asa_s(total) == pytest.approx(27)
    assert (total.talk_ms, total.hold_ms, total.wrap_ms) == (1_621_000, 60_000, 30_000)
    assert aht_s(total) == pytest.approx(1711 / 3)
    assert (total.overtime, total.rated, total.satisfied, total.low) == (1, 2, 1, 1)
    assert service_level(Tally()) is None


SPANS = st.floats(0, 5000)


@given(st.lists(st.tuples(SPANS, st.none() | SPANS, SPANS), max_size=30))
def test_tallies_add_up_and_take_away_without_a_trace(spans: list[tuple[float, float | None, float]]) -> None:
    tallies = [tally_of(call(*each)) for each in spans]
    total = Tally.sum(tallies)
    assert total.offered == total.answered + total.abandoned + total.short_abandoned
    for each in tallies:
        total = total - each
    assert total == Tally()


def test_erlang_c_as_published() -> None:
    # 100 calls of 180 s in half an hour are 10 erlangs; 14 tellers: 17.4 % wait, 88.8 % are answered within 20 s.
    load = Load(100, 1800, 180)
    assert erlang_c(14, load.erlangs) == pytest.approx(0.174, abs=0.001)
    assert outcome(load, 14, 20).service_level == pytest.approx(0.888, abs=0.001)
    assert tellers_needed(load, 0.80, 20) == 14
    # Two tellers and one erlang: Erlang B is 1/5, so 1/3 wait.
    assert erlang_c(2, 1) == pytest.approx(1 / 3)
    assert erlang_c(3, 3) == 1.0


def test_erlang_a_meets_erlang_c_when_nobody_gives_up() -> None:
    patient, endless = Load(100, 1800, 180), Load(100, 1800, 180, 1e9)
    one, other = outcome(patient, 14, 20), outcome(endless, 14, 20)
    assert other.service_level == pytest.approx(one.service_level, abs=0.003)
    assert other.abandoned < 1e-5
    # Patience as long as a call and one teller: the chain is M/M/infinity, whose states are Poisson.
    single = outcome(Load(1800, 1800, 1, 1), 1, 0)
    assert single.abandoned == pytest.approx(0.3679, abs=0.001)


@settings(max_examples=15)
@given(st.floats(1, 60), st.floats(30, 600), st.floats(60, 1200))
def test_fewest_tellers_who_are_enough(calls: float, aht: float, patience: float) -> None:
    load = Load(calls, 1800, aht, patience)
    needed = tellers_needed(load, 0.72, 20)
    assert outcome(load, needed, 20).service_level >= 0.72
    assert needed == 1 or outcome(load, needed - 1, 20).service_level < 0.72
    assert needed <= tellers_needed(Load(calls, 1800, aht), 0.72, 20), "who gives up needs no teller"


MONDAY = date(2026, 3, 2)


def test_the_forecast_follows_the_weekday_and_the_level() -> None:
    quiet, busy = (1,) * SLOTS, (3,) * SLOTS
    history = {MONDAY - timedelta(days=back): busy if back % 7 == 0 else quiet for back in range(1, 50)}
    assert forecast(history, MONDAY) == pytest.approx((3.0,) * SLOTS)
    assert error(history, MONDAY) == pytest.approx(0.0)
    assert forecast({}, MONDAY) is None
    assert error({}, MONDAY) is None
    doubled = {
        day: tuple(2 * calls for calls in counts) if day > MONDAY - timedelta(days=8) else counts
        for day, counts in history.items()
    }
    told = forecast(doubled, MONDAY)
    assert told is not None
    assert told[0] > 4.0, "half of a doubled level is followed"
    assert (error(doubled, MONDAY) or 0) > 0.1


def test_the_radar_weighs_what_is_known() -> None:
    whole = radar(Month(9, 10, 120, 100.0, 10, 1, (Decimal(80), Decimal(90))))
    assert (whole.satisfaction, whole.volume, whole.errors, whole.peers) == (90, 100, 90, 85)
    assert whole.total == Decimal("92.50")  # 0.4·90 + 0.3·100 + 0.2·90 + 0.1·85
    partly = radar(Month(0, 0, 50, 100.0, 0, 0))
    assert (partly.satisfaction, partly.total) == (None, 50)
    assert radar(Month(0, 0, 0, 0.0, 0, 0)).total is None
