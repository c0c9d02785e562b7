"""Step kinds, one module each: a function ``build(house) -> StepKind``. They are found by being here."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from pydantic import ValidationError

from core.errors import BadInputError
from server.counter.flows import Flow
from server.counter.kind import House, StepKind

Kinds = Mapping[str, StepKind]


def load_kinds(house: House) -> Kinds:
    """Every kind of this folder, by name. RuntimeError when a module's name is not its kind's."""
    kinds: dict[str, StepKind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind: StepKind = import_module(f"{__name__}.{module.name}").build(house)
        if kind.name != module.name:
            raise RuntimeError(f"server/counter/kinds/{module.name}.py builds the kind {kind.name}")
        kinds[kind.name] = kind
    return kinds


def check_flow(flow: Flow, kinds: Kinds) -> Flow:
    """The flow, when its steps are of known kinds and set as these want.

    Raises:
        BadInputError: ``flow.invalid`` with the step and the problems.
    """
    for step in flow.steps:
        kind = kinds.get(step.kind)
        if kind is None:
            raise BadInputError(f"step {step.key}: there is no kind {step.kind}", code="flow.invalid", step=step.key)
        if step.doer not in kind.doers:
            raise BadInputError(
                f"step {step.key}: a step of kind {step.kind} is not done by the {step.doer}",
                code="flow.invalid",
                step=step.key,
            )
        try:
            kind.config.model_validate(step.config)
        except ValidationError as error:
            problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
            raise BadInputError(
                f"step {step.key}: {'; '.join(problems)}", code="flow.invalid", step=step.key, problems=problems
            ) from None
    _check_phone(flow)
    return flow


def _check_phone(flow: Flow) -> None:
    """A one-time code needs a number to go to: a form before the step has to ask for it."""
    asked = False
    for step in flow.steps:
        if step.kind == "form":
            asked = asked or any(field.get("key") == "phone" for field in step.config.get("fields", ()))
        elif step.kind == "identity" and step.config.get("phone") and not asked:
            raise BadInputError(
                f"step {step.key}: a code is sent to a phone that no form before it asks for",
                code="flow.invalid",
                step=step.key,
            )
