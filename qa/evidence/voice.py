"""How a call sounded, from who spoke when: talk, pauses, answers, interruptions, pace, words of feeling. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from core.ports.speech import Party, Segment
from qa.compliance.feelings import FEELINGS, Mood

SILENCE_S = 5.0
"""A pause of both sides this long is a silence."""
INTERRUPTION_S = 1.0
"""Speaking into the other's sentence for longer than this is an interruption."""
_TURN_S = 10.0
"""Who speaks again after this long does not answer any more."""
RAISED_DB = 6.0
"""So much above one's own median (twice the amplitude) is a raised voice."""


@dataclass(frozen=True, slots=True)
class PartyVoice:
    """One side of a call.

    Attributes:
        talk_s / share: Spoken seconds, and of all that was spoken (0–1).
        chars_per_s: Pace over the whole call; None when nothing was said.
        answer_s / longest_answer_s: From the end of the other's sentence to the beginning of this side's, median and
            longest; None when it never answered.
        interruptions: Times it spoke into the other's sentence for more than `INTERRUPTION_S`.
        upset / pleased: Seconds at which words of feeling were said.
        level_db: Median loudness in dBFS; None where it was not measured (live transcripts, older ones).
        raised: Seconds at which it spoke louder than its median by more than `RAISED_DB`.
    """

    talk_s: float
    share: float
    chars_per_s: float | None
    answer_s: float | None
    longest_answer_s: float | None
    interruptions: int
    upset: tuple[float, ...]
    pleased: tuple[float, ...]
    level_db: float | None
    raised: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CallVoice:
    """Both sides, and the pauses [from, to) of `SILENCE_S` and more between them."""

    parties: dict[Party, PartyVoice]
    silences: tuple[tuple[float, float], ...]


def call_voice(segments: Sequence[Segment]) -> CallVoice:
    """Facts of a call's transcript, whatever the order of its segments."""
    ordered = sorted(segments, key=lambda s: (s.start_s, s.end_s, s.party))
    spoken_s = sum(s.end_s - s.start_s for s in ordered)
    return CallVoice({party: _party(party, ordered, spoken_s) for party in Party}, _silences(ordered))


def _party(party: Party, ordered: Sequence[Segment], spoken_s: float) -> PartyVoice:
    own = [s for s in ordered if s.party is party]
    talk_s = sum(s.end_s - s.start_s for s in own)
    answers = _answers(party, ordered)
    levels = [(s.start_s, s.level_db) for s in own if s.level_db is not None]
    usual_db = median(level for _, level in levels) if levels else None
    letters = sum(sum(char.isalnum() for char in s.text) for s in own)
    return PartyVoice(
        talk_s=round(talk_s, 1),
        share=round(talk_s / spoken_s, 3) if spoken_s else 0.0,
        chars_per_s=round(letters / talk_s, 2) if talk_s else None,
        answer_s=round(median(answers), 2) if answers else None,
        longest_answer_s=round(max(answers), 2) if answers else None,
        interruptions=sum(_interrupts(s, ordered) for s in own),
        upset=tuple(round(s.start_s, 1) for s in own if FEELINGS[Mood.UPSET].search(s.text)),
        pleased=tuple(round(s.start_s, 1) for s in own if FEELINGS[Mood.PLEASED].search(s.text)),
        level_db=None if usual_db is None else round(usual_db, 1),
        raised=tuple(round(at_s, 1) for at_s, level in levels if usual_db is not None and level - usual_db > RAISED_DB),
    )


def _answers(party: Party, ordered: Sequence[Segment]) -> list[float]:
    """Pauses before this side's sentences that follow one of the other's."""
    pauses = []
    for before, segment in pairwise(ordered):
        if segment.party is party and before.party is not party:
            pause_s = segment.start_s - before.end_s
            if pause_s <= _TURN_S:
                pauses.append(max(0.0, pause_s))
    return pauses


def _interrupts(segment: Segment, ordered: Sequence[Segment]) -> bool:
    return any(
        other.party is not segment.party
        and other.start_s < segment.start_s
        and min(other.end_s, segment.end_s) - segment.start_s > INTERRUPTION_S
        for other in ordered
    )


def _silences(ordered: Sequence[Segment]) -> tuple[tuple[float, float], ...]:
    silences = []
    heard_until_s = ordered[0].end_s if ordered else 0.0
    for segment in ordered[1:]:
        if segment.start_s - heard_until_s >= SILENCE_S:
            silences.append((round(heard_until_s, 1), round(segment.start_s, 1)))
        heard_until_s = max(heard_until_s, segment.end_s)
    return tuple(silences)
