"""Operators that look at one utterance alone. Each is one function in the table ``LOCAL``."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise, product

from qa.compliance import expressions as ex
from qa.compliance.feelings import FEELINGS
from qa.compliance.likeness import CLAUSE_SCORE, packaged
from qa.compliance.matcher import Hit, Phrase
from qa.compliance.negation import NegationReader
from qa.compliance.spans import LocalSpan, Utterance

PhraseKey = tuple[str, float]


class LocalContext:
    """Phrase numbers and negation shared by all evaluations of a rule set."""

    def __init__(self, phrases: dict[PhraseKey, int], negation: NegationReader) -> None:
        self.phrases = phrases
        self.negation = negation

    def heard(self, utterance: Utterance, words: Iterable[str], min_score: float = 0) -> list[LocalSpan]:
        """All hits of these words, in order of position."""
        out: list[LocalSpan] = []
        for word in words:
            for hit in utterance.hits.get(self.phrases[word, min_score], ()):
                out.append(_span(hit, word))
        return sorted(out, key=lambda s: (s.start, -s.score, -s.end, s.phrase))


def is_local(expr: ex.Expr) -> bool:
    """Whether one utterance alone decides it."""
    if isinstance(expr, ex.Any_):
        return all(is_local(inner) for inner in expr.of)
    if isinstance(expr, ex.Unless | ex.Affirmed):
        return is_local(expr.of)
    return type(expr) in LOCAL


def phrases_of(expr: ex.Expr) -> Iterable[Phrase]:
    """Every phrase a local expression listens for."""
    match expr:
        case ex.Words() | ex.Similar():
            yield from (Phrase(word, expr.min_score) for word in expr.of)
        case ex.Seq() | ex.Together():
            yield from (Phrase(word) for words in expr.of for word in words)
        case ex.Unless():
            yield from (Phrase(word) for word in expr.words)
            yield from phrases_of(expr.of)
        case ex.Affirmed():
            yield from phrases_of(expr.of)
        case ex.Any_():
            for inner in expr.of:
                yield from phrases_of(inner)


def needs_phrase(expr: ex.Expr) -> bool:
    """Whether it can only match an utterance in which one of its phrases was heard."""
    match expr:
        case ex.Regex() | ex.Like() | ex.Speed() | ex.Level() | ex.Feeling():
            return False
        case ex.Unless() | ex.Affirmed():
            return needs_phrase(expr.of)
        case ex.Any_():
            return all(needs_phrase(inner) for inner in expr.of)
    return True


def evaluate_local(expr: ex.Expr, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    """Stretches of the utterance that satisfy a local expression."""
    return LOCAL[type(expr)](expr, utterance, context)


def _span(hit: Hit, phrase: str) -> LocalSpan:
    return LocalSpan(hit.start, hit.end, hit.score, phrase, ((hit.start, hit.end),))


def _words(expr: ex.Words, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    spans = context.heard(utterance, expr.of, expr.min_score)
    return spans if len({s.phrase for s in spans}) >= expr.at_least else []


def _similar(expr: ex.Similar, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    return context.heard(utterance, expr.of, expr.min_score)


def _like(expr: ex.Like, utterance: Utterance, _context: LocalContext) -> list[LocalSpan]:
    column = packaged().column[expr.concept]
    like = [
        (float(scores[column]), start - end, start, end)
        for start, end, only_clause, scores in utterance.likeness
        if scores[column] >= (max(expr.min_score, CLAUSE_SCORE) if only_clause else expr.min_score)
    ]
    if not like:
        return []
    score, _, start, end = max(like)
    return [LocalSpan(start, end, score, expr.phrase or utterance.view.original(start, end), ((start, end),))]


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _regex(expr: ex.Regex, utterance: Utterance, _context: LocalContext) -> list[LocalSpan]:
    view = utterance.digits
    if expr.exclude and _pattern(expr.exclude).search(view.text):
        return []
    origin = utterance.view.origin
    out: list[LocalSpan] = []
    for match in _pattern(expr.pattern).finditer(view.text):
        if match.start() == match.end():
            continue
        first, last = view.origin[match.start()], view.origin[match.end() - 1]
        inside = [i for i, o in enumerate(origin) if first <= o <= last]
        if inside:
            start, end = inside[0], inside[-1] + 1
            out.append(LocalSpan(start, end, 100.0, expr.phrase or match.group(), ((start, end),)))
    return out


def _seq(expr: ex.Seq, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    lists = [context.heard(utterance, words) for words in expr.of]
    if not all(lists):
        return []
    chains: list[tuple[LocalSpan, ...]] = [(span,) for span in lists[0]]
    for spans in lists[1:]:
        chains = [
            (*chain, following) for chain in chains if (following := _next(spans, chain[-1].end, expr.gap)) is not None
        ]
    return [_chain(chain, expr.phrase) for chain in chains]


def _next(spans: Sequence[LocalSpan], position: int, gap: int) -> LocalSpan | None:
    close = [s for s in spans if position <= s.start <= position + gap]
    return min(close, key=lambda s: (s.start, -s.score, -s.end)) if close else None


def _together(expr: ex.Together, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    lists = [context.heard(utterance, words)[:12] for words in expr.of]
    if not all(lists):
        return []
    out: list[LocalSpan] = []
    for combination in product(*lists):
        ordered = sorted(combination, key=lambda s: s.start)
        apart = all(a.end <= b.start for a, b in pairwise(ordered))
        if apart and ordered[-1].end - ordered[0].start <= expr.chars:
            out.append(_chain(ordered, expr.phrase))
    return sorted(out, key=lambda s: (s.end - s.start, -s.score, s.start))[:1]


def _chain(spans: Sequence[LocalSpan], phrase: str) -> LocalSpan:
    score = sum(s.score for s in spans) / len(spans)
    words = phrase or "".join(s.phrase for s in spans)
    parts = tuple(part for s in spans for part in s.parts)
    return LocalSpan(spans[0].start, spans[-1].end, score, words, parts)


def _unless(expr: ex.Unless, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    spans = evaluate_local(expr.of, utterance, context)
    if not spans:
        return []
    blockers = context.heard(utterance, expr.words)
    out = []
    for span in spans:
        low, high = span.start - expr.before, span.end + expr.after
        near = any(b.start >= low and b.end <= high for b in blockers)
        if not near and not (expr.pattern and _pattern(expr.pattern).search(utterance.view.clauses(low, high))):
            out.append(span)
    return out


def _affirmed(expr: ex.Affirmed, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    return [
        span
        for span in evaluate_local(expr.of, utterance, context)
        if context.negation.in_earnest(
            utterance.view, utterance.heard.syllables, span.start, span.end, span.parts, expr.quotes
        )
    ]


def _speed(expr: ex.Speed, utterance: Utterance, _context: LocalContext) -> list[LocalSpan]:
    length, segment = len(utterance.view.text), utterance.segment
    if length < max(1, expr.min_chars):
        return []
    rate = length / max(0.1, segment.end_s - segment.start_s)
    fast = expr.above is not None and rate > expr.above
    slow = expr.below is not None and rate < expr.below
    return [LocalSpan(0, length, 100.0, f"{rate:.1f} 字/秒", ((0, length),))] if fast or slow else []


def _level(expr: ex.Level, utterance: Utterance, _context: LocalContext) -> list[LocalSpan]:
    length, level_db = len(utterance.view.text), utterance.segment.level_db
    if level_db is None or length < expr.min_chars:
        return []
    loud = expr.above_db is not None and level_db > expr.above_db
    quiet = expr.below_db is not None and level_db < expr.below_db
    return [LocalSpan(0, length, 100.0, f"{level_db:.1f} dBFS", ((0, length),))] if loud or quiet else []


def _feeling(expr: ex.Feeling, utterance: Utterance, _context: LocalContext) -> list[LocalSpan]:
    return [
        LocalSpan(match.start(), match.end(), 100.0, match.group(), (match.span(),))
        for match in FEELINGS[expr.mood].finditer(utterance.view.text)
    ]


def _any(expr: ex.Any_, utterance: Utterance, context: LocalContext) -> list[LocalSpan]:
    return [span for inner in expr.of for span in evaluate_local(inner, utterance, context)]


LOCAL: dict[type, Callable[..., list[LocalSpan]]] = {
    ex.Words: _words,
    ex.Similar: _similar,
    ex.Like: _like,
    ex.Regex: _regex,
    ex.Seq: _seq,
    ex.Together: _together,
    ex.Unless: _unless,
    ex.Affirmed: _affirmed,
    ex.Speed: _speed,
    ex.Level: _level,
    ex.Feeling: _feeling,
    ex.Any_: _any,
}
