"""What is being said, and what is still missing from the script."""

from typing import Literal

from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request

PartyName = Literal["customer", "teller"]


class SetCaptions(Request):
    """Whether the customer wants captions."""

    on: bool


class CustomerCaption(Payload):
    """Part of an utterance; `final` when it will not change any more. Seconds on the call's time line."""

    party: PartyName
    start_s: float
    end_s: float
    text: str
    final: bool


class TellerCaption(CustomerCaption):
    """The same, with the call."""

    call_id: str


class ScriptNode(Payload):
    """One node of the script."""

    rule_id: str
    label_zh: str
    label_en: str
    required: bool
    done: bool
    at_s: float | None


class ScriptWarning(Payload):
    """Words that must not be said, sound dangerous, or complain."""

    rule_id: str
    kind: Literal["forbidden", "danger", "complaint"]
    severity: Literal["info", "minor", "major", "fatal"]
    label_zh: str
    label_en: str
    party: PartyName | None
    at_s: float | None
    phrase: str
    evidence: str


class ScriptState(Payload):
    """The script of a running call, always whole."""

    call_id: str
    nodes: list[ScriptNode]
    warnings: list[ScriptWarning]


SET = Message("captions.set", Permission.VISIT_OWN, SetCaptions, Empty)

CUSTOMER_CAPTION = Push("caption", CustomerCaption)
TELLER_CAPTION = Push("caption", TellerCaption)
SCRIPT = Push("script.state", ScriptState)
