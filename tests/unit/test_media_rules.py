"""Small rules: seats, watchdog, sinks that fail, configuration."""

import pytest
from media_fakes import RememberingSink, packet

from core.ports.media import PeerState, Seat, SeatStream, SinkFailure
from server.media.config import MediaConfig, default_host_addresses
from server.media.seats import hears, sources_of
from server.media.sinks import SinkGroup
from server.media.watchdog import Watchdog

HEARS = {
    (Seat.CUSTOMER, Seat.CUSTOMER): False,
    (Seat.CUSTOMER, Seat.TELLER): True,
    (Seat.TELLER, Seat.CUSTOMER): True,
    (Seat.TELLER, Seat.TELLER): False,
}


def test_who_hears_whom_is_decided_for_every_pair_of_seats() -> None:
    assert {(listener, speaker): hears(listener, speaker) for listener in Seat for speaker in Seat} == HEARS
    for listener in Seat:
        assert listener not in sources_of(listener)
        assert len(sources_of(listener)) == 1, "an offer has one slot for the other party"


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
