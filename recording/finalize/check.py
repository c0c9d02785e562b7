"""The automatic file check: what was measured against what a recording must be."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Literal

PARTIES = ("customer", "teller")
SECURE_PAUSE = "secure_pause"

Level = Literal["fail", "finding", "note"]


class Verdict(StrEnum):
    """How a recording is: as it must be, usable with remarks, or not what it must be."""

    PASS = "pass"
    FINDINGS = "findings"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recording must reach. Shares are of 1, times in seconds.

    Attributes:
        edge_s: The connection needs this long after the answer, and hanging up takes a moment.
        short_share: More than this part of the call without any media is a finding. fail_share: Then it is worthless.
        silent_share: A party who says nothing at all; listening a lot is no fault.
    """

    edge_s: float = 5.0
    short_share: float = 0.02
    fail_share: float = 0.5
    min_width: int = 320
    min_height: int = 240
    min_frame_rate_hz: float = 8.0
    black_share: float = 0.2
    silent_share: float = 0.98
    loss_share: float = 0.03
    undecodable_share: float = 0.01


@dataclass(slots=True)
class Measured:
    """What was measured of one party's file.

    Attributes:
        track: ``screen`` for what the party shared; nobody has to, but what was shared must be readable.
        covered_s: Time with media. gap_s: Time without, between the first and the last media.
        frame_rate_hz: While pictures came. black / pictures: Of the key frames looked at.
        silent_share: Of the sound. missing: Packets that never came.
        has_clock: Sender Reports for all streams; without them sound and pictures are aligned by arrival only.
    """

    party: str
    track: str = "main"
    has_audio: bool = False
    has_video: bool = False
    covered_s: float = 0.0
    gap_s: float = 0.0
    width: int = 0
    height: int = 0
    frame_rate_hz: float = 0.0
    pictures: int = 0
    black: int = 0
    silent_share: float = 0.0
    packets: int = 0
    missing: int = 0
    audio_packets: int = 0
    undecodable: int = 0
    dropped_frames: int = 0
    has_clock: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """One remark. `code` is translated by the pages; `values` are for its text."""

    code: str
    level: Level
    party: str | None = None
    values: dict[str, float | str] = field(default_factory=dict)


def judge(
    measured: Sequence[Measured],
    gaps: Iterable[dict[str, object]],
    damage: Sequence[str],
    call_s: float | None,
    *,
    interrupted: bool,
    limits: Limits | None = None,
) -> list[Reason]:
    """All remarks, worst first.

    Args:
        gaps: As in `core.models.recording.Recording.gaps`. call_s: Length of the call; None when it is not known.
    """
    limits = limits or Limits()
    by_party = {one.party: one for one in measured if one.track == "main"}
    reasons: list[Reason] = []
    for party in PARTIES:
        one = by_party.get(party)
        if one is None:
            reasons.append(Reason("no_media", "fail", party))
        else:
            reasons += _streams(one, limits) + _quality(one, limits) + _times(one, call_s, limits)
    for one in measured:
        if one.track == "screen":
            reasons += _screen(one, limits)
    if damage:
        reasons.append(Reason("damaged", "fail", None, {"count": len(damage)}))
    if interrupted:
        reasons.append(Reason("interrupted", "finding"))
    reasons += _gaps(list(gaps), limits)
    order = {"fail": 0, "finding": 1, "note": 2}
    return sorted(reasons, key=lambda reason: order[reason.level])


def verdict_of(reasons: Iterable[Reason]) -> Verdict:
    """The verdict that the remarks amount to."""
    levels = {reason.level for reason in reasons}
    return Verdict.FAIL if "fail" in levels else Verdict.FINDINGS if "finding" in levels else Verdict.PASS


def reasons_json(reasons: Iterable[Reason]) -> list[dict[str, object]]:
    """Remarks as they are stored: ``[{"code", "level", "party", "values"}]``."""
    return [asdict(reason) for reason in reasons]


def reasons_from_json(stored: Iterable[dict[str, object]]) -> list[Reason]:
    """Undo `reasons_json`."""
    return [Reason(**one) for one in stored]  # type: ignore[arg-type]


def _streams(one: Measured, limits: Limits) -> list[Reason]:
    reasons: list[Reason] = []
    if not one.has_audio:
        reasons.append(Reason("no_audio", "fail", one.party))
    elif one.silent_share >= limits.silent_share:
        reasons.append(Reason("silent", "finding", one.party, {"share": one.silent_share}))
    if not one.has_video:
        reasons.append(Reason("no_video", "fail", one.party))
    return reasons


def _screen(one: Measured, limits: Limits) -> list[Reason]:
    if not one.has_video:
        return [Reason("screen_unreadable", "finding", one.party)]
    share = one.missing / max(1, one.packets + one.missing)
    if share > limits.loss_share:
        return [Reason("screen_packet_loss", "finding", one.party, {"share": round(share, 3)})]
    return []


def _quality(one: Measured, limits: Limits) -> list[Reason]:
    reasons: list[Reason] = []

    def remark(code: str, **values: float | str) -> None:
        reasons.append(Reason(code, "finding", one.party, values))

    if one.has_video and (one.width < limits.min_width or one.height < limits.min_height):
        remark("low_resolution", width=one.width, height=one.height)
    if one.has_video and one.frame_rate_hz < limits.min_frame_rate_hz:
        remark("low_frame_rate", rate=round(one.frame_rate_hz, 1))
    if one.pictures and one.black / one.pictures > limits.black_share:
        remark("black_frames", share=round(one.black / one.pictures, 3))
    if one.missing and one.missing / (one.packets + one.missing) > limits.loss_share:
        remark("packet_loss", share=round(one.missing / (one.packets + one.missing), 3))
    if one.undecodable > limits.undecodable_share * one.audio_packets:
        remark("undecodable", count=one.undecodable)
    if not one.has_clock:
        remark("no_clock")
    return reasons


def _times(one: Measured, call_s: float | None, limits: Limits) -> list[Reason]:
    if call_s is None or call_s <= 0:
        return []
    lacking = call_s - one.covered_s
    values: dict[str, float | str] = {"covered": round(one.covered_s, 1), "call": round(call_s, 1)}
    if lacking > max(limits.fail_share * call_s, limits.edge_s):
        return [Reason("too_short", "fail", one.party, values)]
    if lacking > limits.edge_s + limits.short_share * call_s:
        return [Reason("short", "finding", one.party, values)]
    return []


def _gaps(gaps: list[dict[str, object]], limits: Limits) -> list[Reason]:
    reasons: list[Reason] = []
    for party in PARTIES:
        own = [(str(gap["reason"]), _seconds(gap)) for gap in gaps if gap["party"] == party]
        edges = ("joined_late", "left_early")
        faults = [
            length for cause, length in own if cause != SECURE_PAUSE and (cause not in edges or length > limits.edge_s)
        ]
        pauses = [length for cause, length in own if cause == SECURE_PAUSE]
        for code, level, lengths in (("gaps", "finding", faults), ("secure_pause", "note", pauses)):
            if lengths:
                values: dict[str, float | str] = {"count": len(lengths), "seconds": round(sum(lengths), 1)}
                reasons.append(Reason(code, "finding" if level == "finding" else "note", party, values))
    return reasons


def _seconds(gap: dict[str, object]) -> float:
    return float(str(gap["to_s"])) - float(str(gap["from_s"]))
