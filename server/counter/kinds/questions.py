"""Kind ``questions``: 三问两核一劝阻 before money moves.

Three questions (purpose, relation, source), two checks (account, identity), one dissuasion that the customer reads and
answers on the own screen. Answers that hint at fraud raise an alert.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from core.errors import ConflictError
from server.counter.flows import Code, Doer
from server.counter.fraud.rows import raise_signs
from server.counter.fraud.rules import signs_in_answers
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
    Stopped,
    Waiting,
)
from server.counter.kinds.review import form_value

ACCOUNT = "questions.account"
Note = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$", strip_whitespace=True)]


class QuestionsConfig(Config):
    """Where the form says which account pays and which one receives."""

    account_field: Code = "account"
    payee_field: Code = "payee_account"


class Answers(Inputs):
    """What the customer has said, as the teller notes it, and the two checks."""

    purpose: Literal["family", "shopping", "loan", "tuition", "medical", "investment", "official", "other"]
    purpose_note: Note = ""
    relation: Literal["self", "family", "friend", "colleague", "merchant", "online", "stranger"]
    source: Literal["salary", "savings", "sale", "loan", "other"]
    account_checked: Literal[True]
    identity_checked: Literal[True]


class Heed(Inputs):
    """The customer has read the dissuasion and still wants it, or not."""

    goes_on: bool
    note: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class QuestionsKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        return Waiting(ACCOUNT, {"account": form_value(step, step.config.account_field)})

    async def resume(self, step: Step, answer: Json) -> Outcome:
        bank = answer["facts"]
        if not bank:
            return Returned("bank.unavailable", "", step.this.result)
        return Stay({**step.this.result, "bank": bank, "payee": form_value(step, step.config.payee_field)})

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        if action == "ask_again":
            return Waiting(ACCOUNT, step.this.result)
        if action == "answer":
            answers = inputs.model_dump()
            signs = signs_in_answers({key: str(value) for key, value in answers.items()})
            if signs:
                await raise_signs(step.work, step.call.id, signs)
            return Stay({**step.this.result, "answers": answers, "hints": [sign.key for sign in signs]})
        if "answers" not in step.this.result:
            raise ConflictError("the three questions come first", code="questions.not_answered")
        if not inputs.goes_on:
            return Stopped("questions.customer_stopped", inputs.note, {**step.this.result, "goes_on": False})
        return Done({**step.this.result, "goes_on": True})

    async def view(self, step: Step, side: Side) -> Json:
        result = step.this.result
        if side == "customer":
            return {"answered": "answers" in result, "goes_on": result.get("goes_on")}
        return {key: result[key] for key in ("answers", "hints", "bank", "payee", "goes_on") if key in result}


def build(house: House) -> StepKind:
    """For `server.counter.kinds`."""
    teller: frozenset[Doer] = frozenset({"teller"})
    actions = {
        "answer": Action(Answers, teller),
        "ask_again": Action(NoInputs, teller),
        "heed": Action(Heed, frozenset({"customer"})),
    }
    return QuestionsKind("questions", QuestionsConfig, teller, actions, house)
