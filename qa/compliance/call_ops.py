"""Operators over the whole call's time line: functions in the table ``CALL``, spans of their parts in, spans out.

They see only what the local operators found, never the text, so their cost follows the number of hits. ``evaluate``
runs them over a whole call; ``live_graph`` runs the same functions on the neighbourhood of what is new.
"""

from collections.abc import Callable, Sequence

from core.ports.speech import Party
from qa.compliance import expressions as ex
from qa.compliance.facts import CallFacts, fact_spans
from qa.compliance.local_ops import is_local
from qa.compliance.spans import Span, gap_between, join, nearest
from qa.compliance.timeline_ops import TIMELINE, Timeline

AtomKey = tuple[int, Party]
Parts = Sequence[list[Span]]
# An answer may begin while the question's last syllable still sounds.
_TALK_OVER_S = 1.5


class CallContext:
    """A whole call: found spans of every local expression (by identity and party), who spoke when, and the facts."""

    def __init__(self, atoms: dict[AtomKey, list[Span]], timeline: Timeline, facts: CallFacts) -> None:
        self.atoms = atoms
        self.timeline = timeline
        self.facts = facts


def evaluate(expr: ex.Expr, party: Party, context: CallContext) -> list[Span]:
    """Spans of the call that satisfy an expression, in order of time."""
    if isinstance(expr, ex.By):
        return evaluate(expr.of, expr.who, context)
    if is_local(expr):
        return context.atoms.get((id(expr), party), [])
    if isinstance(expr, ex.Share):
        return context.timeline.share(expr, party)
    if type(expr) in TIMELINE:
        return context.timeline.spans(expr, party)
    if (known := fact_spans(expr, party, context.facts)) is not None:
        return known
    parts = [evaluate(inner, who, context) for inner, who in children(expr, party)]
    if isinstance(expr, ex.Answer):
        return last_word(answers(expr, parts))
    if isinstance(expr, ex.Edge):
        return edge(expr, parts, context.timeline.first_s, context.timeline.last_s)
    return sorted(CALL[type(expr)](expr, parts))


def _any(_expr: ex.Any_, parts: Parts) -> list[Span]:
    return [span for spans in parts for span in spans]


def _all(expr: ex.All_, parts: Parts) -> list[Span]:
    if not all(parts):
        return []
    out = []
    for anchor in parts[0]:
        found = [nearest(anchor, others, expr.within_s) for others in parts[1:]]
        if None not in found:
            out.append(join([anchor, *(f for f in found if f is not None)]))
    return out


def _at_least(expr: ex.AtLeast, parts: Parts) -> list[Span]:
    lists = [spans for spans in parts if spans]
    out = []
    for spans in lists:
        for anchor in spans:
            close = [c for others in lists if (c := nearest(anchor, others, expr.within_s)) is not None]
            if len(close) >= expr.n:
                out.append(join(close))
    return out


def _without(expr: ex.Without, parts: Parts) -> list[Span]:
    wanted, absent = parts
    return [span for span in wanted if nearest(span, absent, expr.within_s) is None]


def _order(expr: ex.After, parts: Parts) -> list[Span]:
    wanted, anchors = parts

    def fits(span: Span, anchor: Span) -> bool:
        if expr.op == "after" and anchor.at_s > span.at_s:
            return False
        if expr.op == "before" and anchor.at_s < span.at_s:
            return False
        return gap_between(anchor, span) <= expr.within_s

    return [span for span in wanted if any(fits(span, anchor) for anchor in anchors)]


def _repeated(expr: ex.Repeated, parts: Parts) -> list[Span]:
    spans = parts[0]
    out = []
    for i in range(len(spans) - expr.times + 1):
        group = spans[i : i + expr.times]
        if group[-1].at_s - group[0].at_s <= expr.within_s:
            out.append(join(group))
    return out


def _nth(expr: ex.Nth, parts: Parts) -> list[Span]:
    place = expr.n - 1 if expr.n > 0 else expr.n
    spans = parts[0]
    return [spans[place]] if -len(spans) <= place < len(spans) else []


def _and(_expr: ex.And, parts: Parts) -> list[Span]:
    return list(parts[0]) if all(parts) else []


def _not(_expr: ex.Not, parts: Parts) -> list[Span]:
    return [] if parts[0] else [NOWHERE]


NOWHERE = Span(0.0, 0.0, "", 100.0, Party.TELLER, ())
"""Stands for a condition that holds without being heard anywhere."""


def answers(expr: ex.Answer, parts: Parts) -> list[tuple[Span, bool]]:
    """Clear answers to the question in order of time: a yes, or a no."""
    questions, yes, no = parts[:3]
    others = parts[3] if expr.other else []
    refused = {(u[0], u[1]) for span in no for u in span.utterances}
    given: set[tuple[Span, bool]] = set()
    for question in questions:
        opens, closes = question.turn_end_s - _TALK_OVER_S, question.turn_end_s + expr.within_s
        given.update((s, False) for s in no if opens <= s.at_s <= closes)
        given.update(
            (s, True)
            for s in yes
            if opens <= s.at_s <= closes
            and not any((u[0], u[1]) in refused for u in s.utterances)
            and not any(question.turn_end_s <= other.at_s < s.at_s for other in others)
        )
    return sorted(given)


def last_word(given: Sequence[tuple[Span, bool]]) -> list[Span]:
    """The last clear answer decides: a consent that is taken back is none."""
    return [given[-1][0]] if given and given[-1][1] else []


def edge(expr: ex.Edge, parts: Parts, first_s: float, last_s: float) -> list[Span]:
    """Hits near the beginning or the end of speech."""
    if expr.op == "first":
        return [span for span in parts[0] if span.at_s <= first_s + expr.seconds]
    return [span for span in parts[0] if span.end_s >= last_s - expr.seconds]


CALL: dict[type, Callable[..., list[Span]]] = {
    ex.Any_: _any,
    ex.All_: _all,
    ex.AtLeast: _at_least,
    ex.Without: _without,
    ex.After: _order,
    ex.Repeated: _repeated,
    ex.Nth: _nth,
    ex.And: _and,
    ex.Not: _not,
}


def children(expr: ex.Expr, party: Party) -> list[tuple[ex.Expr, Party]]:
    """Direct parts of a call-wide expression with the party each listens to."""
    match expr:
        case ex.By():
            return [(expr.of, expr.who)]
        case ex.Any_() | ex.All_() | ex.AtLeast() | ex.And():
            return [(inner, party) for inner in expr.of]
        case ex.Without():
            return [(expr.of, party), (expr.absent, party)]
        case ex.After():
            return [(expr.of, party), (expr.anchor, party)]
        case ex.Answer():
            parts = [(expr.question, party), (expr.accept, expr.who), (expr.refuse, expr.who)]
            return [*parts, (expr.other, party)] if expr.other else parts
        case ex.Edge() | ex.Repeated() | ex.Nth() | ex.Not():
            return [(expr.of, party)]
    return []


def can_run_live(expr: ex.Expr) -> bool:
    """Whether a result can be told while the call runs. What is last, nowhere or how loud is known at its end."""
    if isinstance(expr, ex.Hangup | ex.Not | ex.Share | ex.Level) or (isinstance(expr, ex.Edge) and expr.op == "last"):
        return False
    inner = [can_run_live(part) for part, _ in children(expr, Party.TELLER)] if not is_local(expr) else []
    return any(inner) if isinstance(expr, ex.Any_) and inner else all(inner)
