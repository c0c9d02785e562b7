"""Kind ``form``: the customer (or the teller) fills in fields; the teller checks, corrects and takes them over.

A form filled in before the call (`server.counter.prefill`) is loaded when the step begins. Later changes are marked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, StrictInt, StrictStr, model_validator

from core.errors import BadInputError, ConflictError
from server.counter.fields import FieldSpec, problems_of
from server.counter.flows import Code, Doer, Sentence
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
    """The form's fields, in order, and what holds between them.

    Attributes:
        one_of: Fields of which at least one has to be filled in.
        forbidden: Answers that do not go together: field → values; refused when all fields have one of them.
    """

    fields: tuple[FieldSpec, ...] = Field(min_length=1, max_length=MAX_FIELDS)
    one_of: tuple[Code, ...] = ()
    forbidden: tuple[dict[Code, tuple[Code, ...]], ...] = Field(default=(), max_length=MAX_FIELDS)

    @model_validator(mode="after")
    def _check(self) -> "FormConfig":
        keys = [field.key for field in self.fields]
        if len(set(keys)) != len(keys):
            raise ValueError("keys of fields must be unique")
        if not set(self.one_of) <= set(keys):
            raise ValueError("one_of names fields of the form")
        choices = {field.key: {choice.value for choice in field.choices} for field in self.fields}
        for together in self.forbidden:
            if len(together) < 2 or any(not set(values) <= choices.get(key, set()) for key, values in together.items()):
                raise ValueError("forbidden names answers of at least two choices")
        return self

    def problems(self, values: Mapping[str, Any]) -> list[dict[str, str]]:
        """All problems of a filled form: those of its fields, then those between them."""
        found = problems_of(self.fields, values)
        if self.one_of and not any(values.get(key) for key in self.one_of):
            found += [{"field": key, "problem": "one_of"} for key in self.one_of]
        for together in self.forbidden:
            if all(values.get(key) in answers for key, answers in together.items()):
                found.append({"field": list(together)[-1], "problem": "unsuitable"})
        return found


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
        submitted = bool(taken) and not step.config.problems(taken)
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
        problems = step.config.problems(filled)
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
