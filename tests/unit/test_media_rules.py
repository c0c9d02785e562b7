"""Small rules: seats, watchdog, sinks that fail, configuration."""

import pytest
from media_fakes import RememberingSink, packet

from core.ports.media import PeerState, Seat, SeatStream, SinkFailure, SupervisorMode
from server.media.config import MediaConfig, default_host_addresses
from server.media.sdp import SLOTS
from server.media.seats import Situation, hears, plan, publishes_screen, recorded
from server.media.sinks import SinkGroup
from server.media.watchdog import Watchdog

C, T, E, S = Seat.CUSTOMER, Seat.TELLER, Seat.EXPERT, Seat.SUPERVISOR
MONITOR, WHISPER, BARGE = SupervisorMode

# Everything there is, written down once more: for each mode and hold, for each listener, who is heard.
HEARS: dict[tuple[SupervisorMode, bool], dict[Seat, set[Seat]]] = {
    (MONITOR, False): {C: {T, E}, T: {C, E}, E: {C, T}, S: {C, T, E}},
    (WHISPER, False): {C: {T, E}, T: {C, E, S}, E: {C, T}, S: {C, T, E}},
    (BARGE, False): {C: {T, E, S}, T: {C, E, S}, E: {C, T, S}, S: {C, T, E}},
    (MONITOR, True): {C: set(), T: {C, E}, E: {C, T}, S: {C, T, E}},
    (WHISPER, True): {C: set(), T: {C, E, S}, E: {C, T}, S: {C, T, E}},
    (BARGE, True): {C: set(), T: {C, E, S}, E: {C, T, S}, S: {C, T, E}},
}


def test_who_hears_whom_is_decided_for_every_pair_of_seats_in_every_situation() -> None:
    assert set(HEARS) == {(mode, hold) for mode in SupervisorMode for hold in (False, True)}
    for (mode, hold), by_listener in HEARS.items():
        assert set(by_listener) == set(Seat)
        for listener in Seat:
            heard = {speaker for speaker in Seat if hears(listener, speaker, Situation(mode, hold))}
            assert heard == by_listener[listener], (mode, hold, listener)


def test_slots_carry_exactly_those_who_are_heard_and_stay_whose_they_are() -> None:
    kinds = {slot.name: slot.kind for slot in SLOTS}
    whose: dict[tuple[Seat, str], Seat] = {}
    for (mode, hold), by_listener in HEARS.items():
        for listener in Seat:
            found = plan(listener, Situation(mode, hold))
            assert {speaker for slot, (speaker, name) in found.items() if name == "audio"} == by_listener[listener]
            for slot, (speaker, name) in found.items():
                assert speaker in by_listener[listener]
                assert kinds[slot] == ("audio" if name == "audio" else "video")
                assert whose.setdefault((listener, slot), speaker) is speaker, "a slot never changes its owner"
    seen = {
        listener: {who for who, name in plan(listener, Situation(BARGE)).values() if name == "video"}
        for listener in Seat
    }
    assert seen == {C: {T, E}, T: {C, E}, E: {C, T}, S: {C, T}}, "a supervisor is never seen"


def test_the_tellers_screen_goes_to_everybody_else_but_not_into_a_hold() -> None:
    with_screen = {seat for seat in Seat if "screen" in plan(seat, Situation())}
    assert with_screen == {C, E, S}
    assert {seat for seat in Seat if publishes_screen(seat)} == {T}
    assert "screen" not in plan(C, Situation(on_hold=True))


def test_whoever_is_spared_pictures_hears_all_the_same_and_others_see_as_before() -> None:
    for mode, hold in HEARS:
        for listener in Seat:
            spared = plan(listener, Situation(mode, hold, frozenset({C})))
            usual = plan(listener, Situation(mode, hold))
            sounds = {slot: source for slot, source in usual.items() if source[1] == "audio"}
            assert spared == (sounds if listener is C else usual)


def test_everybody_the_customer_hears_is_recorded() -> None:
    for (mode, hold), by_listener in HEARS.items():
        kept = {seat for seat in Seat if recorded(seat, Situation(mode, hold))}
        assert by_listener[C] | {C, T, E} <= kept
        assert (S in kept) == (mode is BARGE)


def test_silence_is_noticed_and_sound_forgives() -> None:
    dog = Watchdog(3, 8, now_ns=0)
    seen = []
    for second in range(13):
        if second == 11:
            dog.heard_ns = int(10.5e9)
        seen.append(dog.check(int(second * 1e9)))
    assert seen[3] is PeerState.DEGRADED
    assert seen[8] is PeerState.LOST
    assert seen[11] is PeerState.CONNECTED
    assert [state for state in seen if state] == [PeerState.DEGRADED, PeerState.LOST, PeerState.CONNECTED]


def _stream() -> SeatStream:
    return SeatStream("call_1", Seat.TELLER, 2, "opus", 111, "VP8", 100, lambda: None)


def test_a_sink_that_fails_is_detached_and_reported_and_the_others_go_on() -> None:
    failures: list[SinkFailure] = []
    bad, good = RememberingSink(_stream(), fail_after=1), RememberingSink(_stream())
    group = SinkGroup(_stream(), lambda _: [bad, good], failures.append)
    for sequence in range(3):
        group.rtp("video", packet(sequence), 5)
    group.sender_report("video", 1, 2)
    group.close("over")
    assert (bad.sequences("video"), good.sequences("video")) == ([0], [0, 1, 2])
    assert (bad.closed, good.closed, good.reports) == (None, "over", [("video", 1, 2)])
    assert failures == [SinkFailure("call_1", Seat.TELLER, 2, "RememberingSink", "OSError: disk full")]


def test_sinks_that_cannot_be_made_are_reported() -> None:
    failures: list[SinkFailure] = []

    def factory(stream: SeatStream) -> list[RememberingSink]:
        raise PermissionError("no folder")

    group = SinkGroup(_stream(), factory, failures.append)
    group.rtp("audio", packet(1), 5)
    assert [(failure.sink, failure.error) for failure in failures] == [("factory", "PermissionError: no folder")]


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        MediaConfig(node_id="n", secret="short")


@pytest.mark.parametrize(
    "bad", [{"port_min": 80, "port_max": 90}, {"port_min": 5001, "port_max": 5000}, {"host_addresses": ("x",)}]
)
def test_wrong_addresses_are_refused_at_the_start(bad) -> None:
    with pytest.raises(ValueError, match=r"range|address"):
        MediaConfig(node_id="n", secret="s" * 16, **bad)


def test_a_port_range_is_taken_over() -> None:
    config = MediaConfig(node_id="n", secret="s" * 16, port_min=5000, port_max=5010)
    assert list(config.binding.ports) == list(range(5000, 5011))
    assert list(MediaConfig(node_id="n", secret="s" * 16).binding.ports) == [0]


def test_loopback_is_always_offered() -> None:
    assert default_host_addresses()[0] == "127.0.0.1"
