"""Operators, findings and the running check."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from compliance_cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInputError
from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Party, Segment
from qa.compliance.engine import CallFacts, LiveChecker, check, mandatory_nodes
from qa.compliance.rules import RuleSet, load_rules, parse_rules

CALLS = json.loads((Path(__file__).parents[1] / "data" / "speech" / "calls.json").read_text(encoding="utf-8"))
T, C = Party.TELLER, Party.CUSTOMER


def _turns(call: dict[str, Any]) -> list[Segment]:
    return [Segment(Party(t["party"]), t["start_s"], t["end_s"], t["text"]) for t in call["turns"]]


def _ids(findings: tuple[RuleFinding, ...], kind: FindingKind) -> set[str]:
    return {f.rule_id for f in findings if f.kind is kind}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_sample_call(name: str) -> None:
    call = CALLS[name]
    findings = check(load_rules(), _turns(call), CallFacts(call["business"], call["duration_s"]))
    expect = call["expect"]
    assert set(expect["present"]) <= _ids(findings, FindingKind.PRESENT)
    assert set(expect["missing"]) == _ids(findings, FindingKind.MISSING)
    assert sorted(f.phrase for f in findings if f.kind is FindingKind.FORBIDDEN) == sorted(expect["forbidden"])
    assert sorted(f.phrase for f in findings if f.kind is FindingKind.DANGER) == sorted(expect["customer_danger"])


def test_evidence_names_the_sentence_and_lies_within_its_segment() -> None:
    segment = Segment(T, 10.0, 20.0, "您好。这个产品宝本保锡，请看。谢谢")
    found = [f for f in check(load_rules(), [segment], CallFacts("wealth_signing")) if f.kind is FindingKind.FORBIDDEN]
    assert [(f.phrase, f.evidence, f.party) for f in found] == [("保本保息", "这个产品宝本保锡，请看。", T)]
    assert found[0].at_s is not None
    assert found[0].end_s is not None
    assert 13.0 < found[0].at_s < found[0].end_s < 17.0
    assert 90 <= found[0].score <= 100


def test_dissuasion_is_due_only_after_a_danger_word() -> None:
    hello = Segment(T, 0.0, 4.0, "您好，我是柜员1001号。")
    danger = Segment(C, 5.0, 9.0, "有人让我把钱转到安全账户。")
    assert "dissuade" not in _ids(check(load_rules(), [hello], CallFacts("transfer")), FindingKind.MISSING)
    assert "dissuade" in _ids(check(load_rules(), [hello, danger], CallFacts("transfer")), FindingKind.MISSING)


def test_answer_after_ten_seconds_is_no_consent() -> None:
    ask = Segment(T, 0.0, 4.0, "本次业务全程录音录像，您是否同意？")
    for start, given_in_time in ((13.0, True), (15.0, False)):
        found = check(load_rules(), [ask, Segment(C, start, start + 1, "我同意。")], CallFacts("transfer"))
        assert ("customer_consent" in _ids(found, FindingKind.PRESENT)) is given_in_time


def test_yes_to_something_else_is_no_consent_but_words_of_consent_are() -> None:
    asked = [
        Segment(T, 0.0, 3.0, "本次业务全程录音录像，您是否同意？"),
        Segment(T, 4.0, 6.0, "请把身份证拿到镜头前拍个照。"),
    ]
    for answer, consents in (("好的，拍吧。", False), ("我同意录像。", True)):
        found = check(load_rules(), [*asked, Segment(C, 7.0, 8.0, answer)], CallFacts("transfer"))
        assert ("customer_consent" in _ids(found, FindingKind.PRESENT)) is consents


def test_node_list_follows_the_business() -> None:
    nodes = {node.id: node.required for node in mandatory_nodes(load_rules(), "transfer")}
    assert nodes["ask_source"] is True
    assert nodes["dissuade"] is False
    assert "ask_source" not in {node.id for node in mandatory_nodes(load_rules(), "some_new_business")}


def test_live_checker_tells_each_finding_once_and_what_is_missing() -> None:
    live = LiveChecker(load_rules(), CallFacts("transfer"))
    assert "greeting_identity" in {f.rule_id for f in live.missing()}
    first = live.add(Segment(T, 0.0, 4.0, "您好，我是柜员1001号。"))
    assert [f.rule_id for f in first] == ["greeting_identity"]
    assert "greeting_identity" not in {f.rule_id for f in live.missing()}
    assert live.add(Segment(T, 5.0, 9.0, "您好，我是柜员1001号。")) == ()


_POOL = [segment.text for case in load_cases() for segment in case.segments]
_SEGMENTS = st.lists(
    st.tuples(st.sampled_from([T, C]), st.integers(0, 200), st.sampled_from(_POOL)), max_size=12, unique=True
).map(lambda rows: [Segment(party, float(at), at + 4.0, text) for party, at, text in rows])


@settings(max_examples=60, deadline=None)
@given(_SEGMENTS, st.randoms(use_true_random=False))
def test_result_depends_on_the_segments_and_not_on_their_order(segments: list[Segment], rng: Any) -> None:
    facts = CallFacts("transfer")
    whole = check(load_rules(), sorted(segments, key=lambda s: (s.start_s, s.party, s.text)), facts)
    live = LiveChecker(load_rules(), facts)
    mixed = segments[:]
    rng.shuffle(mixed)
    for segment in mixed:
        live.add(segment)
    assert live.findings() == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([T, C]), st.text(max_size=30)), max_size=5))
def test_any_text_is_judged_without_error(rows: list[tuple[Party, str]]) -> None:
    segments = [Segment(party, i * 5.0, i * 5.0 + 4, text) for i, (party, text) in enumerate(rows)]
    for finding in check(load_rules(), segments, CallFacts("transfer")):
        assert 0 <= finding.score <= 100


def _rules(when: dict[str, Any]) -> RuleSet:
    negation = dict.fromkeys(("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before"), "不")
    rule = {"id": "x", "kind": "node", "severity": "minor", "party": "teller", "label_zh": "一", "label_en": "One"}
    raw = {
        "id": "test",
        "version": 1,
        "negation": negation,
        "businesses": {"default": {"label_zh": "一", "label_en": "One", "mandatory": ["x"]}},
        "rules": [{**rule, "when": when}],
    }
    return parse_rules(yaml.safe_dump(raw, allow_unicode=True))


def _w(*words: str) -> dict[str, Any]:
    return {"op": "words", "of": list(words)}


_TALK = [
    Segment(T, 0.0, 4.0, "苹果香蕉"),
    Segment(C, 5.0, 9.0, "西瓜三百四十元"),
    Segment(T, 20.0, 24.0, "葡萄苹果"),
    Segment(T, 100.0, 104.0, "香蕉共计三百四十元"),
]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (_w("苹果"), True),
        (_w("西瓜"), False),  # the customer said it
        ({"op": "by", "who": "customer", "of": _w("西瓜")}, True),
        ({"op": "words", "of": ["苹果", "香蕉"], "at_least": 2}, True),
        ({"op": "words", "of": ["葡萄", "香蕉"], "at_least": 2}, False),
        ({"op": "seq", "of": [["苹果"], ["香蕉"]], "gap": 0}, True),
        ({"op": "seq", "of": [["香蕉"], ["苹果"]], "gap": 9}, False),
        ({"op": "together", "of": [["香蕉"], ["苹果"]], "chars": 4}, True),
        ({"op": "similar", "of": ["香蕉共计三百元"]}, True),
        ({"op": "all", "of": [_w("葡萄"), _w("香蕉")], "within_s": 17}, True),
        ({"op": "all", "of": [_w("葡萄"), _w("香蕉")], "within_s": 15}, False),
        ({"op": "any", "of": [_w("荔枝"), _w("香蕉")]}, True),
        ({"op": "at_least", "n": 2, "of": [_w("荔枝"), _w("葡萄"), _w("香蕉")], "within_s": 30}, True),
        ({"op": "at_least", "n": 3, "of": [_w("荔枝"), _w("葡萄"), _w("香蕉")], "within_s": 30}, False),
        ({"op": "without", "of": _w("葡萄"), "absent": _w("香蕉"), "within_s": 10}, True),
        ({"op": "without", "of": _w("葡萄"), "absent": _w("香蕉"), "within_s": 30}, False),
        ({"op": "after", "of": _w("葡萄"), "anchor": _w("香蕉"), "within_s": 30}, True),
        ({"op": "before", "of": _w("葡萄"), "anchor": _w("香蕉"), "within_s": 30}, False),
        ({"op": "first", "seconds": 5, "of": _w("葡萄")}, False),
        ({"op": "last", "seconds": 5, "of": _w("香蕉")}, True),
        ({"op": "repeated", "times": 2, "within_s": 30, "of": _w("苹果")}, True),
        ({"op": "repeated", "times": 2, "within_s": 10, "of": _w("苹果")}, False),
        ({"op": "regex", "pattern": r"340元"}, True),
        ({"op": "regex", "pattern": r"340元", "exclude": "共计"}, False),
        ({"op": "unless", "of": _w("苹果"), "words": ["葡萄", "香蕉"]}, False),
        ({"op": "unless", "of": _w("苹果"), "words": ["葡萄"], "before": 3}, True),
    ],
    ids=lambda value: str(value)[:60],
)
def test_operator(when: dict[str, Any], expected: bool) -> None:
    findings = check(_rules(when), _TALK, CallFacts("anything"))
    assert (findings[0].kind is FindingKind.PRESENT) is expected


@pytest.mark.parametrize(
    "when",
    [
        {"op": "nonsense", "of": ["a"]},
        {"op": "words", "of": []},
        {"op": "words", "of": ["@unknown"]},
        {"op": "regex", "pattern": "("},
        {"op": "seq", "of": [["a"]]},
    ],
)
def test_bad_rules_are_refused_when_loaded(when: dict[str, Any]) -> None:
    with pytest.raises(BadInputError) as refused:
        _rules(when)
    assert refused.value.code == "rules.invalid"


def test_a_business_may_not_name_an_unknown_node() -> None:
    with pytest.raises(BadInputError, match="unknown nodes"):
        parse_rules(
            yaml.safe_dump(
                {
                    "id": "t",
                    "version": 1,
                    "negation": dict.fromkeys(
                        ("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before"), "x"
                    ),
                    "businesses": {"default": {"label_zh": "a", "label_en": "a", "mandatory": ["nope"]}},
                    "rules": [],
                }
            )
        )
