"""The packaged rules on written hard cases: paraphrases, near misses, negations, refusals, corrupted text."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from compliance_cases import Case, Dialogue, corrupt, heard, load_cases, load_dialogues

from core.ports.compliance import FindingKind, RuleFinding
from qa.compliance.engine import CallFacts, check
from qa.compliance.rules import load_rules

TUNED = [case for case in load_cases() if not case.holdout]
HELD_OUT = [case for case in load_cases() if case.holdout]


@pytest.mark.parametrize("case", TUNED, ids=lambda case: case.name[:40])
def test_case(case: Case) -> None:
    found = heard(case.segments, case.business)
    assert [rule for rule in case.expect if rule not in found] == []
    assert [(rule, found[rule].phrase) for rule in case.absent if rule in found] == []


@pytest.mark.parametrize("call", load_dialogues(), ids=lambda call: call.id)
def test_whole_call(call: Dialogue) -> None:
    findings = check(load_rules(), call.segments, CallFacts(call.business))
    present = {f.rule_id for f in findings if f.kind is FindingKind.PRESENT}
    assert [node for node in call.present if node not in present] == []
    assert [node for node in call.missing if node in present] == []
    assert call.complaint == any(f.kind is FindingKind.COMPLAINT for f in findings)
    for kind, wanted in ((FindingKind.FORBIDDEN, call.forbidden), (FindingKind.DANGER, call.danger)):
        found = [f for f in findings if f.kind is kind]
        assert [w for w in wanted if not any(_names(f, w) for f in found)] == []
        assert [(f.phrase, f.evidence) for f in found if not any(_names(f, w) for w in wanted)] == []


def _names(finding: RuleFinding, wanted: str) -> bool:
    return wanted in finding.phrase or finding.phrase in wanted or wanted in finding.evidence


def _count(cases: list[Case]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for case in cases:
        found = heard(case.segments, case.business)
        counts["hit"] += sum(rule in found for rule in case.expect)
        counts["miss"] += sum(rule not in found for rule in case.expect)
        counts["false"] += sum(rule in found for rule in case.absent)
    return counts


def test_held_out_cases_reach_95_percent_precision_and_recall() -> None:
    counts = _count(HELD_OUT)
    assert counts["hit"] / (counts["hit"] + counts["miss"]) >= 0.95
    assert counts["hit"] / (counts["hit"] + counts["false"]) >= 0.95


def test_rules_survive_homophones_at_15_percent_of_syllables_and_3_percent_lost() -> None:
    rng = random.Random(20260101)
    cases = [
        replace(case, segments=tuple(replace(s, text=corrupt(s.text, rng)) for s in case.segments))
        for case in load_cases()
    ]
    counts = _count(cases)
    assert counts["hit"] / (counts["hit"] + counts["miss"]) >= 0.9
    assert counts["hit"] / (counts["hit"] + counts["false"]) >= 0.94
