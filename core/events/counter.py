"""Facts of the business done in a call."""

from typing import Literal

from core.events.base import CallEvent, Event


class CaseEvent(CallEvent):
    """A fact about a piece of business done in a call.

    Attributes:
        call_s: When, on the call's time line (seconds since its recording began); None before that.
    """

    case_id: str
    call_s: float | None


class CaseStarted(CaseEvent):
    """The teller has begun a piece of business."""

    business_code: str
    flow_version: int


class CaseStepChanged(CaseEvent):
    """A step has moved, or something of it has changed.

    Attributes:
        step: Its key. state: As `core.models.case.StepState`. reason: Why it was returned, waits or was stopped.
        attempt: How often something was handed in; an answer to a waiting step names it.
    """

    step: str
    kind: str
    state: str
    reason: str | None
    attempt: int


class CaseQuestionAsked(CaseEvent):
    """A waiting step wants something from outside; a job asks and hands the answer to the step.

    Attributes:
        question: What is asked, as the step's kind defines. ref: What it is about, e.g. a document.
        attempt: Goes back with the answer.
    """

    step: str
    kind: str
    attempt: int
    question: str
    ref: str


class CaseDocumentChanged(CaseEvent):
    """A document was handed in, accepted or returned."""

    step: str
    document_id: str
    code: str
    state: str


class CaseEnded(CaseEvent):
    """The business is done, or ended before it was. `outcome`: done, stopped or cancelled."""

    business_code: str
    outcome: str
    reason: str | None


class CaseOverdue(CaseEvent):
    """The business takes longer than it may; the supervisor is called to help."""

    business_code: str
    limit_s: int


class PostingRequested(CallEvent):
    """A transaction with the core banking system waits to be run. `run`: its version, so that each order is one job."""

    posting_id: str
    run: int


class PostingEnded(CallEvent):
    """A transaction is done, rolled back, cleared up by a person, or waits to be reconciled.

    Attributes:
        outcome: As `core.models.posting.PostingState`. reason: Code of what stopped it.
    """

    posting_id: str
    case_id: str
    outcome: Literal["done", "rolled_back", "reconcile", "settled"]
    reason: str | None


class ReviewRequested(CallEvent):
    """A second person has to decide. `level`: authorisation level that person needs."""

    review_id: str
    level: int


class ReviewDecided(CallEvent):
    """A review is over. `state`: as `core.models.authorisation.ReviewState`."""

    review_id: str
    state: str


class FraudAlertChanged(CallEvent):
    """A fraud alert is new, knows more, was assessed or decided. `state`: as `core.models.fraud.FraudState`."""

    alert_id: str
    state: str


class SigningWanted(CallEvent):
    """A document waits to be made (`prepare`) or sealed with its signatures (`seal`)."""

    case_id: str
    step: str
    attempt: int
    stage: Literal["prepare", "seal"]


class VoucherIssued(CallEvent):
    """A business is done; its voucher is to be made and sent."""

    voucher_id: str


class NoticeQueued(Event):
    """A message to a customer waits to be delivered (an in-app one is delivered by being there).

    Attributes:
        round: Which sending; a person's retry begins a new one.
    """

    notice_id: str
    call_id: str | None
    channel: Literal["in_app", "email", "sms"]
    round: int
