"""When a queue is open."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.acd.estimates import error_of
from server.acd.opening import Calendar, closes_at, next_opening, overlapping, slots

WEEKDAYS = Calendar(
    "Asia/Shanghai",
    {day: [("09:00", "12:00"), ("13:30", "17:00")] for day in range(1, 6)},
    {date(2026, 10, 1): [], date(2026, 10, 10): [("10:00", "16:00")]},
)


def at(text: str) -> datetime:
    """A local time in China, which has been UTC+8 all year since 1991."""
    return datetime.fromisoformat(text + "+08:00")


def test_open_during_its_spans_and_closed_at_noon_at_night_and_on_holidays() -> None:
    assert closes_at(WEEKDAYS, at("2026-09-30T09:00")) == at("2026-09-30T12:00")
    assert closes_at(WEEKDAYS, at("2026-09-30T12:00")) is None
    assert next_opening(WEEKDAYS, at("2026-09-30T12:00")) == at("2026-09-30T13:30")
    assert closes_at(WEEKDAYS, at("2026-10-01T10:00")) is None, "a holiday"
    assert next_opening(WEEKDAYS, at("2026-09-30T17:00")) == at("2026-10-02T09:00")
    assert closes_at(WEEKDAYS, at("2026-10-10T11:00")) == at("2026-10-10T16:00"), "a working Saturday"
    assert closes_at(WEEKDAYS, at("2026-10-17T11:00")) is None, "any other Saturday"


def test_round_the_clock_and_never() -> None:
    always = Calendar("Asia/Shanghai", {day: [("00:00", "24:00")] for day in range(1, 8)})
    assert closes_at(always, at("2026-10-17T23:59")) == at("2026-10-18T00:00")
    assert next_opening(Calendar("Asia/Shanghai", {}), at("2026-10-17T11:00")) is None


def test_slots_lie_whole_within_the_spans() -> None:
    found = slots(WEEKDAYS, at("2026-09-30T11:10"), 1800, 1)
    assert [(begin, end) for begin, end in found][:2] == [
        (at("2026-09-30T11:30"), at("2026-09-30T12:00")),
        (at("2026-09-30T13:30"), at("2026-09-30T14:00")),
    ]
    assert len(found) == 8


@given(st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 1)))
def test_the_next_opening_is_open_and_nothing_before_it_is(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    opens = next_opening(WEEKDAYS, now)
    assert opens is not None
    assert closes_at(WEEKDAYS, opens) is not None
    if opens > now:
        assert closes_at(WEEKDAYS, now) is None
        assert closes_at(WEEKDAYS, opens - timedelta(microseconds=1)) is None


def test_the_error_of_an_estimate() -> None:
    assert [error_of(60, 120, waited) for waited in (30, 60, 90, 120, 150)] == [-30, 0, 0, 0, 30]
    assert error_of(None, None, 5) is None


_MINUTE = st.integers(0, 24 * 60).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")


@given(st.lists(st.tuples(_MINUTE, _MINUTE), max_size=6))
def test_spans_that_overlap_are_those_with_a_minute_in_two_of_them(spans: list[tuple[str, str]]) -> None:
    def minutes(span: tuple[str, str]) -> range:
        begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in span)
        return range(begin, end)

    covered = [minute for span in spans for minute in minutes(span)]
    wrong = len(covered) != len(set(covered)) or any(not minutes(span) for span in spans)
    assert overlapping(spans) == wrong
