"""Payloads: bounds, unknown fields, and the schema the pages' types are made from."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from signaling.messages import MESSAGES, PUSHES
from signaling.messages.base import Empty
from signaling.messages.call import WrapUp
from signaling.messages.media import MAX_SDP, CustomerSdpAnswer, TellerEnter, TellerSdpAnswer
from signaling.messages.presence import SetPresence
from signaling.schema import schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        (Empty, {"anything": 1}),
        (Empty, []),
        (Empty, "text"),
        (CustomerSdpAnswer, {"peer_id": "p", "sdp_answer": "x" * (MAX_SDP + 1)}),
        (CustomerSdpAnswer, {"peer_id": "", "sdp_answer": "x"}),
        (CustomerSdpAnswer, {"peer_id": "p" * 65, "sdp_answer": "x"}),
        (CustomerSdpAnswer, {"peer_id": "p", "sdp_answer": b"bytes\xff"}),
        (TellerSdpAnswer, {"call_id": "", "peer_id": "p", "sdp_answer": "x"}),
        (TellerEnter, {"peer_id": "p"}),
        (SetPresence, {"state": "in_call", "reason": ""}),
        (WrapUp, {"call_id": "c", "disposition": "unspecified", "note": ""}),
        (WrapUp, {"call_id": "c", "disposition": "resolved", "note": "x" * 2001}),
    ],
)
def test_wrong_shapes_are_refused(model: type[BaseModel], payload: object) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(payload)


def test_every_message_of_the_protocol_pages_is_declared_and_the_other_way_round() -> None:
    documented: dict[str, list[str]] = {namespace: [] for namespace in MESSAGES}
    for page in sorted(DOCS.glob("protocol*.md")):
        namespace = None
        for line in page.read_text().splitlines():
            if line.startswith("#"):
                namespace = next((name for name in MESSAGES if f"`{name}`" in line), None)
            elif namespace is not None and line.startswith("| `"):
                documented[namespace].append(line.split("`")[1])
    documented = {namespace: sorted(names) for namespace, names in documented.items()}
    declared = {
        namespace: sorted([message.name for message in MESSAGES[namespace]] + [push.name for push in PUSHES[namespace]])
        for namespace in MESSAGES
    }
    assert declared == documented


def test_one_schema_of_everything() -> None:
    class Extra(BaseModel):
        x: int

    made = schema([(Extra, "validation")])
    json.dumps(made)
    assert "Extra" in made["$defs"]
    sockets = made["sockets"].values()
    refs = [push for socket in sockets for push in socket["pushes"].values()]
    refs += [part for socket in sockets for message in socket["messages"].values() for part in message.values()]
    assert {ref["$ref"].removeprefix("#/$defs/") for ref in refs} <= set(made["$defs"])
    state = made["$defs"]["CustomerCall"]
    assert "position" in state["required"]
