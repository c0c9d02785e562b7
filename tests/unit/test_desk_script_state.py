"""What the teller's screen shows of the script: a fold over what was heard."""

import random
from typing import Any

from core.ports.speech import Party, Segment
from qa.compliance.rules import load_rules
from qa.compliance.script_state import WARNINGS_SHOWN, ScriptState

CONSENT = Segment(Party.TELLER, 9.0, 14.0, "本次业务办理过程将全程录音录像，您是否同意？")
YES = Segment(Party.CUSTOMER, 15.0, 17.0, "我同意。")
DANGER = Segment(Party.CUSTOMER, 50.0, 55.0, "对方让我把钱转到安全账户。")
RUDE = Segment(Party.TELLER, 40.0, 44.0, "你是不是傻，听不懂人话吗？")


def state(business: str = "transfer") -> ScriptState:
    return ScriptState(load_rules(), "call_1", business)


def node(message: dict[str, Any], rule_id: str) -> dict[str, Any]:
    return next(each for each in message["nodes"] if each["rule_id"] == rule_id)


def test_at_first_every_node_is_open() -> None:
    message = state().message()
    assert (message["kind"], message["call_id"], message["warnings"]) == ("script", "call_1", [])
    assert {each["done"] for each in message["nodes"]} == {False}
    assert {each["at_s"] for each in message["nodes"]} == {None}


def test_a_node_is_done_when_it_was_heard() -> None:
    script = state()
    assert script.add(CONSENT)
    heard = node(script.message(), "recording_consent")
    assert heard["done"] is True
    assert 9.0 <= heard["at_s"] <= 14.0


def test_the_same_words_count_once() -> None:
    script = state()
    assert script.add(RUDE)
    before = script.message()
    again = Segment(RUDE.party, RUDE.start_s + 0.001, RUDE.end_s, RUDE.text)  # as read back, rounded differently
    assert not script.add(again)
    assert script.message() == before


def test_dissuading_is_due_once_danger_was_heard() -> None:
    script = state()
    assert node(script.message(), "dissuade")["required"] is False
    script.add(DANGER)
    message = script.message()
    assert node(message, "dissuade")["required"] is True
    assert [(each["kind"], each["party"]) for each in message["warnings"]] == [("danger", "customer")]


def test_the_order_of_arrival_does_not_matter() -> None:
    segments = [CONSENT, YES, RUDE, DANGER]
    shown = []
    for seed in range(6):
        script = state()
        for segment in random.Random(seed).sample(segments, len(segments)):
            script.add(segment)
        shown.append(script.message())
    assert all(message == shown[0] for message in shown)


def test_warnings_are_bounded_and_keep_the_newest() -> None:
    script = state()
    for number in range(WARNINGS_SHOWN + 10):
        script.add(Segment(Party.CUSTOMER, number * 10.0, number * 10.0 + 5, "对方让我把钱转到安全账户。"))
    warnings = script.message()["warnings"]
    assert len(warnings) == WARNINGS_SHOWN
    assert warnings[-1]["at_s"] > (WARNINGS_SHOWN + 8) * 10


def test_an_unknown_business_has_the_default_script() -> None:
    assert state("loss_report").message()["nodes"]
