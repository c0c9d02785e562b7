"""A rule set prepared for matching: one phrase index, and which rule depends on which phrase."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.ports.speech import Party, Segment
from qa.compliance.call_ops import children
from qa.compliance.expressions import Expr
from qa.compliance.local_ops import LocalContext, PhraseKey, is_local, needs_phrase, phrases_of
from qa.compliance.matcher import Phrase, PhraseIndex
from qa.compliance.negation import NegationReader
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import sound
from qa.compliance.rules import RuleSet
from qa.compliance.spans import Utterance


@dataclass(frozen=True, slots=True)
class Atom:
    """A local expression of some rules, listening to one party."""

    expr: Expr
    party: Party


class CompiledRules:
    """Immutable after construction.

    Attributes:
        always: Rules that may hold without any phrase being heard.
        rules_of: Which rules listen through an atom.
    """

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self.always: set[int] = set()
        self.rules_of: dict[tuple[int, Party], set[int]] = {}
        exprs: dict[tuple[int, Party], Expr] = {}
        for number, rule in enumerate(rule_set.rules):
            for expr in (rule.when, rule.secondary):
                if expr is None:
                    continue
                if _needs_no_hit(expr):
                    self.always.add(number)
                for atom, party in _atoms(expr, rule.party):
                    self.rules_of.setdefault((id(atom), party), set()).add(number)
                    exprs[id(atom), party] = atom
        self.atoms = [Atom(expr, party) for (_, party), expr in exprs.items()]
        numbers: dict[PhraseKey, int] = {}
        self._listening: dict[int, list[int]] = {}
        for position, each in enumerate(self.atoms):
            listens = needs_phrase(each.expr)
            for phrase in phrases_of(each.expr):
                number = numbers.setdefault((phrase.text, phrase.min_score), len(numbers))
                self._listening.setdefault(number, []).extend([position] if listens else [])
        unbound = [each for each in self.atoms if not needs_phrase(each.expr)]
        self._unbound = {party: [each for each in unbound if each.party is party] for party in Party}
        self._index = PhraseIndex([Phrase(text, least) for text, least in numbers])
        self.local = LocalContext(numbers, NegationReader(rule_set.negation))

    def words_of(self, rule_id: str) -> set[str]:
        """Every word and sample sentence a rule listens for."""
        number = next(i for i, rule in enumerate(self.rule_set.rules) if rule.id == rule_id)
        return {
            phrase.text
            for atom in self.atoms
            if number in self.rules_of[id(atom.expr), atom.party]
            for phrase in phrases_of(atom.expr)
        }

    def hear(self, segment: Segment) -> tuple[Utterance, list[Atom]]:
        """The prepared utterance, and the expressions worth evaluating on it."""
        view = spoken(segment.text)
        heard = sound(view.text)
        hits = self._index.scan(heard)
        utterance = Utterance(segment, view, heard, hits)
        if not hits:
            return utterance, self._unbound[segment.party]
        chosen = {p for number in hits for p in self._listening[number]}
        atoms = [self.atoms[p] for p in sorted(chosen) if self.atoms[p].party is segment.party]
        return utterance, [*atoms, *self._unbound[segment.party]]


def _atoms(expr: Expr, party: Party) -> Iterable[tuple[Expr, Party]]:
    if is_local(expr):
        yield expr, party
        return
    for inner, who in children(expr, party):
        yield from _atoms(inner, who)


def _needs_no_hit(expr: Expr) -> bool:
    """Whether it may hold where none of its local expressions was heard: time line, facts, what was not said."""
    if is_local(expr):
        return False
    inner = [part for part, _ in children(expr, Party.TELLER)]
    return not inner or getattr(expr, "op", "") == "not" or any(_needs_no_hit(part) for part in inner)
