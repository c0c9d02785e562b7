"""From changes of transports to the state of a seat, and from seats to a verdict on the call."""

from datetime import UTC, datetime, timedelta

import pytest

from core.models.call import CallState, EndReason
from core.ports.media import PeerChange, PeerState, Seat
from server.calls.seats import SeatNow, after_change, verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REJOIN_S = 60.0


def changed(state: PeerState, peer_id: str = "p1") -> PeerChange:
    return PeerChange("call_1", Seat.CUSTOMER, peer_id, state)


def seat(state: str, seconds_ago: float = 0.0) -> SeatNow:
    return SeatNow("p1", state, NOW - timedelta(seconds=seconds_ago))  # type: ignore[arg-type]


def test_a_seat_follows_its_newest_transport() -> None:
    now = after_change(None, changed(PeerState.CONNECTED), NOW)
    assert now == SeatNow("p1", "connected", NOW)
    now = after_change(now, changed(PeerState.DEGRADED), NOW)
    assert now is not None
    assert now.state == "degraded"
    now = after_change(now, changed(PeerState.LOST), NOW)
    assert now is not None
    assert now.state == "lost"
    now = after_change(now, changed(PeerState.CONNECTED, "p2"), NOW)
    assert now == SeatNow("p2", "connected", NOW)


@pytest.mark.parametrize("state", [PeerState.CLOSED, PeerState.LOST, PeerState.DEGRADED])
def test_a_replaced_transport_does_not_speak_for_the_seat(state: PeerState) -> None:
    assert after_change(SeatNow("p2", "connected", NOW), changed(state, "p1"), NOW) is None


@pytest.mark.parametrize("state", [PeerState.CLOSED, PeerState.LOST])
def test_a_transport_that_never_came_up_does_not_count(state: PeerState) -> None:
    assert after_change(None, changed(state), NOW) is None


def test_closed_is_lost_and_hearing_it_twice_changes_nothing() -> None:
    lost = after_change(seat("connected"), changed(PeerState.CLOSED), NOW)
    assert lost == SeatNow("p1", "lost", NOW)
    assert after_change(lost, changed(PeerState.LOST), NOW + timedelta(seconds=9)) is None


def judged(state: CallState, seats: dict[Seat, SeatNow], accepted_s_ago: float = 300.0) -> object:
    return verdict(state, NOW - timedelta(seconds=accepted_s_ago), seats, NOW, REJOIN_S)


def test_both_up_connects_an_accepted_call_once() -> None:
    up = {Seat.CUSTOMER: seat("connected"), Seat.TELLER: seat("degraded")}
    assert judged(CallState.ACCEPTED, up) == "connect"
    assert judged(CallState.CONNECTED, up) is None


@pytest.mark.parametrize(
    ("gone", "reason"), [(Seat.CUSTOMER, EndReason.CUSTOMER_LOST), (Seat.TELLER, EndReason.TELLER_LOST)]
)
def test_who_does_not_come_back_in_time_ends_the_call(gone: Seat, reason: EndReason) -> None:
    seats = {Seat.CUSTOMER: seat("connected"), Seat.TELLER: seat("connected")}
    assert judged(CallState.CONNECTED, seats | {gone: seat("lost", 59.9)}) is None
    assert judged(CallState.CONNECTED, seats | {gone: seat("lost", 60.0)}) == reason


def test_the_first_who_was_lost_is_the_reason() -> None:
    seats = {Seat.CUSTOMER: seat("lost", 70), Seat.TELLER: seat("lost", 90)}
    assert judged(CallState.CONNECTED, seats) == EndReason.TELLER_LOST


def test_a_customer_lost_while_waiting_has_the_full_time_from_the_answer() -> None:
    seats = {Seat.CUSTOMER: seat("lost", 500), Seat.TELLER: seat("connected")}
    assert judged(CallState.ACCEPTED, seats, accepted_s_ago=10) is None
    assert judged(CallState.ACCEPTED, seats, accepted_s_ago=60) == EndReason.CUSTOMER_LOST


def test_media_that_never_comes() -> None:
    assert judged(CallState.ACCEPTED, {}, accepted_s_ago=59) is None
    assert judged(CallState.ACCEPTED, {}) == EndReason.MEDIA_FAILED
    assert judged(CallState.ACCEPTED, {Seat.CUSTOMER: seat("connected")}) == EndReason.TELLER_LOST
    assert judged(CallState.ACCEPTED, {Seat.TELLER: seat("connected")}) == EndReason.CUSTOMER_LOST


def test_a_connected_call_whose_board_was_lost_goes_on() -> None:
    assert judged(CallState.CONNECTED, {}) is None
    assert judged(CallState.CONNECTED, {Seat.TELLER: seat("connected")}) is None
