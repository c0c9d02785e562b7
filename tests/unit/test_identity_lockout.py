"""Five wrong passwords lock an account for ten minutes, and nobody can prolong it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.identity.lockout import LOCK_S, MAX_FAILURES, Books, after_failure, is_locked

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def failed(times: int, now: datetime = NOW, books: Books | None = None) -> Books:
    books = books or Books()
    for _ in range(times):
        books = after_failure(books, now)
    return books


def test_four_failures_do_not_lock() -> None:
    assert not is_locked(failed(4), NOW)


def test_the_fifth_failure_locks_for_ten_minutes() -> None:
    books = failed(5)
    assert is_locked(books, NOW + timedelta(seconds=LOCK_S - 1))
    assert not is_locked(books, NOW + timedelta(seconds=LOCK_S))


def test_failures_while_locked_do_not_prolong_the_lock() -> None:
    locked = failed(5)
    assert failed(50, NOW + timedelta(seconds=300), locked) == locked


def test_after_the_lock_one_failure_does_not_lock_again() -> None:
    later = NOW + timedelta(seconds=LOCK_S)
    books = after_failure(failed(5), later)
    assert books == Books(1)
    assert is_locked(failed(4, later, books), later)


@given(st.lists(st.integers(min_value=0, max_value=1000), min_size=1, max_size=60))
def test_never_more_than_five_guesses_count_in_any_ten_minutes(pauses_s: list[int]) -> None:
    now, books = NOW, Books()
    counted: list[datetime] = []
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        if not is_locked(books, now):
            counted.append(now)
        books = after_failure(books, now)
    # Between the last guess before a lock and the first one after it lie ten minutes.
    for first, later in zip(counted, counted[MAX_FAILURES:], strict=False):
        assert (later - first).total_seconds() >= LOCK_S
