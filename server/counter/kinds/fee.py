"""Kind ``fee``: the customer sees what it costs, to the 分, before anything is confirmed."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from server.counter.flows import LARGEST_FEN, Code, Doer, Sentence
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
    Step,
    StepKind,
)

Fen = Annotated[int, Field(ge=0, le=LARGEST_FEN)]


class FeeConfig(Config):
    """How much: a fixed part, and a share of an amount of the form within bounds.

    Attributes:
        per_million: Share of the amount, in millionths (0.02 % is 200).
        amount_field: Key of the form's amount; without it only the fixed part counts.
    """

    fixed_fen: Fen = 0
    per_million: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    least_fen: Fen = 0
    most_fen: Fen = LARGEST_FEN
    amount_field: Code | None = None

    @model_validator(mode="after")
    def _check(self) -> "FeeConfig":
        if self.least_fen > self.most_fen:
            raise ValueError("the least is more than the most")
        return self


class Decline(Inputs):
    """Why not, if the customer says so."""

    note: Sentence | None = None


def fee_of(config: FeeConfig, amount_fen: int | None) -> int:
    """The fee in 分, rounded to the nearest, halves up."""
    share = 0
    if config.amount_field is not None and amount_fen:
        share = (amount_fen * config.per_million + 500_000) // 1_000_000
        share = min(max(share, config.least_fen), config.most_fen)
    return config.fixed_fen + share


class FeeKind(PlainKind):
    """See the module."""

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        if action == "decline":
            return Returned("fee.declined", inputs.note or "")
        shown = await self.view(step, "customer")
        return Done(result={**shown, "agreed": True})

    async def view(self, step: Step, side: Side) -> Json:
        if step.this.result.get("agreed") and step.this.row.state == "done":
            return step.this.result
        amount = _amount(step)
        return {
            "amount_fen": amount,
            "fee_fen": fee_of(step.config, amount),
            "text_zh": step.flow.fee_zh,
            "text_en": step.flow.fee_en,
        }


def _amount(step: Step) -> int | None:
    field = step.config.amount_field
    for result in step.case.results("form"):
        if field is not None and field in result["values"]:
            return int(result["values"][field])
    return None


def build(house: House) -> StepKind:
    """The kind."""
    customer: frozenset[Doer] = frozenset({"customer"})
    actions = {"agree": Action(NoInputs, customer), "decline": Action(Decline, customer)}
    return FeeKind("fee", FeeConfig, customer, actions)
