"""Quality samples and their sum: what the counters say becomes loss, round trip, freezes and bars."""

import pytest
from aiortc.rtp import RtcpReceiverInfo
from hypothesis import given
from hypothesis import strategies as st
from media_fakes import packet

from core.ports.media import QualitySample, Seat
from server.media import rtcp
from server.media.quality import LegMeter, Tally, bars_for
from server.media.streams import Downlink, Uplink

S = 1_000_000_000
NTP = 0x1234_5678_9ABC_0000


class Leg:
    """A seat's streams, driven by hand."""

    def __init__(self) -> None:
        self.audio = Uplink("audio", 1, 111, None, lambda: None)
        self.video = Uplink("video", 2, 100, 3, lambda: None)
        self.down = Downlink("audio", 7, None, 101, "seat", lambda *_: None, lambda _: None)
        self.meter = LegMeter("call_1", Seat.CUSTOMER, "peer_1")
        self.second = 0
        self._next = {"audio": 0, "video": 0}

    def send(self, uplink: Uplink, count: int, lost: int = 0) -> None:
        """`count` packets of which the first `lost` after one are missing."""
        for index in range(count):
            sequence = self._next[uplink.kind]
            self._next[uplink.kind] += 1
            if not 0 < index <= lost:
                uplink.accept(packet(sequence), self.second * S)

    def sample(self, silent: bool = False) -> QualitySample | None:
        self.second += 1
        return self.meter.sample((self.audio, self.video), (self.down,), self.second * S, silent=silent)


def test_the_first_second_says_nothing_and_the_next_ones_say_what_is_lost() -> None:
    leg = Leg()
    leg.send(leg.audio, 50)
    assert leg.sample() is None
    leg.send(leg.audio, 50, lost=5)
    leg.send(leg.video, 50)
    first = leg.sample()
    leg.send(leg.audio, 50)
    leg.send(leg.video, 50)
    second = leg.sample()
    assert first is not None
    assert second is not None
    assert (first.loss_up, second.loss_up) == (pytest.approx(0.05), 0)
    assert (first.seat, first.peer_id, first.frozen) == (Seat.CUSTOMER, "peer_1", False)


def test_what_comes_late_is_not_lost_and_what_had_to_be_sent_again_is() -> None:
    leg = Leg()
    leg.send(leg.video, 50)
    leg.sample()
    for sequence in (51, 50, 53, 52, 55, 54, 57, 56, 59, 58):
        leg.video.accept(packet(sequence), leg.second * S)
    leg.video.restored += 1  # asked for in vain: the original came as well
    leg.video.accept(packet(58), leg.second * S)
    late = leg.sample()
    for sequence in (60, 62, 63, 64):
        leg.video.accept(packet(sequence), leg.second * S)
    leg.video.restored += 1
    leg.video.accept(packet(61), leg.second * S)
    again = leg.sample()
    assert late is not None
    assert again is not None
    assert (late.loss_up, again.loss_up) == (0, pytest.approx(0.2))


def test_the_round_trip_is_measured_from_forwarded_reports() -> None:
    leg = Leg()
    leg.down.source = leg.audio
    leg.down.forward(packet(1), 0)
    leg.down.forward_report(rtcp.SenderReport(1, NTP, 0), 10 * S)
    lsr = NTP >> 16 & 0xFFFFFFFF
    held_s = 0.5
    report = RtcpReceiverInfo(7, 64, 3, 50, 480, lsr, int(held_s * 65536))
    leg.down.reported(report, int((10 + held_s + 0.08) * S))
    leg.sample()
    sample = leg.sample()
    assert sample is not None
    assert sample.rtt_ms == pytest.approx(80, abs=0.1)
    assert (sample.loss_down, sample.jitter_down_ms) == (0.25, 10)
    leg.down.reported(RtcpReceiverInfo(7, 0, 0, 50, 0, 12345, 0), 99 * S)
    assert leg.down.rtt_ms == pytest.approx(80, abs=0.1), "an unknown report tells no round trip"


def test_the_bit_rate_comes_from_sender_reports_and_stops_with_the_packets() -> None:
    leg = Leg()
    leg.sample()
    leg.send(leg.audio, 50)
    leg.audio.sender_report(rtcp.SenderReport(1, NTP, 0, 0xFFFF_FF00), 1 * S)
    leg.audio.sender_report(rtcp.SenderReport(1, NTP, 0, 0x0000_0F00), 2 * S)  # the count wraps
    busy, idle = leg.sample(), leg.sample()
    assert busy is not None
    assert idle is not None
    assert (busy.bitrate_up_bps, idle.bitrate_up_bps) == (0x1000 * 8, 0)


def test_a_picture_that_stands_still_is_noticed_and_a_camera_that_never_began_is_not() -> None:
    leg = Leg()
    seen = []
    for second in range(6):
        leg.send(leg.audio, 50)
        if second in (1, 2, 5):
            leg.send(leg.video, 20)
        sample = leg.sample()
        seen.append(sample.frozen if sample else None)
    assert seen == [None, False, False, False, True, False]
    leg.send(leg.video, 20)
    leg.video.given_up += 1
    given_up = leg.sample()
    assert given_up is not None
    assert given_up.frozen


@pytest.mark.parametrize(
    ("loss", "rtt_ms", "jitter_ms", "frozen", "silent", "bars"),
    [
        (0, 20, 5, False, False, 4),
        (0, 20, 5, True, False, 2),
        (0.03, 20, 5, False, False, 3),
        (0, 300, 5, False, False, 3),
        (0.1, 20, 5, False, False, 2),
        (0.3, 20, 5, False, False, 1),
        (0, 20, 400, True, False, 1),
        (0, 20, 5, False, True, 0),
    ],
)
def test_bars(loss, rtt_ms, jitter_ms, frozen, silent, bars) -> None:
    assert bars_for(loss, rtt_ms, jitter_ms, frozen=frozen, silent=silent) == bars


@given(st.floats(0, 1), st.floats(0, 5000), st.floats(0, 1000), st.booleans(), st.floats(0, 0.5))
def test_more_loss_never_means_more_bars(loss, rtt_ms, jitter_ms, frozen, more) -> None:
    fewer = bars_for(min(1, loss + more), rtt_ms, jitter_ms, frozen=frozen, silent=False)
    assert 1 <= fewer <= bars_for(loss, rtt_ms, jitter_ms, frozen=frozen, silent=False) <= 4


def test_one_lost_packet_does_not_move_the_bars_and_lasting_loss_does() -> None:
    leg = Leg()
    leg.sample()
    leg.send(leg.audio, 50)
    leg.sample()
    bars = []
    for lost in (2, 0, 0, 15, 15, 15, 15, 0, 0, 0, 0, 0, 0):
        leg.send(leg.audio, 50, lost=lost)
        sample = leg.sample()
        assert sample is not None
        bars.append(sample.bars)
    assert bars[:3] == [4, 4, 4]
    assert bars[6] == 1
    assert bars[-1] == 3 or bars[-1] == 4


def _sample(**changes) -> QualitySample:
    values = {
        "call_id": "c", "seat": Seat.TELLER, "peer_id": "p", "loss_up": 0.0, "loss_down": 0.0, "jitter_up_ms": 4.0,
        "jitter_down_ms": 0.0, "rtt_ms": None, "bitrate_up_bps": 1000, "bitrate_down_bps": 0, "frozen": False,
        "bars": 4,
    }  # fmt: skip
    return QualitySample(**(values | changes))


def test_a_tally_keeps_averages_the_worst_and_freezes() -> None:
    tally = Tally(Seat.TELLER)
    assert tally.summary() is None
    for change in (
        {"loss_up": 0.1, "rtt_ms": 100.0},
        {"frozen": True, "bars": 2},
        {"frozen": True, "bars": 2, "rtt_ms": 300.0},
        {"bitrate_up_bps": 5000},
        {"frozen": True, "bars": 0},
    ):
        tally.add(_sample(**change))
    summary = tally.summary()
    assert summary is not None
    assert (summary.seconds, summary.loss_up, summary.loss_up_max) == (5, 0.02, 0.1)
    assert (summary.rtt_ms, summary.rtt_max_ms) == (200.0, 300.0)
    assert (summary.freezes, summary.frozen_s, summary.bars_s) == (2, 3, (1, 0, 2, 0, 2))
    assert summary.bitrate_up_bps == 1800
