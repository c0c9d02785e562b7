"""Sender Reports place media in time; arrival times do not."""

import random

import pytest

from recording.finalize.timeline import Envelope, SenderClock, clocks

RATES = {"audio": 48_000, "video": 90_000}
AHEAD_S = 3_990_000_000.0  # the sender's clock against ours: NTP's epoch, and wrong by hours on top


def _ntp(seconds: float) -> int:
    return round((seconds + AHEAD_S) * 2**32)


def _stream(kind: str, seconds: float, delay_s: float, *, ppm: float = 0.0, seed: int = 1, drift_ppm: float = 0.0):
    """Reports and samples of a stream whose units are captured at 0, 0.02, …; jittered arrivals."""
    chance = random.Random(seed)
    rate = RATES[kind] * (1 + ppm * 1e-6)
    times = [n * 0.02 for n in range(round(seconds / 0.02))]
    samples = [(round(t * rate), t + delay_s + chance.expovariate(50)) for t in times]
    reports = [(_ntp(t * (1 + drift_ppm * 1e-6)), round(t * rate)) for t in times[::250]]
    return reports, samples


def test_audio_and_video_keep_their_distance_whatever_their_delays() -> None:
    audio, video = _stream("audio", 60, 0.02), _stream("video", 60, 0.42, seed=2)
    found = clocks(
        {("audio", 0): audio[0], ("video", 0): video[0]}, {("audio", 0): audio[1], ("video", 0): video[1]}, RATES
    )
    for second in range(60):
        at_audio = found["audio", 0](second * 48_000)
        assert at_audio == pytest.approx(second + 0.02, abs=0.005)
        assert found["video", 0](second * 90_000) == pytest.approx(at_audio, abs=0.001)


def test_a_fast_sound_card_stays_with_the_pictures() -> None:
    audio, video = _stream("audio", 1800, 0.02, ppm=150), _stream("video", 1800, 0.2, seed=2)
    found = clocks(
        {("audio", 0): audio[0], ("video", 0): video[0]}, {("audio", 0): audio[1], ("video", 0): video[1]}, RATES
    )
    for second in (0, 10, 900, 1799):
        at_audio = found["audio", 0](round(second * 48_000 * 1.00015))
        assert found["video", 0](second * 90_000) == pytest.approx(at_audio, abs=0.003)


def test_the_senders_clock_may_drift_against_ours() -> None:
    reports, samples = _stream("audio", 3600, 0.02, drift_ppm=80)  # 288 ms in an hour
    found = clocks({("audio", 0): reports}, {("audio", 0): samples}, RATES)
    for second in (0, 1000, 2000, 3599):
        assert found["audio", 0](second * 48_000) == pytest.approx(second + 0.02, abs=0.03)


def test_without_reports_the_fastest_packets_decide() -> None:
    _, samples = _stream("audio", 30, 0.05)
    found = clocks({}, {("audio", 0): samples}, RATES)
    assert found["audio", 0](10 * 48_000) == pytest.approx(10.05, abs=0.005)


def test_reports_of_only_one_kind_place_the_other_by_arrival() -> None:
    audio, video = _stream("audio", 30, 0.03), _stream("video", 30, 0.06, seed=3)
    found = clocks({("audio", 0): audio[0]}, {("audio", 0): audio[1], ("video", 0): video[1]}, RATES)
    assert found["audio", 0](48_000) == pytest.approx(1.03, abs=0.005)
    assert found["video", 0](90_000) == pytest.approx(1.06, abs=0.005)


def test_a_single_wrong_report_is_voted_down() -> None:
    reports, _ = _stream("audio", 60, 0.0)
    wrong = [*reports[:5], (reports[5][0] + (2 << 32), reports[5][1]), *reports[6:]]
    good, bad = SenderClock(reports, 48_000), SenderClock(wrong, 48_000)
    assert all(bad(ts * 48_000) == pytest.approx(good(ts * 48_000), abs=0.001) for ts in range(60))


def test_an_envelope_of_one_point_is_constant() -> None:
    assert Envelope([(5.0, 0.25)])(1000.0) == 0.25
