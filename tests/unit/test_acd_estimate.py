"""How long one will wait."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.acd.estimate import QueueLoad, estimate


def load(ready: int = 0, serving: int = 1, calls: int = 0, total_s: float = 0.0) -> QueueLoad:
    return QueueLoad(ready, serving, calls, total_s, ring_s=20.0)


def test_nobody_serves_nobody_knows() -> None:
    assert estimate(1, load(serving=0)) is None


def test_a_free_teller_means_ring_time_only() -> None:
    assert estimate(1, load(ready=1)) == (0, 20)
    assert estimate(2, load(ready=2, serving=2)) == (0, 20)


def test_few_data_give_a_wide_range() -> None:
    little = estimate(4, load(calls=0))
    much = estimate(4, load(calls=200, total_s=200 * 492.0))
    assert little is not None
    assert much is not None
    assert little[0] < much[0] < much[1] < little[1]


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 300), st.floats(10, 3000))
def test_ranges_are_ranges_and_more_people_before_me_never_shorten_the_wait(
    position: int, serving: int, calls: int, mean_s: float
) -> None:
    busy = load(serving=serving, calls=calls, total_s=calls * mean_s)
    here, behind = estimate(position, busy), estimate(position + 1, busy)
    assert here is not None
    assert behind is not None
    assert 0 <= here[0] < here[1]
    assert here[1] <= behind[1]


@pytest.mark.parametrize(("position", "serving"), [(1, 1), (3, 2), (10, 5), (30, 5)])
def test_about_four_of_five_true_waits_lie_in_the_range(position: int, serving: int) -> None:
    """Simulated queue with exponential handling times and all tellers busy; the range aims at 80 %."""
    dice, mean_s = random.Random(7), 300.0
    known = estimate(position, load(serving=serving, calls=100, total_s=100 * mean_s))
    assert known is not None
    waits = [sum(dice.expovariate(serving / mean_s) for _ in range(position)) for _ in range(2000)]
    share = sum(known[0] <= wait <= known[1] for wait in waits) / len(waits)
    assert 0.7 <= share <= 0.95
