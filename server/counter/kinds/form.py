"""Kind ``form``: the customer (or the teller) fills in fields; the teller checks, corrects and takes them over.

A form filled in before the call (`server.counter.prefill`) is loaded when the step begins. Later changes are marked.
"""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, StrictInt, StrictStr

from core.errors import BadInputError, ConflictError
from server.counter.fields import FieldSpec, problems_of
from server.counter.flows import Doer, Sentence
from server.counter.kind import (
    Action,
    Config,
    Done,
    House,
    Inputs,
    Json,
    NoInputs,
    Outcome,
    PlainKind,
    Returned,
    Side,
    Stay,
    Step,
    StepKind,
)
from server.counter.prefill_load import take_prefill

MAX_FIELDS = 30


class FormConfig(Config):
    """The form's fields, in order."""

    fields: tuple[FieldSpec, ...] = Field(min_length=1, max_length=MAX_FIELDS)


class Fill(Inputs):
    """The whole form: texts, and integers for amounts in 分."""

    values: dict[StrictStr, StrictStr | StrictInt] = Field(max_length=MAX_FIELDS)


class Return(Inputs):
    """What the customer is to correct."""

    note: Sentence


@dataclass(frozen=True, slots=True)
class FormKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        if step.this.result:
            return Stay()
        assert self.house is not None
        values = await take_prefill(step, self.house.sealer)
        known = {field.key for field in step.config.fields}
        taken = {key: value for key, value in (values or {}).items() if key in known}
        submitted = bool(taken) and not problems_of(step.config.fields, taken)
        return Stay(result={"values": taken, "changes": [], "prefilled": bool(taken), "submitted": submitted})

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        if action == "return":
            return Returned("form.correct", inputs.note, {**step.this.result, "submitted": False})
        if action == "fill":
            return Stay(self._filled(step, doer, inputs.values))
        if not step.this.result.get("submitted"):
            raise ConflictError("the form is not filled in", code="form.not_filled")
        self._require_limits(step, step.this.result["values"])
        return Done()

    def _filled(self, step: Step, doer: Doer, values: Json) -> Json:
        filled = {key: value for key, value in values.items() if value != ""}
        problems = problems_of(step.config.fields, filled)
        if problems:
            raise BadInputError("the form has fields that cannot be right", code="fields.invalid", problems=problems)
        self._require_limits(step, filled)
        before = step.this.result.get("values", {})
        changes = list(step.this.result.get("changes", []))
        for field in step.config.fields:
            old, new = before.get(field.key), filled.get(field.key)
            # Filling an empty field in is no change; altering what the customer had written is.
            if old != new and (step.this.result.get("submitted") or old is not None):
                changes.append({"field": field.key, "from": old, "to": new, "by": doer, "at": step.now.isoformat()})
        return {**step.this.result, "values": filled, "changes": changes[-100:], "submitted": True}

    def _require_limits(self, step: Step, values: Json) -> None:
        limit = step.flow.limits.amount_max_fen
        for field in step.config.fields:
            if field.type == "amount" and limit is not None and values.get(field.key, 0) > limit:
                problems = [{"field": field.key, "problem": "limit"}]
                raise BadInputError("more than this business allows", code="fields.invalid", problems=problems)

    async def view(self, step: Step, side: Side) -> Json:
        fields = [field.model_dump(mode="json") for field in step.config.fields]
        return {"fields": fields, "limit_fen": step.flow.limits.amount_max_fen, **step.this.result}


def build(house: House) -> StepKind:
    """The kind."""
    both: frozenset[Doer] = frozenset({"customer", "teller"})
    kind = FormKind(
        "form",
        FormConfig,
        both,
        {
            "fill": Action(Fill, both),
            "return": Action(Return, frozenset({"teller"})),
            "accept": Action(NoInputs, frozenset({"teller"})),
        },
    )
    return replace(kind, house=house)
