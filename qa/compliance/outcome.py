"""From the hits of a rule to its findings. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from core.ports.compliance import FindingKind, RuleFinding, Severity
from qa.compliance.rules import Rule, RuleKind, RuleSet
from qa.compliance.spans import Span, extent_end, extent_start

_KINDS = {
    RuleKind.NODE: FindingKind.PRESENT,
    RuleKind.FORBIDDEN: FindingKind.FORBIDDEN,
    RuleKind.DANGER: FindingKind.DANGER,
    RuleKind.COMPLAINT: FindingKind.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a business's script; not ``required`` means only once a danger word was heard."""

    id: str
    label_zh: str
    label_en: str
    required: bool


def mandatory_nodes(rule_set: RuleSet, business: str) -> tuple[Node, ...]:
    """The script check list of a business, in the order in which it is spoken."""
    wanted = rule_set.business(business)
    rules = {rule.id: rule for rule in rule_set.rules}
    return tuple(
        Node(node, rules[node].label_zh, rules[node].label_en, node in wanted.mandatory)
        for node in dict.fromkeys((*wanted.mandatory, *wanted.when_danger))
    )


def outcome(rule: Rule, main: list[Span], secondary: list[Span]) -> list[Span]:
    """The hits that count, in order of time: the first of a node, the distinct ones of other rules."""
    spoken_in = {(u[0], u[1]) for span in main for u in span.utterances}
    spans = [*main, *(s for s in secondary if not any((u[0], u[1]) in spoken_in for u in s.utterances))]
    if rule.kind is RuleKind.NODE:
        return [min(spans, key=lambda s: (s.at_s, -s.score, s))] if spans else []
    return _distinct(spans)


def _distinct(spans: Iterable[Span]) -> list[Span]:
    """Of hits that overlap, or say the same phrase in the same utterance, the best counts, then the longest.

    A hit falls to any better one beside it, kept or not, so only its neighbourhood decides.
    """
    ordered = sorted(set(spans))
    longest_s = max((extent_end(span) - extent_start(span) for span in ordered), default=0.0)
    kept = []
    for span in ordered:
        low = bisect_left(ordered, span.at_s - longest_s, key=lambda s: s.at_s)
        high = bisect_right(ordered, span.at_s + longest_s, key=lambda s: s.at_s)
        if not any(_rank(other) < _rank(span) and _clash(span, other) for other in ordered[low:high]):
            kept.append(span)
    return kept


def _rank(span: Span) -> tuple[int, float, Span]:
    return (-round(span.score), span.at_s - span.end_s, span)


def _clash(span: Span, other: Span) -> bool:
    if span.at_s < other.end_s and other.at_s < span.end_s:
        return True
    return span.phrase == other.phrase and _first_utterance(span) == _first_utterance(other)


def _first_utterance(span: Span) -> tuple[float, float] | None:
    return span.utterances[0][:2] if span.utterances else None


def finding_of(rule: Rule, span: Span) -> RuleFinding:
    """A hit as a finding. What holds without being heard has neither party nor time."""
    heard = bool(span.utterances)
    return RuleFinding(
        rule_id=rule.id,
        kind=_KINDS[rule.kind],
        severity=Severity.INFO if rule.kind is RuleKind.NODE else rule.severity,
        label_zh=rule.label_zh,
        label_en=rule.label_en,
        party=span.party if heard else None,
        at_s=span.at_s if heard else None,
        end_s=span.end_s if heard else None,
        score=span.score,
        evidence=span.evidence,
        phrase=span.phrase,
    )


def missing_of(rule: Rule) -> RuleFinding:
    """A mandatory node that was not heard."""
    return RuleFinding(
        rule.id, FindingKind.MISSING, rule.severity, rule.label_zh, rule.label_en, None, None, None, 0.0, "", ""
    )
