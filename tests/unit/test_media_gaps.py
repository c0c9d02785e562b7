"""Gap detection: every packet once, every hole asked for, none asked for ever."""

from hypothesis import given, settings
from hypothesis import strategies as st

from server.media.gaps import FORGET_AFTER_NS, NACK_EVERY_NS, NACK_TRIES, Arrival, GapDetector

MS = 1_000_000
ACCEPTED = {Arrival.NEXT, Arrival.GAP, Arrival.REPAIR}


@settings(max_examples=60)
@given(st.integers(0, 0xFFFF), st.lists(st.sampled_from("....ldxr"), min_size=20, max_size=200), st.randoms())
def test_each_packet_is_accepted_once_in_spite_of_loss_disorder_and_doubles(
    first: int, fate: list[str], random
) -> None:
    order: list[int] = []
    lost = set()
    late: list[int] = []
    for index, kind in enumerate(fate):
        if kind == "l" and index:
            lost.add(index)
        elif kind == "r" and index:
            late.append(index)
        else:
            order.append(index)
            if kind == "d":
                order.append(index)
        if late and random.random() < 0.3:
            order.append(late.pop(0))
    order += late
    order.append(len(fate))
    detector = GapDetector()
    accepted = [index for index in order if detector.arrived((first + index) & 0xFFFF, 0) in ACCEPTED]
    assert sorted(accepted) == sorted(set(range(len(fate) + 1)) - lost)
    assert {(asked - first) & 0xFFFF for asked in detector.due(0)} == lost


def test_the_number_wraps_and_cycles_are_counted() -> None:
    detector = GapDetector()
    assert detector.arrived(0xFFFE, 0) is Arrival.NEXT
    assert detector.arrived(1, 0) is Arrival.GAP
    assert detector.due(0) == [0xFFFF, 0]
    assert detector.arrived(0xFFFF, 0) is Arrival.REPAIR
    assert detector.arrived(0xFFFF, 0) is Arrival.DUPLICATE
    assert (detector.highest, detector.cycles) == (1, 1)


def test_a_hole_is_asked_for_again_but_not_for_ever() -> None:
    detector = GapDetector()
    detector.arrived(10, 0)
    detector.arrived(12, 0)
    asked = 0
    for now_ns in range(0, FORGET_AFTER_NS + 10 * NACK_EVERY_NS, 10 * MS):
        asked += len(detector.due(now_ns))
    assert asked == NACK_TRIES
    assert not detector.has_holes
    assert detector.take_unrepairable()
    assert not detector.take_unrepairable()
    assert detector.arrived(11, 0) is Arrival.DUPLICATE, "too late to tell from a double"


def test_a_large_hole_needs_a_key_frame_instead() -> None:
    detector = GapDetector()
    detector.arrived(0, 0)
    assert detector.arrived(1000, 0) is Arrival.GAP
    assert detector.due(0) == []
    assert detector.take_unrepairable()


def test_one_stray_packet_is_dropped_and_a_restart_is_followed() -> None:
    detector = GapDetector()
    detector.arrived(100, 0)
    assert detector.arrived(40_000, 0) is Arrival.SUSPECT
    assert detector.arrived(101, 0) is Arrival.NEXT
    assert detector.arrived(40_000, 0) is Arrival.SUSPECT
    assert detector.arrived(40_001, 0) is Arrival.RESTART
    assert detector.arrived(40_002, 0) is Arrival.NEXT
