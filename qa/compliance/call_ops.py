"""Operators over the whole call's time line. Each is one function in the table ``CALL``.

They see only what the local operators found, never the text, so their cost follows the number of hits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.ports.speech import Party
from qa.compliance import expressions as ex
from qa.compliance.local_ops import is_local
from qa.compliance.spans import Span, gap_between, join, nearest

AtomKey = tuple[int, Party]
# An answer may begin while the question's last syllable still sounds.
_TALK_OVER_S = 1.5


@dataclass(frozen=True, slots=True)
class CallContext:
    """Found spans of every local expression (by identity and party), and where speech began and ended."""

    atoms: dict[AtomKey, list[Span]]
    first_s: float
    last_s: float


def evaluate(expr: ex.Expr, party: Party, context: CallContext) -> list[Span]:
    """Spans of the call that satisfy an expression, in order of time."""
    if isinstance(expr, ex.By):
        return evaluate(expr.of, expr.who, context)
    if is_local(expr):
        return context.atoms.get((id(expr), party), [])
    return sorted(CALL[type(expr)](expr, party, context))


def _any(expr: ex.Any_, party: Party, context: CallContext) -> list[Span]:
    return [span for inner in expr.of for span in evaluate(inner, party, context)]


def _all(expr: ex.All_, party: Party, context: CallContext) -> list[Span]:
    lists = [evaluate(inner, party, context) for inner in expr.of]
    return _combine(lists, expr.within_s)


def _combine(lists: Sequence[list[Span]], within_s: float) -> list[Span]:
    if not all(lists):
        return []
    out = []
    for anchor in lists[0]:
        found = [nearest(anchor, others, within_s) for others in lists[1:]]
        if None not in found:
            out.append(join([anchor, *(f for f in found if f is not None)]))
    return out


def _at_least(expr: ex.AtLeast, party: Party, context: CallContext) -> list[Span]:
    lists = [spans for inner in expr.of if (spans := evaluate(inner, party, context))]
    out = []
    for spans in lists:
        for anchor in spans:
            close = [c for others in lists if (c := nearest(anchor, others, expr.within_s)) is not None]
            if len(close) >= expr.n:
                out.append(join(close))
    return out


def _without(expr: ex.Without, party: Party, context: CallContext) -> list[Span]:
    absent = evaluate(expr.absent, party, context)
    return [s for s in evaluate(expr.of, party, context) if nearest(s, absent, expr.within_s) is None]


def _order(expr: ex.After, party: Party, context: CallContext) -> list[Span]:
    anchors = evaluate(expr.anchor, party, context)

    def fits(span: Span) -> bool:
        ordered = [a for a in anchors if (a.at_s <= span.at_s if expr.op == "after" else a.at_s >= span.at_s)]
        return any(gap_between(a, span) <= expr.within_s for a in ordered)

    return [span for span in evaluate(expr.of, party, context) if fits(span)]


def _answer(expr: ex.Answer, party: Party, context: CallContext) -> list[Span]:
    """The last clear answer decides: a consent that is taken back is none."""
    questions = evaluate(expr.question, party, context)
    yes = evaluate(expr.accept, expr.who, context)
    no = evaluate(expr.refuse, expr.who, context)
    refused = {(u[0], u[1]) for span in no for u in span.utterances}
    given: list[tuple[Span, Span | None]] = []
    for question in questions:
        opens, closes = question.turn_end_s - _TALK_OVER_S, question.turn_end_s + expr.within_s
        given += [(s, None) for s in no if opens <= s.at_s <= closes]
        given += [
            (s, question)
            for s in yes
            if opens <= s.at_s <= closes and not any((u[0], u[1]) in refused for u in s.utterances)
        ]
    if not given:
        return []
    answer, asked = max(given, key=lambda pair: pair[0])
    return [answer] if asked is not None else []


def _edge(expr: ex.Edge, party: Party, context: CallContext) -> list[Span]:
    spans = evaluate(expr.of, party, context)
    if expr.op == "first":
        return [s for s in spans if s.at_s <= context.first_s + expr.seconds]
    return [s for s in spans if s.end_s >= context.last_s - expr.seconds]


def _repeated(expr: ex.Repeated, party: Party, context: CallContext) -> list[Span]:
    spans = evaluate(expr.of, party, context)
    out = []
    for i in range(len(spans) - expr.times + 1):
        group = spans[i : i + expr.times]
        if group[-1].at_s - group[0].at_s <= expr.within_s:
            out.append(join(group))
    return out


CALL: dict[type, Callable[..., list[Span]]] = {
    ex.Any_: _any,
    ex.All_: _all,
    ex.AtLeast: _at_least,
    ex.Without: _without,
    ex.After: _order,
    ex.Answer: _answer,
    ex.Edge: _edge,
    ex.Repeated: _repeated,
}


def children(expr: ex.Expr, party: Party) -> list[tuple[ex.Expr, Party]]:
    """Direct parts of a call-wide expression with the party each listens to."""
    match expr:
        case ex.By():
            return [(expr.of, expr.who)]
        case ex.Any_() | ex.All_() | ex.AtLeast():
            return [(inner, party) for inner in expr.of]
        case ex.Without():
            return [(expr.of, party), (expr.absent, party)]
        case ex.After():
            return [(expr.of, party), (expr.anchor, party)]
        case ex.Answer():
            return [(expr.question, party), (expr.accept, expr.who), (expr.refuse, expr.who)]
        case ex.Edge() | ex.Repeated():
            return [(expr.of, party)]
    return []


def uses_edge(expr: ex.Expr) -> bool:
    """Whether the start or end of speech decides, so that every new segment may change the result."""
    return isinstance(expr, ex.Edge) or any(uses_edge(inner) for inner, _ in children(expr, Party.TELLER))
