"""Finds many phrases in a transcript by sound, all at once.

One Aho-Corasick pass finds every place where two neighbouring syllables of any phrase are heard. A phrase that shares
fewer such pairs with the text than its worst tolerated match would is dropped by set operations, without being looked
at one by one; only the places of the others are aligned with weighted costs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import ahocorasick
from rapidfuzz.distance import LCSseq

from qa.compliance.phonetic import WRONG, Sound, sound, swap_cost

_INSERT, _DELETE, _FLIP, _CHARACTER = 0.8, 1.0, 2.0, 0.01
# Losing, adding or mistaking one of these turns the meaning around (听得懂吗 is not 听不懂吗).
_MEANING = frozenset("不没无非未别勿")
_THRESHOLDS = {1: 100.0, 2: 84.0, 3: 80.0, 4: 80.0, 5: 82.0}
_LONG_THRESHOLD, _SENTENCE_THRESHOLD, _SENTENCE_LENGTH = 80.0, 72.0, 9


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to listen for, with the least score (0–100) that counts; 0 takes the default for its length."""

    text: str
    min_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase heard at [start, end) of the text, with its score 0–100."""

    phrase: int
    start: int
    end: int
    score: float


def default_threshold(length: int) -> float:
    """Least score for a phrase of this many syllables: the shorter, the stricter."""
    return _THRESHOLDS.get(length, _SENTENCE_THRESHOLD if length >= _SENTENCE_LENGTH else _LONG_THRESHOLD)


class _Seed:
    """Two neighbouring syllables, and where phrases have them.

    Attributes:
        lone: (number, offset) of phrases that may be near although no other pair of theirs is heard.
        offsets: Phrase number → offset of the pair, of the others.
        bits: The same phrases as a bit set, which C code joins and cuts a machine word at a time.
    """

    __slots__ = ("bits", "lone", "offsets")

    def __init__(self, places: Sequence[tuple[int, int]], needed: Sequence[int]) -> None:
        numbers = [number for number, _ in places]
        self.lone = tuple(p for p in places if needed[p[0]] == 1 or numbers.count(p[0]) > 1)
        self.offsets = dict(p for p in places if p not in self.lone)
        self.bits = sum(1 << number for number in self.offsets)


class PhraseIndex:
    """Immutable after construction; compile once per rule set."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self.phrases = tuple(phrases)
        self._sounds = tuple(sound(p.text) for p in phrases)
        self._limits = tuple(p.min_score or default_threshold(len(p.text)) for p in phrases)
        self._single: dict[str, list[int]] = defaultdict(list)
        seeds: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, heard in enumerate(self._sounds):
            if len(heard.codes) == 1:
                self._single[heard.text].append(number)
            for offset in range(len(heard.codes) - 1):
                seeds[heard.codes[offset : offset + 2]].append((number, offset))
        self._budgets = tuple(len(s.codes) * (1 - t / 100) for s, t in zip(self._sounds, self._limits, strict=True))
        # The worst tolerated match still has so many right syllables, and so many right pairs of neighbours: a
        # syllable of another class costs at least WRONG and breaks at most two pairs.
        self._right = tuple(len(s.codes) - int(b / WRONG) for s, b in zip(self._sounds, self._budgets, strict=True))
        self._needed = tuple(max(1, 2 * r - len(s.codes) - 1) for s, r in zip(self._sounds, self._right, strict=True))
        self._automaton = ahocorasick.Automaton()
        for pair, places in seeds.items():
            self._automaton.add_word(pair, _Seed(places, self._needed))
        if seeds:
            self._automaton.make_automaton()

    def scan(self, text: Sound) -> dict[int, list[Hit]]:
        """All hits in the text by phrase number, each list in order of position."""
        found: dict[int, list[Hit]] = {}
        for char in self._single.keys() & set(text.text) if self._single else ():
            hits = [Hit(0, at, at + 1, 100.0) for at, each in enumerate(text.text) if each == char]
            for number in self._single[char]:
                found[number] = [replace(hit, phrase=number) for hit in hits]
        if len(self._automaton) == 0:
            return found
        for number, starts in self._diagonals(text.codes).items():
            if len(starts) >= self._needed[number] and (hits := self._verify(number, starts, text)):
                found[number] = hits
        return found

    def _diagonals(self, codes: str) -> dict[int, list[int]]:
        """Where the phrases with enough right pairs would begin, once for each pair."""
        starts: dict[int, list[int]] = defaultdict(list)
        heard: list[tuple[int, _Seed]] = list(self._automaton.iter(codes))
        once = twice = 0
        for end, seed in heard:
            for number, offset in seed.lone:
                starts[number].append(end - 1 - offset)
            twice |= once & seed.bits
            once |= seed.bits
        if twice:
            for end, seed in heard:
                near = seed.bits & twice
                while near:
                    number = near.bit_length() - 1
                    near ^= 1 << number
                    starts[number].append(end - 1 - seed.offsets[number])
        return starts

    def _verify(self, number: int, starts: list[int], text: Sound) -> list[Hit]:
        length = len(self._sounds[number].codes)
        slack = 1 if length <= 8 else 3
        hits: list[Hit] = []
        for first, last, votes in _clusters(sorted(starts), slack):
            if votes < self._needed[number]:
                continue
            hit = self._align(number, text, first, last, slack if length > 2 else 0, whole=votes >= length - 1)
            if hit is None:
                continue
            if hits and hits[-1].end > hit.start:
                if hit.score > hits[-1].score:
                    hits[-1] = hit
                continue
            hits.append(hit)
        return hits

    def _align(self, number: int, text: Sound, first: int, last: int, slack: int, whole: bool) -> Hit | None:
        """The phrase near these diagonals; ``whole``: perhaps every pair of it was heard."""
        pattern = self._sounds[number]
        length = len(pattern.codes)
        left, right = max(0, first - slack), min(len(text.codes), last + length + slack)
        exact = text.codes.find(pattern.codes, left, right) if whole else -1
        if exact >= 0:
            cost, start, end = _in_place(pattern, text, exact), exact, exact + length
        else:
            right_ones = self._right[number]
            if LCSseq.similarity(pattern.codes, text.codes[left:right], score_cutoff=right_ones) < right_ones:
                return None
            cost, start, end = _semiglobal(pattern, text, left, right, self._budgets[number])
        score = 100 * (1 - cost / length)
        return Hit(number, start, end, score) if score >= self._limits[number] else None


def _clusters(starts: list[int], slack: int) -> list[tuple[int, int, int]]:
    """Groups of nearly equal diagonals: (first, last, how many)."""
    if starts[-1] - starts[0] <= slack:
        return [(starts[0], starts[-1], len(starts))]
    groups = []
    first = previous = starts[0]
    votes = 0
    for start in starts:
        if start - previous > slack:
            groups.append((first, previous, votes))
            first, votes = start, 0
        previous = start
        votes += 1
    return [*groups, (first, previous, votes)]


def _in_place(pattern: Sound, text: Sound, start: int) -> float:
    """Cost where every syllable is at least nearly the same."""
    cost = 0.0
    for i, (char, syllable) in enumerate(zip(pattern.text, pattern.syllables, strict=True), start):
        cost += swap_cost(syllable, text.syllables[i]) or (_CHARACTER if char != text.text[i] else 0.0)
    return cost


def _semiglobal(pattern: Sound, text: Sound, left: int, right: int, budget: float) -> tuple[float, int, int]:
    """Least cost of the whole pattern anywhere in text[left:right], with the span where it lies.

    Gives up, with a cost above the budget, as soon as no way through can stay within it.
    """
    width = right - left
    best = [0.0] * (width + 1)
    origin = list(range(width + 1))
    chars, syllables = text.text[left:right], text.syllables[left:right]
    for p_char, p_syllable in zip(pattern.text, pattern.syllables, strict=True):
        flips = p_char in _MEANING
        drop = _FLIP if flips else _DELETE
        row, row_origin = [best[0] + drop], [origin[0]]
        for j in range(width):
            cost = swap_cost(p_syllable, syllables[j])
            if cost > 0 and (flips or chars[j] in _MEANING) and cost >= 0.5:
                cost = _FLIP
            elif cost == 0 and p_char != chars[j]:
                cost = _CHARACTER
            value, came = best[j] + cost, origin[j]
            if best[j + 1] + drop < value:
                value, came = best[j + 1] + drop, origin[j + 1]
            extra = row[j] + (_FLIP if chars[j] in _MEANING else _INSERT)
            if extra < value:
                value, came = extra, row_origin[j]
            row.append(value)
            row_origin.append(came)
        best, origin = row, row_origin
        if min(best) > budget + 1e-9:
            return min(best) + len(pattern.codes), left, left
    end = min(range(width + 1), key=lambda j: (best[j], -j))
    return best[end], left + origin[end], left + end
