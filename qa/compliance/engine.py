"""``check(rule_set, segments, call) -> findings`` and its incremental twin for the running call. Pure.

Both are the same code: the whole-call check feeds every segment to a ``LiveChecker``. Adding a segment matches its text
once and re-evaluates only the rules whose words were heard in it, so the cost does not grow with the call's text.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.ports.compliance import FindingKind, RuleFinding, Severity
from core.ports.speech import Party, Segment
from qa.compliance.call_ops import CallContext, children, evaluate, uses_edge
from qa.compliance.expressions import Expr
from qa.compliance.local_ops import LocalContext, PhraseKey, evaluate_local, is_local, needs_phrase, phrases_of
from qa.compliance.matcher import Phrase, PhraseIndex
from qa.compliance.negation import NegationReader
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import sound
from qa.compliance.rules import Rule, RuleKind, RuleSet
from qa.compliance.spans import Span, Utterance

_KINDS = {
    RuleKind.NODE: FindingKind.PRESENT,
    RuleKind.FORBIDDEN: FindingKind.FORBIDDEN,
    RuleKind.DANGER: FindingKind.DANGER,
}


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call besides its words."""

    business: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a business's script; not ``required`` means only once a danger word was heard."""

    id: str
    label_zh: str
    label_en: str
    required: bool


@dataclass(frozen=True, slots=True)
class _Atom:
    """A local expression of some rules, listening to one party."""

    expr: Expr
    party: Party
    rules: frozenset[int]


class CompiledRules:
    """A rule set prepared for matching: one phrase index, and which rule depends on which phrase."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self.programs = [[rule.when, *([rule.secondary] if rule.secondary else [])] for rule in rule_set.rules]
        self.always = frozenset(i for i, exprs in enumerate(self.programs) if any(uses_edge(e) for e in exprs))
        owners: dict[tuple[int, Party], set[int]] = {}
        exprs: dict[tuple[int, Party], Expr] = {}
        for number, rule in enumerate(rule_set.rules):
            for expr in self.programs[number]:
                for atom, party in _atoms(expr, rule.party):
                    owners.setdefault((id(atom), party), set()).add(number)
                    exprs[id(atom), party] = atom
        self.atoms = [_Atom(exprs[key], key[1], frozenset(found)) for key, found in owners.items()]
        numbers: dict[PhraseKey, int] = {}
        self.listening: dict[int, list[int]] = {}
        for position, each in enumerate(self.atoms):
            for phrase in phrases_of(each.expr):
                number = numbers.setdefault((phrase.text, phrase.min_score), len(numbers))
                self.listening.setdefault(number, []).append(position)
        self.unbound = [i for i, each in enumerate(self.atoms) if not needs_phrase(each.expr)]
        self.index = PhraseIndex([Phrase(text, least) for text, least in numbers])
        self.local = LocalContext(numbers, NegationReader(rule_set.negation))

    def words_of(self, rule_id: str) -> set[str]:
        """Every word and sample sentence a rule listens for."""
        number = next(i for i, rule in enumerate(self.rule_set.rules) if rule.id == rule_id)
        return {p.text for atom in self.atoms if number in atom.rules for p in phrases_of(atom.expr)}

    def hear(self, segment: Segment) -> tuple[Utterance, list[_Atom]]:
        """The prepared utterance, and the expressions worth evaluating on it."""
        view = spoken(segment.text)
        heard = sound(view.text)
        hits = self.index.scan(heard)
        chosen = {p for number in hits for p in self.listening[number]}
        chosen.update(self.unbound)
        atoms = [self.atoms[p] for p in sorted(chosen) if self.atoms[p].party is segment.party]
        return Utterance(segment, view, heard, hits), atoms


def _atoms(expr: Expr, party: Party) -> Iterable[tuple[Expr, Party]]:
    if is_local(expr):
        yield expr, party
        return
    for inner, who in children(expr, party):
        yield from _atoms(inner, who)


@lru_cache(maxsize=8)
def compile_rules(rule_set: RuleSet) -> CompiledRules:
    """Compiled once per rule-set content."""
    return CompiledRules(rule_set)


class LiveChecker:
    """Checks a call while it is spoken. Segments may arrive in any order; the result depends on the set alone."""

    def __init__(self, rule_set: RuleSet, call: CallFacts) -> None:
        self._compiled = compile_rules(rule_set)
        self._call = call
        self._business = rule_set.business(call.business)
        self._spans: dict[tuple[int, Party], list[Span]] = {}
        self._found: dict[int, tuple[RuleFinding, ...]] = {}
        self._told: set[RuleFinding | str] = set()
        self._first_s = self._last_s = 0.0
        self._empty = True

    def add(self, segment: Segment) -> tuple[RuleFinding, ...]:
        """Takes one final segment; returns findings not told before (of rules that may run live)."""
        if self._empty:
            self._first_s, self._last_s, self._empty = segment.start_s, segment.end_s, False
        moved = segment.start_s < self._first_s or segment.end_s > self._last_s
        self._first_s, self._last_s = min(self._first_s, segment.start_s), max(self._last_s, segment.end_s)
        utterance, atoms = self._compiled.hear(segment)
        dirty: set[int] = set(self._compiled.always) if moved else set()
        for atom in atoms:
            spans = evaluate_local(atom.expr, utterance, self._compiled.local)
            if spans:
                dirty |= atom.rules
                kept = self._spans.setdefault((id(atom.expr), atom.party), [])
                for span in spans:
                    insort(kept, utterance.place(span))
        fresh = [finding for number in sorted(dirty) for finding in self._evaluate(number)]
        return tuple(sorted((f for f in fresh if self._is_news(f)), key=_by_time))

    def missing(self) -> tuple[RuleFinding, ...]:
        """Mandatory nodes not heard so far, in the order of the business's script."""
        rules = {rule.id: number for number, rule in enumerate(self._compiled.rule_set.rules)}
        wanted = list(self._business.mandatory)
        if any(f.kind is FindingKind.DANGER for found in self._found.values() for f in found):
            wanted += [node for node in self._business.when_danger if node not in wanted]
        return tuple(
            _missing(self._compiled.rule_set.rules[rules[node]]) for node in wanted if not self._found.get(rules[node])
        )

    def findings(self) -> tuple[RuleFinding, ...]:
        """Everything found so far in order of time, then what is missing."""
        found = sorted((f for findings in self._found.values() for f in findings), key=_by_time)
        return (*found, *self.missing())

    def _is_news(self, finding: RuleFinding) -> bool:
        key = finding.rule_id if finding.kind is FindingKind.PRESENT else finding
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _evaluate(self, number: int) -> tuple[RuleFinding, ...]:
        rule = self._compiled.rule_set.rules[number]
        if rule.businesses and self._call.business not in rule.businesses:
            return ()
        context = CallContext(self._spans, self._first_s, self._last_s)
        spans = evaluate(rule.when, rule.party, context)
        if rule.secondary is not None:
            spans = _with_secondary(spans, evaluate(rule.secondary, rule.party, context))
        if rule.kind is RuleKind.NODE:
            best = [min(spans, key=lambda s: (s.at_s, -s.score, s))] if spans else []
        else:
            best = _distinct(spans)
        found = tuple(_finding(rule, span) for span in best)
        self._found[number] = found
        return found if rule.live else ()


def check(rule_set: RuleSet, segments: Sequence[Segment], call: CallFacts) -> tuple[RuleFinding, ...]:
    """All findings of a call: what was heard in order of time, then the mandatory nodes that are missing."""
    checker = LiveChecker(rule_set, call)
    for segment in segments:
        checker.add(segment)
    return checker.findings()


def mandatory_nodes(rule_set: RuleSet, business: str) -> tuple[Node, ...]:
    """The script check list of a business, in the order in which it is spoken."""
    wanted = rule_set.business(business)
    rules = {rule.id: rule for rule in rule_set.rules}
    return tuple(
        Node(node, rules[node].label_zh, rules[node].label_en, node in wanted.mandatory)
        for node in dict.fromkeys((*wanted.mandatory, *wanted.when_danger))
    )


def _by_time(finding: RuleFinding) -> tuple[float, float, str, str]:
    return (finding.at_s or 0.0, finding.end_s or 0.0, finding.rule_id, finding.phrase)


def _with_secondary(main: list[Span], secondary: list[Span]) -> list[Span]:
    spoken_in = {(u[0], u[1]) for span in main for u in span.utterances}
    return [*main, *(s for s in secondary if not any((u[0], u[1]) in spoken_in for u in s.utterances))]


def _distinct(spans: Iterable[Span]) -> list[Span]:
    """Overlapping hits are one (the best, then the longest); the same phrase twice in an utterance is one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (-round(s.score), s.at_s - s.end_s, s)):
        clash = any(
            (span.at_s < other.end_s and other.at_s < span.end_s)
            or (span.phrase == other.phrase and span.utterances[0][:2] == other.utterances[0][:2])
            for other in kept
        )
        if not clash:
            kept.append(span)
    return sorted(kept)


def _finding(rule: Rule, span: Span) -> RuleFinding:
    return RuleFinding(
        rule_id=rule.id,
        kind=_KINDS[rule.kind],
        severity=Severity.INFO if rule.kind is RuleKind.NODE else rule.severity,
        label_zh=rule.label_zh,
        label_en=rule.label_en,
        party=span.party,
        at_s=span.at_s,
        end_s=span.end_s,
        score=span.score,
        evidence=span.evidence,
        phrase=span.phrase,
    )


def _missing(rule: Rule) -> RuleFinding:
    return RuleFinding(
        rule.id, FindingKind.MISSING, rule.severity, rule.label_zh, rule.label_en, None, None, None, 0.0, "", ""
    )
