"""Kind ``review``: dual review. A second person with the right level sees everything and says yes, no or back.

The rules look at facts of the core system, so the step waits twice: ``review.facts``, then ``review.pending``.
"""

from dataclasses import dataclass
from typing import Any

from core.models.fraud import FraudAlert, FraudOutcome
from server.counter.flows import Code, Doer
from server.counter.fraud.rows import alerts_of
from server.counter.kind import (
    Action,
    Config,
    Done,
    House,
    Json,
    NoInputs,
    NotNeeded,
    Outcome,
    PlainKind,
    Returned,
    Side,
    Step,
    StepKind,
    Stopped,
    Waiting,
)
from server.counter.review.requests import ask_for_review, new_request, stored_rules
from server.counter.review.rules import ReviewFacts, required_review

FACTS, PENDING = "review.facts", "review.pending"


class ReviewConfig(Config):
    """Where the form says which account and how much."""

    account_field: Code = "account"
    amount_field: Code | None = None


@dataclass(frozen=True, slots=True)
class ReviewKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        return Waiting(FACTS, {"account": form_value(step, step.config.account_field)})

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        return Waiting(FACTS, {"account": form_value(step, step.config.account_field)})

    async def resume(self, step: Step, answer: Json) -> Outcome:
        if "facts" in answer:
            return await self._ask(step, answer["facts"])
        decision, told = answer["decision"], {**step.this.result, **answer}
        match decision:
            case "approve":
                return Done({**told, "approved": True})
            case "refuse":
                return Stopped("review.refused", answer["reason"], told)
            case "return":
                return Returned("review.returned", answer["reason"], told)
            case _:
                return Returned("review.expired", "", told)

    async def _ask(self, step: Step, bank: Json) -> Outcome:
        assert self.house is not None
        if not bank:
            return Returned("bank.unavailable", "", step.this.result)
        alerts = await alerts_of(step.work.session, step.call.id)
        facts = ReviewFacts(
            business=step.case.row.business_code,
            amount_fen=int(form_value(step, step.config.amount_field) or 0),
            day_total_fen=int(bank.get("day_total_fen", 0)),
            customer_class=str(step.case.data.get("customer_class") or "adult"),
            flow_level=step.flow.review,
            fraud_decided=any(alert.outcome == FraudOutcome.CONTINUE for alert in alerts),
            day_check_fen=step.flow.limits.day_total_check_fen,
        )
        rules = await stored_rules(step.work.session)
        needed = required_review(rules, facts)
        if not needed.needed:
            return NotNeeded("review.not_needed")
        request = new_request(
            step.case.row.id,
            step.this.row.key,
            step.this.row.attempts,
            step.call.id,
            step.call.teller_id or "",
            business_code=step.case.row.business_code,
            amount_fen=facts.amount_fen,
            case_version=step.case.row.version + 1,  # the version this very change makes
        )
        shown = shown_of(step, bank, alerts, list(needed.reasons))
        labels = {rule.reason: [rule.label_zh, rule.label_en] for rule in rules if rule.label_zh or rule.label_en}
        told = {"review_id": request.id, "level": needed.level, "reasons": list(needed.reasons)}
        told["labels"] = shown["labels"] = {reason: labels[reason] for reason in needed.reasons if reason in labels}
        told["confirmed"] = shown["confirmed"]
        await ask_for_review(step.work, self.house.sealer, request, needed, shown)
        due = {"due_at": request.due_at.isoformat(), "escalate_at": request.escalate_at.isoformat()}
        return Waiting(PENDING, {**told, **due})

    async def view(self, step: Step, side: Side) -> Json:
        result = step.this.result
        keys = ("level", "reasons", "labels", "due_at", "escalate_at", "approved", "decision", "reviewer")
        shown = keys if side == "teller" else ("approved", "due_at")
        return {key: result[key] for key in shown if key in result}


def form_value(step: Step, key: str | None) -> Any:
    """A value of the business's form."""
    if key is None:
        return None
    for result in step.case.results("form"):
        if key in result.get("values", {}):
            return result["values"][key]
    return None


def shown_of(step: Step, bank: Json, alerts: list[FraudAlert], reasons: list[str]) -> Json:
    """Everything a second person has to see: voucher data, ID, system data, questions, alerts."""
    confirmed = next(iter(step.case.results("confirm")), {})
    return {
        "case_id": step.case.row.id,
        "business_code": step.case.row.business_code,
        "summary": confirmed.get("summary", []),
        "confirmed": confirmed.get("digest"),
        "identity": next(iter(step.case.results("identity")), {}),
        "identity_level": step.case.row.identity_level,
        "customer_class": step.case.data.get("customer_class"),
        "bank": bank,
        "questions": next(iter(step.case.results("questions")), {}).get("answers", {}),
        "alerts": [
            {"signs": alert.signs, "outcome": alert.outcome, "told": alert.told, "reason": alert.decision_reason}
            for alert in alerts
        ],
        "reasons": reasons,
    }


def build(house: House) -> StepKind:
    """For `server.counter.kinds`."""
    actions = {"request": Action(NoInputs, frozenset({"teller"}))}
    return ReviewKind("review", ReviewConfig, frozenset({"reviewer"}), actions, house)
