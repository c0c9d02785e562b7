"""``check(rule_set, segments, call) -> findings`` and its incremental twin for the running call. Pure.

Both match an utterance's text once and evaluate the same operators. ``check`` evaluates every rule over the whole call;
``LiveChecker`` only near what is new. Their results are equal (a property test says so).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Party, Segment
from qa.compliance.call_ops import CallContext, can_run_live, evaluate
from qa.compliance.compiled import CompiledRules
from qa.compliance.facts import CallFacts, StepFact
from qa.compliance.live_graph import Change, Graph, between
from qa.compliance.local_ops import evaluate_local
from qa.compliance.outcome import Node, finding_of, mandatory_nodes, missing_of, outcome
from qa.compliance.rules import Rule, RuleKind, RuleSet
from qa.compliance.spans import Span
from qa.compliance.timeline_ops import Timeline

__all__ = [
    "CallFacts",
    "LiveChecker",
    "Node",
    "StepFact",
    "check",
    "compile_rules",
    "mandatory_nodes",
]


@lru_cache(maxsize=8)
def compile_rules(rule_set: RuleSet) -> CompiledRules:
    """Compiled once per rule-set content."""
    return CompiledRules(rule_set)


def check(rule_set: RuleSet, segments: Sequence[Segment], call: CallFacts) -> tuple[RuleFinding, ...]:
    """All findings of a call: what was heard in order of time, then the mandatory nodes that are missing."""
    compiled = compile_rules(rule_set)
    rule_set = compiled.rule_set  # the one whose expressions were compiled: equal, but perhaps another object
    atoms: dict[tuple[int, Party], list[Span]] = {}
    timeline = Timeline()
    for segment in segments:
        timeline.add(segment)
        utterance, listening = compiled.hear(segment)
        for atom in listening:
            for local in evaluate_local(atom.expr, utterance, compiled.local):
                atoms.setdefault((id(atom.expr), atom.party), []).append(utterance.place(local))
    for spans in atoms.values():
        spans.sort()
    context = CallContext(atoms, timeline, call)
    heard = {number for key in atoms for number in compiled.rules_of[key]} | compiled.always
    found: list[RuleFinding] = []
    for number in sorted(heard):
        rule = rule_set.rules[number]
        if rule.applies_to(call.business):
            main = evaluate(rule.when, rule.party, context)
            secondary = evaluate(rule.secondary, rule.party, context) if rule.secondary else []
            found += [finding_of(rule, span) for span in outcome(rule, main, secondary)]
    return (*sorted(found, key=_by_time), *_missing(rule_set, call.business, found))


class LiveChecker:
    """Checks a call while it is spoken. Segments may arrive in any order; the result depends on the set alone."""

    def __init__(self, rule_set: RuleSet, call: CallFacts) -> None:
        self._compiled = compile_rules(rule_set)
        rule_set = self._rule_set = self._compiled.rule_set  # equal, but perhaps another object
        self._call = call
        self._timeline = Timeline()
        self._graph = Graph(call, self._timeline)
        self._followed = [_FollowedRule(rule, self._graph) for rule in rule_set.rules if rule.applies_to(call.business)]
        self._users: dict[int, list[_FollowedRule]] = {}
        for followed in self._followed:
            for node in followed.nodes:
                self._users.setdefault(id(node), []).append(followed)
        self._graph.settle()
        for followed in self._followed:
            followed.begin()
        self._told: set[RuleFinding | str] = set()

    def add(self, segment: Segment) -> tuple[RuleFinding, ...]:
        """Takes one final segment; returns findings not told before (of rules that may run live)."""
        first_s, empty = self._timeline.first_s, not self._timeline.turns
        places = self._timeline.add(segment)
        utterance, listening = self._compiled.hear(segment)
        hits = []
        for atom in listening:
            if spans := evaluate_local(atom.expr, utterance, self._compiled.local):
                hits.append((self._graph.node(atom.expr, atom.party), [utterance.place(span) for span in spans]))
        self._graph.add(hits, places, empty or self._timeline.first_s != first_s)
        touched = {id(rule): rule for node in self._graph.changed for rule in self._users.get(id(node), ())}
        fresh = [
            finding
            for rule in touched.values()
            for finding in rule.follow(self._graph.longest_s)
            if rule.live and self._is_news(finding)
        ]
        return tuple(sorted(fresh, key=_by_time))

    def missing(self) -> tuple[RuleFinding, ...]:
        """Mandatory nodes not heard so far, in the order of the business's script."""
        return _missing(self._rule_set, self._call.business, self._first_of_each())

    def findings(self) -> tuple[RuleFinding, ...]:
        """Everything found so far in order of time, then what is missing."""
        found = sorted((f for rule in self._followed for f in rule.found), key=_by_time)
        return (*found, *self.missing())

    def present(self) -> dict[str, RuleFinding]:
        """Nodes heard so far."""
        return {f.rule_id: f for f in self._first_of_each() if f.kind is FindingKind.PRESENT}

    @property
    def endangered(self) -> bool:
        """Whether a danger word was heard."""
        return any(rule.found for rule in self._followed if rule.rule.kind is RuleKind.DANGER)

    @property
    def complained(self) -> bool:
        """Whether the customer was heard to complain."""
        return any(rule.found for rule in self._followed if rule.rule.kind is RuleKind.COMPLAINT)

    def warnings(self, newest: int) -> tuple[RuleFinding, ...]:
        """The latest forbidden phrases, danger words and complaints, in order of time."""
        found = [f for rule in self._followed if rule.rule.kind is not RuleKind.NODE for f in rule.found[-newest:]]
        return tuple(sorted(found, key=_by_time)[-newest:])

    def _first_of_each(self) -> list[RuleFinding]:
        return [rule.found[0] for rule in self._followed if rule.found]

    def _is_news(self, finding: RuleFinding) -> bool:
        key = finding.rule_id if finding.kind is FindingKind.PRESENT else finding
        if key in self._told:
            return False
        self._told.add(key)
        return True


class _FollowedRule:
    """One rule of a running call with what it has found."""

    def __init__(self, rule: Rule, graph: Graph) -> None:
        self.rule = rule
        self.live = rule.live and can_run_live(rule.when)
        self._main = graph.node(rule.when, rule.party)
        self._secondary = graph.node(rule.secondary, rule.party) if rule.secondary else None
        self.nodes = [self._main] + ([self._secondary] if self._secondary else [])
        self._kept: list[Span] = []
        self.found: list[RuleFinding] = []

    def begin(self) -> None:
        """Take over what holds before anybody speaks."""
        secondary = self._secondary.spans if self._secondary else []
        self._kept = outcome(self.rule, self._main.spans, secondary)
        self.found = [finding_of(self.rule, span) for span in self._kept]

    def follow(self, longest_s: float) -> list[RuleFinding]:
        """Bring the findings up to date; returns those of the stretch that changed."""
        if self.rule.kind is RuleKind.NODE and self._secondary is None:
            self._kept = outcome(self.rule, self._earliest(), [])
            self.found = [finding_of(self.rule, span) for span in self._kept]
            return self.found
        change = Change()
        for node in self.nodes:
            if node.change:
                change.from_s = min(change.from_s, node.change.from_s)
                change.to_s = max(change.to_s, node.change.to_s)
        # Which hits count depends on those beside them, no further than the longest one reaches.
        from_s, to_s = change.from_s - longest_s - 0.01, change.to_s + longest_s + 0.01
        parts = []
        for node in self.nodes:
            low, high = between(node.spans, from_s - longest_s, to_s + longest_s)
            parts.append(node.spans[low:high])
        if self.rule.kind is RuleKind.NODE:
            self.begin()
            return self.found
        fresh = outcome(self.rule, parts[0], parts[1] if len(parts) > 1 else [])
        fresh = fresh[slice(*between(fresh, from_s, to_s))]
        low, high = between(self._kept, from_s, to_s)
        self._kept[low:high] = fresh
        self.found[low:high] = findings = [finding_of(self.rule, span) for span in fresh]
        return findings

    def _earliest(self) -> list[Span]:
        spans = self._main.spans
        return spans[: between(spans, float("-inf"), spans[0].at_s)[1]] if spans else []


def _missing(rule_set: RuleSet, business_code: str, found: Iterable[RuleFinding]) -> tuple[RuleFinding, ...]:
    business = rule_set.business(business_code)
    found = list(found)
    heard = {finding.rule_id for finding in found}
    wanted = list(business.mandatory)
    if any(finding.kind is FindingKind.DANGER for finding in found):
        wanted += [node for node in business.when_danger if node not in wanted]
    rules = {rule.id: rule for rule in rule_set.rules}
    return tuple(missing_of(rules[node]) for node in wanted if node not in heard)


def _by_time(finding: RuleFinding) -> tuple[float, float, str, str]:
    return (finding.at_s or 0.0, finding.end_s or 0.0, finding.rule_id, finding.phrase)
