"""What a flow has to be so that it can be run to its end and passes nobody by. Pure; every problem says where it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.errors import BadInputError
from server.counter.banking.plans import CHOICES, NEEDS
from server.counter.flows import SIMPLE_LANE_S, Flow, StepSpec
from server.counter.kind import StepKind

MONEY = frozenset({"transfer", "payment"})
"""Operations whose amount the second person's rules look at."""

# Types of pydantic's errors, as the pages' words for problems.
_WORDS = {
    "missing": "missing",
    "string_too_short": "missing",
    "too_short": "missing",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_pattern_mismatch": "format",
    "extra_forbidden": "unknown",
    "literal_error": "choice",
    "greater_than": "range",
    "greater_than_equal": "range",
    "less_than": "range",
    "less_than_equal": "range",
}
_FIELD_OF_CONFIG = {"amount_field": ("amount",), "account_field": ("account",), "payee_field": ("account",)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    Attributes:
        at: Where, e.g. ``steps.2.config.fields.0.key``; empty for the whole.
        problem: Stable word. text: The same for people who read English; names what is missing.
    """

    at: str
    problem: str
    text: str


def read_flow(content: Any, code: str, kinds: Mapping[str, StepKind]) -> tuple[Flow | None, list[Problem]]:
    """A flow from untrusted data, and everything that is wrong with it. None when it is not even shaped like one."""
    try:
        flow = Flow.model_validate(content)
    except ValidationError as error:
        return None, problems_in(error)
    if flow.code != code:
        return flow, [Problem("code", "other_code", f"another business: {flow.code}")]
    return flow, list(flow_problems(flow, kinds))


def check_flow(flow: Flow, kinds: Mapping[str, StepKind]) -> Flow:
    """The flow, when nothing is wrong with it. BadInputError ``flow.invalid`` with ``problems``."""
    refuse(list(flow_problems(flow, kinds)))
    return flow


def refuse(problems: Sequence[Problem]) -> None:
    """BadInputError ``flow.invalid`` when there are problems."""
    if problems:
        told = [{"at": each.at, "problem": each.problem, "text": each.text} for each in problems]
        first = f"{problems[0].at}: {problems[0].text}" if problems[0].at else problems[0].text
        raise BadInputError(f"the flow is not right: {first}", code="flow.invalid", problems=told)


def problems_in(error: ValidationError, at: str = "") -> list[Problem]:
    """What a model finds wrong, in the pages' words."""
    return [
        Problem(
            ".".join([*([at] if at else []), *(str(part) for part in item["loc"])]),
            _WORDS.get(item["type"], "not_right" if item["type"] == "value_error" else "type"),
            item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors()
    ]


def flow_problems(flow: Flow, kinds: Mapping[str, StepKind]) -> Iterator[Problem]:
    """Unknown kinds, settings they do not take, and what would get stuck at the counter or pass somebody by."""
    if flow.lane == "simple" and flow.time_limit_s > SIMPLE_LANE_S:
        yield Problem("time_limit_s", "lane_time", "a business of the simple lane is done within five minutes")
    reached, fields, seen = 0, dict[str, str](), list[str]()
    for number, step in enumerate(flow.steps):
        at = f"steps.{number}"
        found = list(_step_problems(step, at, kinds))
        yield from found
        if step.identity > reached:
            yield Problem(f"{at}.identity", "identity_not_reached", f"no step before establishes level {step.identity}")
        if not found:
            config = kinds[step.kind].config.model_validate(step.config).model_dump()
            yield from _references(step, config, at, fields)
            yield from _order(flow, step, config, at, seen, reached)
            if step.kind == "identity":
                reached = max(reached, config["level"])
        if step.kind == "form" and "form" not in seen:
            fields = {key: str(field.get("type")) for key, field in _asked(step).items()}
        seen.append(step.kind)
    if flow.review and "review" not in seen:
        yield Problem("review", "review_missing", "a second person is asked for, but no step asks one")


def _step_problems(step: StepSpec, at: str, kinds: Mapping[str, StepKind]) -> Iterator[Problem]:
    kind = kinds.get(step.kind)
    if kind is None:
        yield Problem(f"{at}.kind", "kind_unknown", f"there is no kind {step.kind}")
        return
    if step.doer not in kind.doers:
        yield Problem(f"{at}.doer", "doer", f"a step of kind {step.kind} is not done by the {step.doer}")
    try:
        kind.config.model_validate(step.config)
    except ValidationError as error:
        yield from problems_in(error, f"{at}.config")


def _references(step: StepSpec, config: dict[str, Any], at: str, fields: Mapping[str, str]) -> Iterator[Problem]:
    """Fields that a step's settings name have to be asked for before, in the first form."""
    for name, types in _FIELD_OF_CONFIG.items():
        wanted = config.get(name)
        if name in step.config and wanted is not None and fields.get(wanted) not in types:
            yield Problem(f"{at}.config.{name}", "field_missing", f"no form before asks for {wanted} ({types[0]})")
    if step.kind == "identity" and config["phone"] and "phone" not in fields:
        yield Problem(f"{at}.config.phone", "field_missing", "a code is sent to a phone that no form before asks for")


def _order(
    flow: Flow, step: StepSpec, config: dict[str, Any], at: str, seen: Sequence[str], reached: int
) -> Iterator[Problem]:
    if step.kind == "sign" and "confirm" not in seen:
        yield Problem(at, "confirm_missing", "nothing was confirmed that could be signed")
    if step.kind != "posting":
        return
    operation = config["operation"]
    yield from _needs(flow, operation, at)
    if "confirm" not in seen:
        yield Problem(at, "confirm_missing", "nothing is booked that the customer has not confirmed")
    if max(reached, step.identity) < 2:
        yield Problem(at, "identity_missing", "nothing is booked before identity level 2 is reached")
    if "review" not in seen or ("confirm" in seen and seen.index("review") < seen.index("confirm")):
        yield Problem(at, "review_missing", "a step review has to stand between confirm and posting")
    if operation == "transfer" and "questions" not in seen:
        yield Problem(at, "questions_missing", "money is not sent before the three questions")
    if operation in MONEY:
        for number, other in enumerate(flow.steps):
            if other.kind == "review" and other.config.get("amount_field") != "amount":
                where = f"steps.{number}.config.amount_field"
                yield Problem(where, "amount_hidden", "the rules have to see the amount that is booked")
            if other.kind in ("review", "questions") and other.config.get("account_field", "account") != "account":
                where = f"steps.{number}.config.account_field"
                yield Problem(where, "account_hidden", "the account that pays is looked at, no other")


def _needs(flow: Flow, operation: str, at: str) -> Iterator[Problem]:
    """What the core system is going to be told has to be asked for, and not only perhaps."""
    asked = next((_asked(step) for step in flow.steps if step.kind == "form"), {})
    for key, types in NEEDS[operation].items():
        field = asked.get(key, {})
        if field.get("type") not in types or field.get("required") is False:
            yield Problem(
                f"{at}.config.operation", "field_missing", f"the first form has to ask for {key} ({types[0]})"
            )
    for key, values in CHOICES.get(operation, {}).items():
        offered = {
            choice.get("value") for choice in asked.get(key, {}).get("choices") or () if isinstance(choice, dict)
        }
        if not offered <= values:
            yield Problem(f"{at}.config.operation", "choice", f"{key} is one of {', '.join(sorted(values))}")


def _asked(form: StepSpec) -> dict[str, dict[str, Any]]:
    """Fields of a form by key, as far as they can be read."""
    fields = form.config.get("fields")
    fields = fields if isinstance(fields, list | tuple) else ()
    return {str(field.get("key")): field for field in fields if isinstance(field, dict)}
