"""The automatic file check: every remark has a cause, and the verdict is the worst of them."""

from dataclasses import replace

import pytest

from recording.finalize.check import (
    Measured,
    Reason,
    Verdict,
    judge,
    reasons_from_json,
    reasons_json,
    verdict_of,
)

GOOD = Measured(
    party="customer",
    has_audio=True,
    has_video=True,
    covered_s=118.0,
    gap_s=2.0,
    width=640,
    height=480,
    frame_rate_hz=29.5,
    pictures=12,
    silent_share=0.7,
    packets=10_000,
    missing=20,
    audio_packets=6_000,
)
TELLER = replace(GOOD, party="teller")


def _judged(one: Measured, *, damage: tuple[str, ...] = (), interrupted: bool = False) -> list[Reason]:
    return judge([one, TELLER], [], damage, 120.0, interrupted=interrupted)


def test_a_good_recording_passes() -> None:
    late = {"party": "customer", "from_s": 0.0, "to_s": 2.0, "reason": "joined_late"}
    assert judge([GOOD, TELLER], [late], [], 120.0, interrupted=False) == []
    assert verdict_of([]) == Verdict.PASS


@pytest.mark.parametrize(
    ("change", "code", "verdict"),
    [
        ({"has_audio": False}, "no_audio", Verdict.FAIL),
        ({"has_video": False, "width": 0, "height": 0, "frame_rate_hz": 0.0, "pictures": 0}, "no_video", Verdict.FAIL),
        ({"covered_s": 50.0}, "too_short", Verdict.FAIL),
        ({"covered_s": 110.0}, "short", Verdict.FINDINGS),
        ({"width": 160, "height": 120}, "low_resolution", Verdict.FINDINGS),
        ({"frame_rate_hz": 3.0}, "low_frame_rate", Verdict.FINDINGS),
        ({"black": 4}, "black_frames", Verdict.FINDINGS),
        ({"silent_share": 1.0}, "silent", Verdict.FINDINGS),
        ({"missing": 800}, "packet_loss", Verdict.FINDINGS),
        ({"undecodable": 100}, "undecodable", Verdict.FINDINGS),
        ({"has_clock": False}, "no_clock", Verdict.FINDINGS),
    ],
)
def test_each_fault_is_named(change: dict[str, float], code: str, verdict: Verdict) -> None:
    reasons = _judged(replace(GOOD, **change))  # type: ignore[arg-type]
    assert [(reason.code, reason.party) for reason in reasons] == [(code, "customer")]
    assert verdict_of(reasons) == verdict


def test_faults_of_the_whole_recording() -> None:
    assert [reason.code for reason in _judged(GOOD, damage=("x",), interrupted=True)] == ["damaged", "interrupted"]
    missing = judge([TELLER], [], [], 120.0, interrupted=False)
    assert [(reason.code, reason.party, reason.level) for reason in missing] == [("no_media", "customer", "fail")]


def test_gaps_are_findings_and_secure_pauses_are_not() -> None:
    gaps: list[dict[str, object]] = [
        {"party": "customer", "from_s": 10.0, "to_s": 14.5, "reason": "reconnect"},
        {"party": "customer", "from_s": 20.0, "to_s": 30.0, "reason": "secure_pause"},
        {"party": "teller", "from_s": 20.0, "to_s": 30.0, "reason": "secure_pause"},
        {"party": "teller", "from_s": 112.0, "to_s": 120.0, "reason": "left_early"},
    ]
    reasons = judge([GOOD, TELLER], gaps, [], 120.0, interrupted=False)
    assert [(reason.code, reason.party, reason.values["seconds"]) for reason in reasons] == [
        ("gaps", "customer", 4.5),
        ("gaps", "teller", 8.0),
        ("secure_pause", "customer", 10.0),
        ("secure_pause", "teller", 10.0),
    ]
    assert verdict_of(reasons[2:]) == Verdict.PASS


def test_reasons_survive_storage() -> None:
    reasons = _judged(replace(GOOD, silent_share=1.0), damage=("x",))
    assert reasons_from_json(reasons_json(reasons)) == reasons
