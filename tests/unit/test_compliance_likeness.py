"""Likeness to written examples: it finds words nobody listed, and what is learned follows from the sentences alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInputError
from core.ports.compliance import FindingKind
from core.ports.speech import Party, Segment
from qa.compliance.engine import CallFacts, LiveChecker, check
from qa.compliance.learn import Sample, learn, read_samples
from qa.compliance.likeness import LikenessModel, packaged, windows
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import sound
from qa.compliance.rules import load_rules, parse_rules

_RULES = """
id: t
version: 1
negation: {{harmless: $^, deny: $^, deny_strong: $^, stop: $^, deny_after: $^, quote_before: $^}}
businesses: {{default: {{label_zh: 一, label_en: one, mandatory: []}}}}
rules:
- {{id: r, kind: node, severity: minor, party: teller, label_zh: 一, label_en: one, when: {when}}}
"""


def score(model: LikenessModel, concept: str, text: str) -> float:
    return float(model.scores(sound(spoken(text).text))[model.column[concept]])


def test_every_concept_has_examples_that_tell() -> None:
    """A model that was not learned from the packaged sentences anew would fail here."""
    model, samples = packaged(), read_samples()
    assert set(model.concepts) == {name for sample in samples for name in sample.concepts}
    for concept in model.concepts:
        ones = [score(model, concept, s.text) >= 50 for s in samples if concept in s.concepts]
        parties = {s.party for s in samples if concept in s.concepts}
        others = [
            score(model, concept, s.text) >= 50
            for s in samples[::7]
            if s.party in parties and concept not in s.concepts | s.open
        ]
        assert np.mean(ones) >= 0.9, concept
        assert np.mean(others) <= 0.05, concept


def test_learning_tells_concepts_apart_and_is_the_same_every_time() -> None:
    fees = ("这笔收五块钱手续费", "开户不收费", "年费是免的", "转账要收两块钱", "工本费十元", "手续费全免")
    others = ("请出示身份证", "您好很高兴为您服务", "请您稍等", "感谢来电再见", "请在屏幕上签名", "您要转多少")
    samples = [Sample("T", frozenset({"fee"}), frozenset(), text) for text in fees]
    samples += [Sample("T", frozenset(), frozenset(), text) for text in others]
    samples += [Sample("C", frozenset(), frozenset(), "手续费多少钱")]  # the other party's words teach nothing
    model = learn(samples)
    assert score(model, "fee", "挂失收十块钱手续费") > 50 > score(model, "fee", "请您出示一下身份证")
    again = learn(samples)
    assert (model.weights == again.weights).all()
    assert (model.bias == again.bias).all()


@given(st.text(alphabet="好的请您，。？！… 五5.A转账", max_size=30))
@settings(max_examples=60, deadline=None)
def test_windows_lie_within_the_text_and_begin_with_the_whole(text: str) -> None:
    view = spoken(text)
    found = windows(view)
    assert (found[0] == (0, len(view.text), False)) if view.text else found == []
    assert all(0 <= a < b <= len(view.text) for a, b, _ in found)


def test_an_unknown_concept_is_refused_when_the_rules_are_loaded() -> None:
    assert parse_rules(_RULES.format(when="{op: like, concept: fee_notice}"))
    with pytest.raises(BadInputError, match="no examples of fees"):
        parse_rules(_RULES.format(when="{op: like, concept: fees}"))


def test_the_sentence_that_is_like_an_example_is_the_evidence() -> None:
    rule_set = parse_rules(_RULES.format(when="{op: like, concept: fee_notice, min_score: 40}"))
    said = Segment(Party.TELLER, 0.0, 8.0, "请您稍等一下。本次挂失需要收取十元的手续费。您看屏幕。")
    (finding,) = check(rule_set, [said], CallFacts("transfer"))
    assert finding.evidence == "本次挂失需要收取十元的手续费。"
    assert 1.0 < (finding.at_s or 0) < (finding.end_s or 0) < 7.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你怎么这样说话，我要投诉你。", True),
        ("把你们领导叫来，我要讨个说法。", True),
        ("再这样我就打12378了。", True),
        ("我没想投诉。", False),
        ("我不是要投诉你，就是问问。", False),
        ("我以前投诉过一次，后来解决了。", False),
        ("你态度很好，谢谢。", False),
    ],
)
def test_a_complaint_is_a_finding_of_its_own(text: str, expected: bool) -> None:
    said = [Segment(Party.CUSTOMER, 1.0, 4.0, text), Segment(Party.TELLER, 5.0, 8.0, "您要投诉的话我帮您登记。")]
    found = [f for f in check(load_rules(), said, CallFacts("transfer")) if f.kind is FindingKind.COMPLAINT]
    assert bool(found) == expected
    assert all(f.party is Party.CUSTOMER for f in found)
    live = LiveChecker(load_rules(), CallFacts("transfer"))
    for segment in said:
        live.add(segment)
    assert live.complained == expected
