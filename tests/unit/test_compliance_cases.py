"""The packaged rules on written hard cases: paraphrases, near misses, negations, refusals, corrupted text."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from compliance_cases import Case, corrupt, heard, load_cases

TUNED = [case for case in load_cases() if not case.holdout]
HELD_OUT = [case for case in load_cases() if case.holdout]


@pytest.mark.parametrize("case", TUNED, ids=lambda case: case.name[:40])
def test_case(case: Case) -> None:
    found = heard(case.segments, case.business)
    assert [rule for rule in case.expect if rule not in found] == []
    assert [(rule, found[rule].phrase) for rule in case.absent if rule in found] == []


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
