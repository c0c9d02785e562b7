"""Operators on who speaks when: silence, response time, talking over each other, who speaks how much. Pure.

What they say of an utterance depends only on those that began before it, so a new utterance changes what is said of
itself and of those that begin before it ends, and of the next one.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from core.ports.speech import Party, Segment
from qa.compliance import expressions as ex
from qa.compliance.spans import Span


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """One utterance on the time line."""

    start_s: float
    end_s: float
    party: Party
    text: str


@dataclass(frozen=True, slots=True)
class _Before:
    """What was spoken before an utterance: latest end of anybody and of the other party, and who began last."""

    any_end_s: float
    other_end_s: float
    last: Party


class Timeline:
    """Utterances in order of their beginning. Adding one costs as much as it overlaps with others."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.first_s = self.last_s = 0.0
        self._longest_s = 0.0
        self._talk_ms = dict.fromkeys(Party, 0)  # whole numbers: the sum is the same in any order

    def add(self, segment: Segment) -> tuple[int, int]:
        """Takes an utterance; returns the range of places [from, to) about which something else may now be said.

        The same utterance told twice counts once.
        """
        turn = Turn(segment.start_s, segment.end_s, segment.party, segment.text)
        place = bisect_left(self.turns, turn) if self.turns and not self.turns[-1] < turn else len(self.turns)
        if place < len(self.turns) and self.turns[place] == turn:
            return place, place
        self.first_s = min(self.first_s, turn.start_s) if self.turns else turn.start_s
        self.last_s = max(self.last_s, turn.end_s) if self.turns else turn.end_s
        self._longest_s = max(self._longest_s, turn.end_s - turn.start_s)
        self._talk_ms[turn.party] += round((turn.end_s - turn.start_s) * 1000)
        self.turns.insert(place, turn)
        stop = place + 1
        while stop < len(self.turns) and self.turns[stop].start_s < turn.end_s:
            stop += 1
        return place, min(len(self.turns), stop + 1)

    def spans(self, expr: ex.Expr, party: Party) -> list[Span]:
        """All spans of an operator, in order of time."""
        found = (self.span_at(expr, party, place) for place in range(len(self.turns)))
        return sorted(span for span in found if span is not None)

    def share(self, expr: ex.Share, party: Party) -> list[Span]:
        """The party's part of all that was spoken so far. It is at no moment, so it has no time."""
        spoken_ms = sum(self._talk_ms.values())
        if spoken_ms == 0 or spoken_ms < expr.min_talk_s * 1000:
            return []
        part = self._talk_ms[party] / spoken_ms
        much = expr.above is not None and part > expr.above
        little = expr.below is not None and part < expr.below
        return [Span(0.0, 0.0, f"说话占 {part:.0%}", 100.0, party, ())] if much or little else []

    def span_at(self, expr: ex.Expr, party: Party, place: int) -> Span | None:
        """What an operator says of the utterance at this place."""
        if place == 0:
            return None
        return TIMELINE[type(expr)](expr, party, self.turns[place], self._before(place))

    def _before(self, place: int) -> _Before:
        turn, last = self.turns[place], self.turns[place - 1]
        any_end, other_end = last.end_s, float("-inf")
        for k in range(place - 1, -1, -1):
            earlier = self.turns[k]
            if earlier.start_s < last.start_s - self._longest_s:
                break  # what began before that has ended before the last one began
            any_end = max(any_end, earlier.end_s)
            if earlier.party is not turn.party:
                other_end = max(other_end, earlier.end_s)
        return _Before(any_end, other_end, last.party)


def _silence(expr: ex.Silence, _party: Party, turn: Turn, before: _Before) -> Span | None:
    gap = turn.start_s - before.any_end_s
    return _span(before.any_end_s, turn.start_s, f"{gap:.1f} 秒无人说话", turn) if gap >= expr.seconds else None


def _response(expr: ex.Response, party: Party, turn: Turn, before: _Before) -> Span | None:
    if turn.party is not party or before.last is party:
        return None
    waited = turn.start_s - before.other_end_s
    return _span(before.other_end_s, turn.start_s, f"{waited:.1f} 秒后回应", turn) if waited >= expr.above_s else None


def _overlap(expr: ex.Overlap, party: Party, turn: Turn, before: _Before) -> Span | None:
    until = min(turn.end_s, before.other_end_s)
    if turn.party is not party or until - turn.start_s <= expr.seconds:
        return None
    return _span(turn.start_s, until, f"同时说话 {until - turn.start_s:.1f} 秒", turn)


def _span(at_s: float, end_s: float, phrase: str, turn: Turn) -> Span:
    utterance = (turn.start_s, turn.end_s, turn.text)
    return Span(round(at_s, 3), round(end_s, 3), phrase, 100.0, turn.party, (utterance,))


TIMELINE: dict[type, Callable[..., Span | None]] = {
    ex.Silence: _silence,
    ex.Response: _response,
    ex.Overlap: _overlap,
}
