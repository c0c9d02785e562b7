"""When a backup is due and which ones may go."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from server.backup.rules import Plan, to_remove

ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC"]).map(ZoneInfo)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(TIMES, ZONES, MOMENTS)
def test_a_slot_is_the_latest_one(at: time, zone: ZoneInfo, now: datetime) -> None:
    plan = Plan(at, zone, 14, 7)
    slot, following = plan.slot(now), plan.next_slot(now)
    hour = timedelta(hours=1)  # a day with a change of the clocks is longer or shorter
    assert slot <= now + hour
    assert now - slot <= timedelta(days=1) + hour
    assert timedelta(hours=22) <= following - slot <= timedelta(hours=26)
    assert plan.slot(slot + timedelta(hours=3)) == slot
    assert slot.tzinfo is UTC


@given(st.lists(st.integers(0, 999), unique=True).map(sorted), st.integers(1, 20), st.sets(st.integers(0, 999)))
def test_the_newest_and_a_proven_one_stay(numbers: list[int], keep: int, proven_numbers: set[int]) -> None:
    made = [f"backup-{number:03d}" for number in numbers]
    proven = {f"backup-{number:03d}" for number in proven_numbers}
    gone = to_remove(made, keep, proven)
    left = [each for each in made if each not in gone]
    assert left[-keep:] == made[-keep:]
    assert len(left) <= keep + 1
    assert not proven & set(made) or proven & set(left)


def test_rehearsals_by_the_week() -> None:
    plan, slot = Plan(time(2, 30), ZoneInfo("Europe/Berlin"), 14, 7), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert plan.drill_due(slot, None)
    assert plan.drill_due(slot, slot - timedelta(days=7) + timedelta(hours=1)), "the clocks were changed meanwhile"
    assert not plan.drill_due(slot, slot - timedelta(days=6))
    assert not Plan(time(2, 30), ZoneInfo("UTC"), 14, 0).drill_due(slot, None)
