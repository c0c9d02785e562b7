"""Practice: sample calls and own lines against the packaged rules."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.compliance.rules import load_rules
from qa.training.schemas import PracticeLine
from qa.training.service import judge, samples


def _judged(sample_id: str) -> tuple[set[str], set[tuple[str, int]]]:
    sample = next(each for each in samples() if each.id == sample_id)
    result = judge(load_rules(), sample.business_code, sample.lines)
    missing = {node.id for node in result.nodes if node.required and node.line is None}
    return missing, {(warning.kind, warning.line) for warning in result.warnings}


def test_samples_show_what_they_are_there_for() -> None:
    assert _judged("opening_complete") == (set(), set())
    missing, warnings = _judged("transfer_fraud")
    assert missing == {"ask_source", "fee_notice", "result_notice"}
    assert warnings == {("danger", 6)}
    missing, warnings = _judged("wealth_promise")
    assert {"recording_consent", "customer_consent", "risk_disclosure", "fee_notice"} <= missing
    assert warnings == {("forbidden", 3)}


def test_dissuading_is_wanted_only_after_a_danger_word() -> None:
    calm = judge(load_rules(), "transfer", [PracticeLine(party="customer", text="我要转账")])
    alarmed = judge(load_rules(), "transfer", [PracticeLine(party="customer", text="他让我转到安全账户")])
    wanted = [next(node.required for node in result.nodes if node.id == "dissuade") for result in (calm, alarmed)]
    assert wanted == [False, True]


lines = st.lists(
    st.builds(
        lambda party, text: PracticeLine(party=party, text=text),
        st.sampled_from(["teller", "customer"]),
        st.sampled_from(["您好，我是柜员1001号", "同意", "保本保息", "转到安全账户", "嗯", "再见"]),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(lines)
def test_every_place_named_is_a_line_of_the_right_party(talk: list[PracticeLine]) -> None:
    result = judge(load_rules(), "transfer", talk)
    for node in result.nodes:
        assert node.line is None or node.line < len(talk)
    for warning in result.warnings:
        assert talk[warning.line].party == ("teller" if warning.kind == "forbidden" else "customer")
