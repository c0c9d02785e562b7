"""What a draft would find on past calls, against the rules in force. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Segment
from qa.compliance.engine import check
from qa.compliance.facts import CallFacts
from qa.compliance.rules import RuleSet

_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class PastCall:
    """A finished call with what inspectors said of its hits: (rule, second, rejected)."""

    call_id: str
    segments: Sequence[Segment]
    facts: CallFacts
    judged: tuple[tuple[str, float | None, bool], ...] = ()


@dataclass(slots=True)
class RuleTrial:
    """Counts of one rule over all calls."""

    active: int = 0
    draft: int = 0
    gained: int = 0
    lost: int = 0
    rejected: int = 0  # draft's hits that inspectors rejected before
    unjudged: int = 0  # draft's hits nobody judged
    lost_confirmed: int = 0
    samples: list[tuple[str, RuleFinding, bool]] = field(default_factory=list)

    def false_hits(self, precision: float | None) -> float | None:
        """Hits of the draft expected to be false, with the rule's measured precision for what nobody judged."""
        if precision is None:
            return float(self.rejected) if not self.unjudged else None
        return round(self.rejected + self.unjudged * (1 - precision), 1)


def try_rules(draft: RuleSet, active: RuleSet, calls: Iterable[PastCall]) -> dict[str, RuleTrial]:
    """Both versions on all calls, by rule; missing nodes count as no hit."""
    trials = {rule.id: RuleTrial() for rule in (*active.rules, *draft.rules)}
    for call in calls:
        now = _hits(check(active, call.segments, call.facts))
        then = _hits(check(draft, call.segments, call.facts))
        for rule_id, trial in trials.items():
            _compare(trial, call, rule_id, now.get(rule_id, []), then.get(rule_id, []))
    return trials


def _hits(findings: Iterable[RuleFinding]) -> dict[str, list[RuleFinding]]:
    found: dict[str, list[RuleFinding]] = {}
    for finding in findings:
        if finding.kind is not FindingKind.MISSING:
            found.setdefault(finding.rule_id, []).append(finding)
    return found


def _compare(trial: RuleTrial, call: PastCall, rule_id: str, now: list[RuleFinding], then: list[RuleFinding]) -> None:
    trial.active += len(now)
    trial.draft += len(then)
    gained = [hit for hit in then if not any(_same(hit.at_s, other.at_s) for other in now)]
    lost = [hit for hit in now if not any(_same(hit.at_s, other.at_s) for other in then)]
    trial.gained += len(gained)
    trial.lost += len(lost)
    verdicts = [(at_s, rejected) for judged, at_s, rejected in call.judged if judged == rule_id]
    for hit in then:
        said = Counter(rejected for at_s, rejected in verdicts if _same(at_s, hit.at_s))
        trial.rejected += bool(said[True])
        trial.unjudged += not said
    trial.lost_confirmed += sum(
        any(_same(at_s, hit.at_s) and not rejected for at_s, rejected in verdicts) for hit in lost
    )
    room = _SAMPLES - len(trial.samples)
    trial.samples += [(call.call_id, hit, hit in gained) for hit in (*gained, *lost)][: max(0, room)]


def _same(at_s: float | None, other_s: float | None) -> bool:
    """The same place of the call: another phrase of the same sentence is the same hit."""
    return at_s == other_s or (at_s is not None and other_s is not None and abs(at_s - other_s) <= 3.0)
