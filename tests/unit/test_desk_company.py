"""Who else was in a call: facts become stretches of one way each."""

from datetime import UTC, datetime, timedelta

from core.events import Event, GuestJoined, GuestLeft, GuestModeChanged
from qa.desk.company import Stretch, stretches

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GUEST = {"call_id": "call_1", "guest_id": "guest_1", "staff_id": "staff_boss"}


def at(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_a_supervisor_goes_from_monitor_to_whisper_to_barge() -> None:
    facts: list[Event] = [
        GuestJoined(at=at(10), seat="supervisor", mode="monitor", **GUEST),
        GuestModeChanged(at=at(20), mode="whisper", **GUEST),
        GuestModeChanged(at=at(30), mode="barge", **GUEST),
        GuestLeft(at=at(40), seat="supervisor", reason="left", **GUEST),
    ]
    assert [(each.kind, each.begin, each.end) for each in stretches(facts, at(60))] == [
        ("monitor", at(10), at(20)),
        ("whisper", at(20), at(30)),
        ("barge", at(30), at(40)),
    ]


def test_who_never_left_stayed_to_the_end_and_who_never_came_leaves_no_mark() -> None:
    other = GUEST | {"guest_id": "guest_2", "staff_id": "staff_expert"}
    facts: list[Event] = [
        GuestLeft(at=at(5), seat="expert", reason="declined", **(GUEST | {"guest_id": "guest_3"})),
        GuestModeChanged(at=at(6), mode="whisper", **(GUEST | {"guest_id": "guest_3"})),
        GuestJoined(at=at(15), seat="expert", mode="monitor", **other),
    ]
    assert stretches(facts, at(60)) == [Stretch("expert", "staff_expert", at(15), at(60))]
