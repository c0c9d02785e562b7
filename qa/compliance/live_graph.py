"""Expressions as a graph that follows a running call: a new utterance re-evaluates only what lies near it in time.

Every node keeps its spans in order of time. When spans of a part change, a node evaluates the functions of ``call_ops``
on the stretch that the change can reach, and tells its own users what has changed. The cost of an utterance follows the
hits around it, never the length of the call; the result is that of ``call_ops.evaluate`` on all utterances.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from core.ports.speech import Party
from qa.compliance import expressions as ex
from qa.compliance.call_ops import CALL, NOWHERE, answers, children, edge, last_word
from qa.compliance.facts import CallFacts, fact_spans
from qa.compliance.local_ops import is_local
from qa.compliance.spans import Span, extent_end, extent_start
from qa.compliance.timeline_ops import TIMELINE, Timeline, Turn

_EPSILON_S = 0.01
# Operators whose result depends on other hits within `within_s` at most.
_NEARBY = (ex.All_, ex.AtLeast, ex.Without, ex.After, ex.Repeated, ex.Answer)


def between(spans: Sequence[Span], from_s: float, to_s: float) -> tuple[int, int]:
    """Places of the spans that begin in [from_s, to_s]."""
    return bisect_left(spans, from_s, key=_at), bisect_right(spans, to_s, key=_at)


def _at(span: Span) -> float:
    return span.at_s


class Change:
    """Stretch of time in which the spans of a node changed."""

    def __init__(self) -> None:
        self.from_s, self.to_s = float("inf"), float("-inf")

    def __bool__(self) -> bool:
        return self.from_s <= self.to_s

    def cover(self, spans: Iterable[Span]) -> None:
        """Widen it to these spans."""
        for span in spans:
            self.from_s, self.to_s = min(self.from_s, span.at_s), max(self.to_s, span.at_s)


class Node:
    """One expression for one party, with its parts."""

    def __init__(self, expr: ex.Expr, parts: list["Node"]) -> None:
        self.expr = expr
        self.parts = parts
        self.spans: list[Span] = []
        self.change = Change()

    def replace(self, low: int, high: int, fresh: list[Span]) -> None:
        """Put these spans in the places [low, high), and remember where that made a difference."""
        old = self.spans[low:high]
        if old == fresh:
            return
        same = 0
        while same < min(len(old), len(fresh)) and old[same] == fresh[same]:
            same += 1
        tail = 0
        while tail < min(len(old), len(fresh)) - same and old[-1 - tail] == fresh[-1 - tail]:
            tail += 1
        self.change.cover((*old[same : len(old) - tail], *fresh[same : len(fresh) - tail]))
        self.spans[low:high] = fresh


class Graph:
    """All expressions of a rule set over one call."""

    def __init__(self, facts: CallFacts, timeline: Timeline) -> None:
        self._facts = facts
        self._timeline = timeline
        self._nodes: dict[tuple[int, Party], Node] = {}
        self._order: list[Node] = []  # parts before what is made of them
        self._timed: list[tuple[Node, Party, dict[Turn, Span]]] = []
        self._shares: list[tuple[Node, ex.Share, Party]] = []
        self._given: dict[int, list[tuple[Span, bool]]] = {}
        self.longest_s = 0.0  # longest stretch of any span and the utterances it touches

    def node(self, expr: ex.Expr, party: Party) -> Node:
        """The node of an expression, made with all its parts when it is asked for the first time."""
        if isinstance(expr, ex.By):
            return self.node(expr.of, expr.who)
        key = (id(expr), party)
        if key in self._nodes:
            return self._nodes[key]
        local = is_local(expr)
        parts = [] if local else [self.node(inner, who) for inner, who in children(expr, party)]
        node = self._nodes[key] = Node(expr, parts)
        if isinstance(expr, ex.Share):
            self._shares.append((node, expr, party))
        elif type(expr) in TIMELINE and not local:
            self._timed.append((node, party, {}))
        elif not local:
            known = fact_spans(expr, party, self._facts)
            if known is not None:
                node.spans = known
            elif isinstance(expr, ex.Not):
                node.spans = [NOWHERE]
        self._order.append(node)
        return node

    @property
    def changed(self) -> list[Node]:
        """Nodes that the last utterance changed."""
        return [node for node in self._order if node.change]

    def settle(self) -> None:
        """Evaluate once what is known before anybody speaks."""
        for node in self._order:
            if node.parts:
                self._refresh_all(node)
        for node in self._order:
            node.change = Change()

    def add(self, found: Iterable[tuple[Node, list[Span]]], places: tuple[int, int], first_moved: bool) -> None:
        """Take the local hits of one utterance and the places of the time line that it touches."""
        for node in self._order:
            node.change = Change()
        for node, spans in found:
            for span in spans:
                self.longest_s = max(self.longest_s, extent_end(span) - extent_start(span))
                insort(node.spans, span)
            node.change.cover(spans)
        for node, party, said in self._timed:
            self._retime(node, party, said, places)
        for node, share, party in self._shares:
            self._replace(node, 0, len(node.spans), self._timeline.share(share, party))
        for node in self._order:
            if node.parts:
                self._follow(node, first_moved)

    def _retime(self, node: Node, party: Party, said: dict[Turn, Span], places: tuple[int, int]) -> None:
        for place in range(*places):
            turn = self._timeline.turns[place]
            fresh, old = self._timeline.span_at(node.expr, party, place), said.pop(turn, None)
            if fresh is not None:
                said[turn] = fresh
            if fresh == old:
                continue
            if old is not None:
                node.spans.pop(bisect_left(node.spans, old))
                node.change.cover([old])
            if fresh is not None:
                self.longest_s = max(self.longest_s, extent_end(fresh) - extent_start(fresh))
                insort(node.spans, fresh)
                node.change.cover([fresh])

    def _follow(self, node: Node, first_moved: bool) -> None:
        """Bring a node up to date with its parts."""
        expr = node.expr
        if isinstance(expr, ex.Edge):
            self._follow_edge(node, expr, first_moved)
            return
        changed = [part.change for part in node.parts if part.change]
        if not changed:
            return
        if isinstance(expr, ex.And):
            self._follow_and(node)
            return
        if isinstance(expr, ex.Nth | ex.Not):
            self._refresh_all(node)
            return
        reach = expr.within_s if isinstance(expr, _NEARBY) else 0.0
        # Joined hits and answers lie a little further away than what joined them.
        margin = 2 * (reach + 2 * self.longest_s) + 2.0
        from_s, to_s = min(c.from_s for c in changed), max(c.to_s for c in changed)
        inputs = []
        for part in node.parts:
            low, high = between(part.spans, from_s - 2 * margin, to_s + 2 * margin)
            inputs.append(part.spans[low:high])
        if isinstance(expr, ex.Answer):
            self._follow_answers(node, expr, inputs, (from_s - margin, to_s + margin))
            return
        fresh = sorted(CALL[type(expr)](expr, inputs))
        low, high = between(fresh, from_s - margin, to_s + margin)
        self._replace(node, *between(node.spans, from_s - margin, to_s + margin), fresh[low:high])

    def _follow_and(self, node: Node) -> None:
        """The spans of the first part, as long as every part has some."""
        first = node.parts[0]
        if not all(part.spans for part in node.parts):
            self._replace(node, 0, len(node.spans), [])
        elif not node.spans:
            self._replace(node, 0, 0, list(first.spans))
        elif first.change:
            low, high = between(first.spans, first.change.from_s, first.change.to_s)
            old = between(node.spans, first.change.from_s, first.change.to_s)
            self._replace(node, *old, first.spans[low:high])

    def _follow_answers(
        self, node: Node, expr: ex.Answer, inputs: list[list[Span]], reach: tuple[float, float]
    ) -> None:
        given = self._given.setdefault(id(node), [])
        low, high = bisect_left(given, reach[0], key=_answered), bisect_right(given, reach[1], key=_answered)
        given[low:high] = [one for one in answers(expr, inputs) if reach[0] <= one[0].at_s <= reach[1]]
        self._replace(node, 0, len(node.spans), last_word(given))

    def _follow_edge(self, node: Node, expr: ex.Edge, first_moved: bool) -> None:
        first_s, last_s = self._timeline.first_s, self._timeline.last_s
        if expr.op == "first" and not first_moved and not node.parts[0].change:
            return
        if expr.op == "first":
            high = between(node.parts[0].spans, float("-inf"), first_s + expr.seconds)[1]
            near = node.parts[0].spans[:high]
        else:
            low = between(node.parts[0].spans, last_s - expr.seconds - self.longest_s - _EPSILON_S, float("inf"))[0]
            near = node.parts[0].spans[low:]
        self._replace(node, 0, len(node.spans), edge(expr, [near], first_s, last_s))

    def _refresh_all(self, node: Node) -> None:
        parts = [part.spans for part in node.parts]
        if isinstance(node.expr, ex.Answer):
            self._given[id(node)] = answers(node.expr, parts)
            fresh = last_word(self._given[id(node)])
        elif isinstance(node.expr, ex.Edge):
            fresh = edge(node.expr, parts, self._timeline.first_s, self._timeline.last_s)
        else:
            fresh = sorted(CALL[type(node.expr)](node.expr, parts))
        self._replace(node, 0, len(node.spans), fresh)

    def _replace(self, node: Node, low: int, high: int, fresh: list[Span]) -> None:
        for span in fresh:
            self.longest_s = max(self.longest_s, extent_end(span) - extent_start(span))
        node.replace(low, high, fresh)


def _answered(given: tuple[Span, bool]) -> float:
    return given[0].at_s
