"""Kind ``confirm``: the customer reads in plain words what is going to be done, and says yes to exactly that."""

import hashlib
import json
from typing import Any

from core.errors import ConflictError
from server.counter.flows import Doer, Sentence
from server.counter.kind import (
    Action,
    Done,
    House,
    Inputs,
    Json,
    Outcome,
    PlainKind,
    Returned,
    Side,
    Step,
    StepKind,
)


class Yes(Inputs):
    """Yes to what was shown. `digest`: of that, so that nothing else can be confirmed by it."""

    digest: str


class Objection(Inputs):
    """What is not right."""

    note: Sentence


class ConfirmKind(PlainKind):
    """See the module."""

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        if action == "object":
            return Returned("confirm.objected", inputs.note)
        summary = summary_of(step)
        if inputs.digest != digest_of(summary):
            raise ConflictError("something else was shown", code="confirm.changed")
        return Done(result={"summary": summary, "digest": inputs.digest, "confirmed": True})

    async def view(self, step: Step, side: Side) -> Json:
        if step.this.row.state == "done":
            return step.this.result
        summary = summary_of(step)
        return {"summary": summary, "digest": digest_of(summary)}


def summary_of(step: Step) -> list[Json]:
    """Lines of what is going to be done: ``{"type", "label_zh", "label_en", "value", "text_zh", "text_en"}``."""
    lines: list[Json] = []
    for done in step.case.steps:
        if done.row.state != "done":
            continue
        if done.row.kind == "form":
            for field in done.spec.config["fields"]:
                value = done.result["values"].get(field["key"])
                if value is not None:
                    lines.append(_line(field, value))
        if done.row.kind == "fee":
            fee = done.result["fee_fen"]
            lines.append({"type": "amount", "label_zh": "手续费", "label_en": "Fee", "value": fee})
    return lines


def _line(field: Json, value: Any) -> Json:
    line = {key: field[key] for key in ("type", "label_zh", "label_en")} | {"value": value}
    for choice in field.get("choices", ()):
        if choice["value"] == value:
            line |= {"text_zh": choice["label_zh"], "text_en": choice["label_en"]}
    return line


def digest_of(summary: list[Json]) -> str:
    """SHA-256 of the canonical JSON."""
    canonical = json.dumps(summary, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def build(house: House) -> StepKind:
    """The kind."""
    customer: frozenset[Doer] = frozenset({"customer"})
    actions = {"confirm": Action(Yes, customer), "object": Action(Objection, customer)}
    return ConfirmKind("confirm", doers=customer, actions=actions)
