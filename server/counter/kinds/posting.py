"""Kind ``posting``: the transaction with the core banking system, done as a whole or not at all.

Begins only when no fraud alert of the call is undecided and the second person, where one is needed, has agreed to what
the customer has confirmed. The work is done by `server.counter.banking.runner`.
"""

from dataclasses import dataclass
from typing import Any

from core.errors import ConflictError
from core.models.case import StepState
from server.counter.banking.plans import Operation, masked_for, plan_for
from server.counter.banking.rows import add_posting, new_posting
from server.counter.fraud.desk import UNDECIDED
from server.counter.fraud.rows import undecided
from server.counter.kind import (
    Config,
    Done,
    House,
    Json,
    Outcome,
    PlainKind,
    Side,
    Step,
    StepKind,
    Stopped,
    Waiting,
)

RUNNING, RECONCILE = "posting.running", "posting.reconcile"


class PostingConfig(Config):
    """What is done at the core system."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class PostingKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        missing = review_missing(step)
        if missing is not None:
            return Stopped(missing)
        if await undecided(step.work.session, step.call.id):
            return Waiting(UNDECIDED)
        return await self._post(step)

    async def resume(self, step: Step, answer: Json) -> Outcome:
        if answer.get("go"):
            return await self._post(step)
        result = {**step.this.result, **answer}
        match answer["outcome"]:
            case "done":
                return Done(result)
            case "settled" if answer.get("booked"):
                return Done(result)
            case "reconcile":
                return Waiting(RECONCILE, result)
            case _:
                return Stopped(str(answer.get("reason") or "posting.rolled_back"), "", result)

    async def undo(self, step: Step) -> None:
        raise ConflictError("what the core system has booked is undone by a new business", code="step.final")

    async def _post(self, step: Step) -> Outcome:
        assert self.house is not None
        values = next(iter(step.case.results("form")), {}).get("values", {})
        fee = int(next(iter(step.case.results("fee")), {}).get("fee_fen", 0))
        row = step.case.row
        plan = plan_for(step.config.operation, values, fee)
        if not plan:
            return Done({"outcome": "nothing"})
        posting = new_posting(
            step.work, row.id, step.this.row.key, step.this.row.attempts, step.call.id, row.business_code
        )
        posting.amount_fen, posting.fee_fen = int(values.get("amount") or 0), fee
        posting.masked = masked_for(values)
        await add_posting(step.work, self.house.sealer, posting, plan)
        return Waiting(RUNNING, {"posting_id": posting.id})

    async def view(self, step: Step, side: Side) -> Json:
        keys = ("posting_id", "outcome", "account") if side == "teller" else ("outcome", "account")
        return {key: step.this.result[key] for key in keys if key in step.this.result}


def review_missing(step: Step) -> str | None:
    """Why it may not be booked: a review that is not passed, or one that agreed to something else."""
    confirmed = next(iter(step.case.results("confirm")), {}).get("digest")
    passed = (StepState.DONE, StepState.NOT_NEEDED)
    reviews = [each for each in step.case.steps if each.row.kind == "review"]
    if step.flow.review and not reviews:
        return "posting.review_missing"
    for review in reviews:
        if review.row.state not in passed:
            return "posting.review_missing"
        agreed: Any = review.result.get("confirmed")
        if review.row.state == StepState.DONE and (not review.result.get("approved") or agreed != confirmed):
            return "posting.review_missing"
    return None


def build(house: House) -> StepKind:
    """For `server.counter.kinds`."""
    return PostingKind("posting", PostingConfig, frozenset({"system"}), {}, house)
