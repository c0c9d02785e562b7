"""Operators on the time line, on facts and on hits; and the running check against the whole-call check."""

import sys
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInputError
from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Party, Segment
from qa.compliance.call_ops import can_run_live
from qa.compliance.engine import CallFacts, LiveChecker, StepFact, check
from qa.compliance.rules import RuleSet, parse_rules

T, C = Party.TELLER, Party.CUSTOMER
NEGATION = dict.fromkeys(("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before"), "$^")


def rules_of(*whens: dict[str, Any], kind: str = "forbidden", party: str = "teller", **more: Any) -> RuleSet:
    """A rule set of these expressions."""
    rules = [
        {"id": f"r{n}", "kind": kind, "severity": "minor", "party": party, "label_zh": "一", "label_en": "one",
         "when": when, **more}
        for n, when in enumerate(whens)
    ]  # fmt: skip
    business = {"default": {"label_zh": "一", "label_en": "one", "mandatory": []}}
    raw = {"id": "t", "version": 1, "negation": NEGATION, "businesses": business, "rules": rules}
    return parse_rules(yaml.safe_dump(raw, allow_unicode=True))


def found(when: dict[str, Any], *segments: Segment, party: str = "teller", **facts: Any) -> tuple[RuleFinding, ...]:
    """Findings of one rule, the same from both ways of checking."""
    rule_set, call = rules_of(when, party=party), CallFacts("transfer", **facts)
    whole = check(rule_set, segments, call)
    live = LiveChecker(rule_set, call)
    for segment in segments:
        live.add(segment)
    assert live.findings() == whole
    return whole


def words(*of: str) -> dict[str, Any]:
    return {"op": "words", "of": list(of)}


ASK = Segment(T, 0.0, 3.0, "请问转账用途是什么？")
LATE = Segment(C, 11.0, 12.0, "买房。")
OVER = Segment(T, 11.2, 15.0, "请您再说一遍，我没有听清楚。")


def test_silence_response_and_overlap() -> None:
    silent = found({"op": "silence", "seconds": 5}, ASK, LATE, OVER)
    assert [(f.at_s, f.end_s) for f in silent] == [(3.0, 11.0)]
    slow = found({"op": "response", "above_s": 5}, ASK, LATE, OVER, party="customer")
    assert [(f.at_s, f.end_s, f.party) for f in slow] == [(3.0, 11.0, C)]
    assert found({"op": "response", "above_s": 5}, ASK, LATE, OVER) == ()
    assert found({"op": "overlap", "seconds": 1}, ASK, LATE, OVER) == ()
    both = found({"op": "overlap", "seconds": 0.5}, ASK, LATE, OVER)
    assert [(f.at_s, f.end_s) for f in both] == [(11.2, 12.0)]


def test_speed() -> None:
    fast = Segment(T, 20.0, 22.0, "本产品不保本不承诺收益风险自担请签字确认")
    assert len(found({"op": "speed", "above": 8}, ASK, fast)) == 1
    assert found({"op": "speed", "above": 12}, ASK, fast) == ()
    assert len(found({"op": "speed", "below": 4, "min_chars": 5}, ASK, fast)) == 1


def test_level_is_known_after_the_call_only() -> None:
    shout, whisper = replace(ASK, level_db=-9.5), replace(OVER, level_db=-48.0)
    assert [f.phrase for f in found({"op": "level", "above_db": -12}, shout, whisper)] == ["-9.5 dBFS"]
    assert [f.phrase for f in found({"op": "level", "below_db": -40}, shout, whisper)] == ["-48.0 dBFS"]
    assert found({"op": "level", "above_db": -12}, ASK, OVER) == ()
    assert not can_run_live(rules_of({"op": "level", "above_db": -12}).rules[0].when)
    assert found({"op": "level", "above_db": -12, "min_chars": 30}, shout) == ()
    with pytest.raises(BadInputError):
        found({"op": "level"}, shout)


def test_words_of_feeling_of_either_side() -> None:
    upset, pleased = {"op": "feeling", "mood": "upset"}, {"op": "feeling", "mood": "pleased"}
    angry = Segment(C, 20.0, 24.0, "我等了半天了，你们太慢了！")
    assert [f.phrase for f in found(upset, ASK, angry, party="customer")] == ["等了半天", "太慢"]
    assert found(upset, ASK, angry) == ()
    assert found(pleased, ASK, angry, party="customer") == ()
    assert len(found({"op": "by", "who": "customer", "of": upset}, ASK, angry)) == 2


def test_who_speaks_how_much() -> None:
    # The teller speaks 3 + 3.8 s, the customer 1 s: 87 %.
    much = {"op": "share", "above": 0.8, "min_talk_s": 5}
    only = found(much, ASK, LATE, OVER)
    assert [(f.phrase, f.party, f.at_s) for f in only] == [("说话占 87%", None, None)]
    assert found({**much, "above": 0.9}, ASK, LATE, OVER) == ()
    assert found({**much, "min_talk_s": 10}, ASK, LATE, OVER) == ()
    assert len(found({"op": "share", "below": 0.2, "min_talk_s": 5}, ASK, LATE, OVER, party="customer")) == 1
    assert len(found({"op": "not", "of": {"op": "share", "below": 0.5, "min_talk_s": 5}}, ASK, LATE, OVER)) == 1
    assert found(much) == ()
    with pytest.raises(BadInputError):
        rules_of({"op": "share"})


def test_anchor_at_the_nth_hit() -> None:
    talk = [Segment(T, 10.0 * n, 10.0 * n + 2, "请问转账金额") for n in range(4)]
    closing = Segment(T, 22.5, 24.0, "手续费五元")
    for n, hits in ((1, 0), (2, 0), (3, 1), (-1, 0), (-2, 1), (9, 0)):
        anchor = {"op": "nth", "n": n, "of": words("转账")}
        around = {"op": "around", "within_s": 3, "of": words("手续费"), "anchor": anchor}
        assert len(found(around, *talk, closing)) == hits
    assert found({"op": "before", "within_s": 3, "of": words("手续费"), "anchor": words("转账")}, *talk, closing) == ()


def test_and_or_not() -> None:
    said, absent = words("转账"), words("保证收益")
    assert len(found({"op": "and", "of": [said, {"op": "not", "of": absent}]}, ASK)) == 1
    assert found({"op": "and", "of": [said, absent]}, ASK) == ()
    assert len(found({"op": "any", "of": [absent, said]}, ASK)) == 1
    nowhere = found({"op": "not", "of": absent}, ASK)
    assert [(f.party, f.at_s, f.evidence) for f in nowhere] == [(None, None, "")]
    assert found({"op": "not", "of": said}, ASK) == ()


def test_facts_of_the_call() -> None:
    large = {"op": "and", "of": [words("转账"), {"op": "call", "business": ["transfer"], "amount_from": 5_000_000}]}
    assert len(found(large, ASK, amount=6_000_000)) == 1
    assert found(large, ASK, amount=100) == ()
    assert found(large, ASK) == ()
    old = {"op": "call", "customer_class": ["elderly"]}
    assert len(found(old, ASK, customer_class="elderly")) == 1
    hung_up = {"op": "hangup", "reasons": ["customer_lost", "teller_hung_up"]}
    assert len(found(hung_up, ASK, end_reason="teller_hung_up", duration_s=20.0)) == 1
    assert found(hung_up, ASK, end_reason="customer_hung_up") == ()


def test_a_node_is_met_by_a_recorded_click_as_well_as_by_voice() -> None:
    consent = {
        "op": "any",
        "of": [words("我同意"), {"op": "step", "step": "recording_consent", "results": ["granted"]}],
    }
    rule_set = rules_of(consent, kind="node", party="customer")
    for steps, heard in (((), 0), ((StepFact("recording_consent", "granted"),), 1), ((StepFact("x", "granted"),), 0)):
        findings = check(rule_set, [ASK], CallFacts("transfer", steps=steps))
        assert len([f for f in findings if f.kind is FindingKind.PRESENT]) == heard
    refused = CallFacts("transfer", steps=(StepFact("recording_consent", "refused"),))
    assert check(rule_set, [ASK], refused) == ()


@pytest.mark.parametrize(
    ("when", "live"),
    [
        (words("转账"), True),
        ({"op": "silence", "seconds": 9}, True),
        ({"op": "feeling", "mood": "upset"}, True),
        ({"op": "share", "above": 0.8}, False),
        ({"op": "not", "of": words("转账")}, False),
        ({"op": "hangup", "reasons": ["customer_lost"]}, False),
        ({"op": "last", "seconds": 20, "of": words("再见")}, False),
        ({"op": "any", "of": [words("再见"), {"op": "last", "seconds": 20, "of": words("谢谢")}]}, True),
        ({"op": "and", "of": [words("再见"), {"op": "not", "of": words("谢谢")}]}, False),
    ],
)
def test_each_operator_says_whether_it_runs_live(when: dict[str, Any], live: bool) -> None:
    assert can_run_live(rules_of(when).rules[0].when) is live


def test_equal_rule_sets_judge_alike_whichever_was_compiled_first() -> None:
    one, other = rules_of(words("转账")), rules_of(words("转账"))
    assert one is not other
    call = CallFacts("transfer")
    assert check(one, [ASK], call) == check(other, [ASK], call) != ()
    live = LiveChecker(other, call)
    live.add(ASK)
    assert live.findings() == check(one, [ASK], call)


VOCABULARY = ("转账", "同意", "不同意", "手续费", "再见", "验证码", "太慢")
phrases = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=2, unique=True).map(lambda w: words(*w))
leaves = st.one_of(
    phrases,
    st.just({"op": "silence", "seconds": 3}),
    st.just({"op": "response", "above_s": 2}),
    st.just({"op": "overlap", "seconds": 0.5}),
    st.just({"op": "speed", "above": 5, "min_chars": 2}),
    st.just({"op": "feeling", "mood": "upset"}),
    st.just({"op": "level", "above_db": -20}),
    st.just({"op": "share", "above": 0.6, "min_talk_s": 4}),
    st.just({"op": "share", "below": 0.4, "min_talk_s": 4}),
    st.just({"op": "call", "business": ["transfer"]}),
    st.just({"op": "step", "step": "consent"}),
)
within = st.sampled_from([0.5, 2.0, 6.0, 30.0])


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Every operator that is made of others."""
    many = st.lists(inner, min_size=2, max_size=3)

    def op(names: list[str], **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"op": st.sampled_from(names), **fields})

    return st.one_of(
        op(["any", "and"], of=many),
        op(["all"], of=many, within_s=within),
        op(["at_least"], of=many, n=st.integers(1, 3), within_s=within),
        op(["without"], of=inner, absent=inner, within_s=within),
        op(["after", "before", "around"], of=inner, anchor=inner, within_s=within),
        op(["answer"], question=inner, accept=phrases, refuse=phrases, within_s=within),
        op(["answer"], question=inner, accept=phrases, refuse=phrases, other=inner, within_s=within),
        op(["first", "last"], of=inner, seconds=within),
        op(["repeated"], of=inner, times=st.integers(2, 3), within_s=within),
        op(["by"], of=inner, who=st.sampled_from(["teller", "customer"])),
        op(["nth"], of=inner, n=st.sampled_from([1, 2, -1])),
        op(["not"], of=inner),
    )


expressions = st.recursive(leaves, grown, max_leaves=6)
segments = st.builds(
    lambda who, start, length, said, level: Segment(
        who, start / 2, start / 2 + length / 2, "，".join(said), level_db=level
    ),
    st.sampled_from([T, C]),
    st.integers(0, 120),
    st.integers(1, 12),
    st.lists(st.sampled_from([*VOCABULARY, "好"]), min_size=1, max_size=4),
    st.sampled_from([-30.0, -10.0, None]),
)


@settings(max_examples=80)
@given(
    when=expressions,
    secondary=st.one_of(st.none(), phrases),
    kind=st.sampled_from(["node", "forbidden"]),
    talk=st.lists(segments, max_size=14),
)
def test_the_running_check_equals_the_whole_call_check(
    when: dict[str, Any], secondary: dict[str, Any] | None, kind: str, talk: list[Segment]
) -> None:
    rule_set = rules_of(when, kind=kind, secondary=secondary)
    call = CallFacts("transfer", steps=(StepFact("consent", "granted", 4.0),))
    live = LiveChecker(rule_set, call)
    assert live.findings() == check(rule_set, [], call)
    for n, segment in enumerate(talk):
        live.add(segment)
        if n % 5 == 0:
            assert live.findings() == check(rule_set, talk[: n + 1], call)
    assert live.findings() == check(rule_set, talk, call)
    assert live.warnings(3) == tuple(f for f in live.findings() if f.kind is FindingKind.FORBIDDEN)[-3:]


def test_the_work_for_an_utterance_does_not_grow_with_the_call() -> None:
    rule_set = rules_of(
        {"op": "all", "within_s": 10, "of": [words("转账"), words("手续费")]},
        {"op": "repeated", "times": 3, "within_s": 60, "of": words("转账")},
        {"op": "and", "of": [words("转账"), words("再见")]},
    )

    def work(length: int) -> int:
        live = LiveChecker(rule_set, CallFacts("transfer"))
        for n in range(length):
            live.add(Segment(T, 8.0 * n, 8.0 * n + 5, "转账手续费，再见"))
        return _steps(lambda: live.add(Segment(T, 8.0 * length, 8.0 * length + 5, "转账手续费，再见")))

    short, long = work(30), work(150)
    assert long <= short * 1.3


def _steps(action: Any) -> int:
    """Lines of Python that run: a measure that does not depend on the machine."""
    count = 0

    def trace(*_args: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count
