"""What operators work on: one utterance prepared for matching, and the stretches of speech found in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.ports.speech import Party, Segment
from qa.compliance.likeness import packaged, windows
from qa.compliance.matcher import Hit
from qa.compliance.normalize import NormalText, char_times, digits
from qa.compliance.phonetic import Sound


@dataclass(frozen=True, slots=True)
class LocalSpan:
    """A stretch [start, end) of one utterance's characters; ``parts`` are the matched words inside it."""

    start: int
    end: int
    score: float
    phrase: str
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the call. ``utterances`` are (start, end, sentence) of the segments it touches, in time order."""

    at_s: float
    end_s: float
    phrase: str
    score: float
    party: Party
    utterances: tuple[tuple[float, float, str], ...]

    @property
    def turn_end_s(self) -> float:
        """When the speaker finished the last utterance this lies in."""
        return max((end for _, end, _ in self.utterances), default=self.end_s)

    @property
    def evidence(self) -> str:
        """The sentences this was heard in."""
        return "".join(dict.fromkeys(sentence for _, _, sentence in self.utterances))


class Utterance:
    """One segment with its views; built once, when the segment arrives."""

    def __init__(self, segment: Segment, view: NormalText, heard: Sound, hits: dict[int, list[Hit]]) -> None:
        self.segment = segment
        self.view = view
        self.heard = heard
        self.hits = hits

    @cached_property
    def digits(self) -> NormalText:
        """The view with numerals as Arabic digits."""
        return digits(self.segment.text)

    @cached_property
    def times(self) -> list[tuple[float, float]]:
        """Start and end second of every original character."""
        return char_times(self.segment)

    @cached_property
    def likeness(self) -> list[tuple[int, int, bool, NDArray[np.float32]]]:
        """What may be judged by itself (`likeness.windows`), with how like each is to every concept."""
        model, whole = packaged(), self.heard
        return [
            (a, b, only_clause, model.scores(Sound(whole.text[a:b], whole.syllables[a:b], whole.codes[a:b])))
            for a, b, only_clause in windows(self.view)
        ]

    def place(self, local: LocalSpan) -> Span:
        """A stretch of characters on the call's time line."""
        first = self.view.origin[local.start]
        last = self.view.origin[local.end - 1]
        sentence = self.view.sentence(local.start, local.end)
        utterance = (self.segment.start_s, self.segment.end_s, sentence)
        at_s, end_s = round(self.times[first][0], 3), round(self.times[last][1], 3)
        return Span(at_s, end_s, local.phrase, round(local.score, 1), self.segment.party, (utterance,))


def join(parts: Sequence[Span]) -> Span:
    """One span over several, with their mean score."""
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts)
    return Span(
        ordered[0].at_s,
        max(p.end_s for p in ordered),
        ordered[0].phrase,
        round(sum(p.score for p in ordered) / len(ordered), 1),
        ordered[0].party,
        tuple(dict.fromkeys(u for p in ordered for u in p.utterances)),
    )


def extent_end(span: Span) -> float:
    """Where a span, or an utterance it touches, ends."""
    return max([span.end_s, *(u[1] for u in span.utterances)])


def extent_start(span: Span) -> float:
    """Where a span, or an utterance it touches, begins."""
    return min([span.at_s, *(u[0] for u in span.utterances)])


def gap_between(a: Span, b: Span) -> float:
    """Seconds of silence or other speech between two spans; 0 when they overlap."""
    return max(0.0, a.at_s - b.end_s, b.at_s - a.end_s)


def nearest(target: Span, candidates: Iterable[Span], within_s: float) -> Span | None:
    """The candidate closest in time, if it is close enough."""
    close = [c for c in candidates if gap_between(target, c) <= within_s]
    return min(close, key=lambda c: (gap_between(target, c), c)) if close else None
