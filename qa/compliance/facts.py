"""What is known of a call besides its words, and the operators that ask for it. Pure."""

from dataclasses import dataclass, field

from core.ports.speech import Party
from qa.compliance import expressions as ex
from qa.compliance.spans import Span


@dataclass(frozen=True, slots=True)
class StepFact:
    """A step that the counter recorded, e.g. a click on consent; `at_s` on its time line, if it was during the call."""

    step: str
    result: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call besides its words.

    Attributes:
        amount: Of the business, in 分.
        end_reason: A value of ``core.models.call.EndReason``; None while the call runs.
    """

    business: str
    duration_s: float | None = None
    amount: int | None = None
    customer_class: str | None = None
    end_reason: str | None = None
    steps: tuple[StepFact, ...] = field(default=())


def fact_spans(expr: ex.Expr, party: Party, facts: CallFacts) -> list[Span] | None:
    """Spans of an operator that asks for facts; None when it is another kind of operator."""
    match expr:
        case ex.Hangup():
            at_s = facts.duration_s or 0.0
            return [_known(at_s, facts.end_reason or "", party)] if facts.end_reason in expr.reasons else []
        case ex.CallIs():
            return [_known(0.0, facts.business, party)] if _is(expr, facts) else []
        case ex.Step():
            return sorted(
                _known(step.at_s or 0.0, f"{step.step}: {step.result}", party)
                for step in facts.steps
                if step.step == expr.step and (not expr.results or step.result in expr.results)
            )
    return None


def _is(expr: ex.CallIs, facts: CallFacts) -> bool:
    if expr.business and facts.business not in expr.business:
        return False
    if expr.customer_class and facts.customer_class not in expr.customer_class:
        return False
    if expr.amount_from is not None and (facts.amount is None or facts.amount < expr.amount_from):
        return False
    return expr.amount_to is None or (facts.amount is not None and facts.amount <= expr.amount_to)


def _known(at_s: float, phrase: str, party: Party) -> Span:
    return Span(at_s, at_s, phrase, 100.0, party, ())
