"""Facts, in the past tense: the only coupling between rooms.

A fact is emitted inside a unit of work (`core.db.UnitOfWork.emit`), stored in the outbox by the same transaction and
delivered after commit: at once to live subscribers over pub/sub (may be lost), and at least once to job handlers.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.ids import new_id
from core.ports.speech import Party


class Event(BaseModel):
    """Base of all facts. `type` is the class name and part of the stored format.

    Fields that are not known here are left out: during a rolling upgrade a newer release may have written the fact.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    registry: ClassVar[dict[str, type["Event"]]] = {}

    event_id: str = Field(default_factory=lambda: new_id("evt"))
    at: datetime

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Event.registry[cls.__name__] = cls

    @property
    def type(self) -> str:
        """Name of the fact."""
        return type(self).__name__


def event_from_json(type_name: str, payload: str | bytes) -> Event:
    """Rebuild a stored fact. KeyError when the type is unknown."""
    return Event.registry[type_name].model_validate_json(payload)


class CallEvent(Event):
    """A fact about one call."""

    call_id: str


class CallQueued(CallEvent):
    """A customer has joined the queue."""

    business_code: str
    number: int | None = None


class CallOffered(CallEvent):
    """A teller's console rings."""

    offer_id: str
    teller_id: str
    expires_at: datetime


class OfferLapsed(CallEvent):
    """An offer ended without being accepted."""

    offer_id: str
    teller_id: str
    outcome: Literal["timeout", "declined", "withdrawn"]


class CallAccepted(CallEvent):
    """A teller took the call."""

    offer_id: str
    teller_id: str


class CallConnected(CallEvent):
    """Both seats have media for the first time."""


class CallHeld(CallEvent):
    """The customer hears and sees nothing of the counter until `CallResumed`; the recording goes on."""

    teller_id: str


class CallResumed(CallEvent):
    """The hold is over."""

    teller_id: str


class ScreenShared(CallEvent):
    """The teller shows the customer a screen or a document."""

    teller_id: str


class ScreenShareEnded(CallEvent):
    """The teller's screen is no longer shown."""

    teller_id: str


class GuestInvited(CallEvent):
    """A teller asks an expert or another teller into the call."""

    guest_id: str
    staff_id: str
    by: str
    purpose: Literal["expert", "consult"]


class GuestJoined(CallEvent):
    """An expert or a supervisor is in the call from now on. A supervisor begins as ``monitor``, heard by none."""

    guest_id: str
    staff_id: str
    seat: Literal["expert", "supervisor"]
    mode: Literal["monitor", "whisper", "barge"]


class GuestModeChanged(CallEvent):
    """Other people hear the supervisor now: ``monitor`` none, ``whisper`` the teller, ``barge`` all."""

    guest_id: str
    staff_id: str
    mode: Literal["monitor", "whisper", "barge"]


class GuestLeft(CallEvent):
    """An expert or a supervisor has left, or never came."""

    guest_id: str
    staff_id: str
    seat: Literal["expert", "supervisor"]
    reason: str


class CallTransferred(CallEvent):
    """A teller has handed the call on; it goes on being recorded.

    Attributes:
        kind: ``blind``: to a teller or a group, through the queue. ``consult``: to the one who was consulted, at once.
            ``return``: back into its queue, keeping the place.
    """

    transfer_id: str
    kind: Literal["blind", "consult", "return"]
    from_teller_id: str
    to_teller_id: str | None
    skill_group: str | None


class CustomerHelpAsked(CallEvent):
    """A waiting customer has pressed the help button; the call moved ahead in its queue."""


class CallChannelChanged(CallEvent):
    """A consultation in writing: the teller asked for video, the customer declined it, or it goes on by video."""

    channel: Literal["text", "video"]
    asked: bool


class QueueNoticeChanged(Event):
    """A line on the waiting page was published or withdrawn."""

    notice_id: str


class ChatMessageSent(CallEvent):
    """One of the parties wrote something or sent a picture.

    Attributes:
        message_id: Of the row that holds it; facts carry no words of customers.
    """

    message_id: str
    party: Party
    kind: Literal["text", "image"]


class CallEnded(CallEvent):
    """The call is over, whatever the reason; also for calls that were never answered."""

    reason: str
    teller_id: str | None
    was_answered: bool


class CallWrappedUp(CallEvent):
    """The teller filed the disposition; the call is closed."""

    teller_id: str
    disposition: str


class CallRated(CallEvent):
    """The customer rated the call."""

    stars: Annotated[int, Field(ge=1, le=5)]


class TellerStateChanged(Event):
    """A teller's presence changed."""

    teller_id: str
    state: str
    reason: str


StaffSessionEnd = Literal["logout", "replaced", "everywhere", "reset", "switched_off"]
"""Signed out here; signed in elsewhere; signed out everywhere; password or second step reset; account switched off."""


class StaffSessionEnded(Event):
    """A member of staff is signed out; open sockets of that session must go.

    Attributes:
        session: First 16 hex digits of the SHA-256 of the session cookie.
    """

    staff_id: str
    session: str
    reason: StaffSessionEnd


class RecordingStarted(CallEvent):
    """The first packet of a call is in the journal."""

    recording_id: str


class RecordingStopped(CallEvent):
    """Capture is over (or was cut off: `interrupted`); the journals wait to be finalized."""

    recording_id: str
    interrupted: bool


class RecordingFailed(CallEvent):
    """A running recording or its finalization failed; a person must see this."""

    recording_id: str
    stage: Literal["capture", "finalize"]
    reason: str


class RecordingResumed(CallEvent):
    """A running recording that had stalled or could not write is whole again; the gap stays marked."""

    recording_id: str
    reason: str


class RecordingPaused(CallEvent):
    """A secure pause (PIN entry): nothing of these parties is recorded or transcribed until it ends."""

    recording_id: str
    parties: list[Party]
    reason: str
    by: str
    until: datetime


class RecordingPauseEnded(CallEvent):
    """Everything is recorded again. `expired`: nobody ended the pause, its time was over."""

    recording_id: str
    by: str
    expired: bool


class RecordingExportRequested(CallEvent):
    """Somebody with permission wants a side-by-side copy."""

    export_id: str


class EvidenceRequested(CallEvent):
    """Somebody with permission wants everything known of the call in one package."""

    export_id: str


class PurgeApproved(Event):
    """A second person has seen a list of what may be deleted and agrees: it is to be deleted now."""

    run_id: str


class SubjectExportAsked(Event):
    """A customer is to be given what is kept about them."""

    request_id: str


class RecordingFinalized(CallEvent):
    """Playable files are stored and verified."""

    recording_id: str


class TranscriptReady(CallEvent):
    """Final transcripts of both sides are stored, or the call is marked as not transcribed."""

    transcribed: bool
    engine: str


class ComplianceChecked(CallEvent):
    """The authoritative script check of the finished call is stored."""

    check_id: str


class CallScored(CallEvent):
    """The automatic pre-score is stored; the call is on the QA desk."""

    evaluation_id: str


class EvaluationSubmitted(CallEvent):
    """An inspector saved a score."""

    evaluation_id: str
    inspector_id: str


class EvaluationReleased(CallEvent):
    """The teller may see the evaluation, acknowledge it or appeal."""

    evaluation_id: str
    teller_id: str


class EvaluationFinal(CallEvent):
    """Nothing about the evaluation changes any more. `reason`: verdict, or the time to appeal is over."""

    evaluation_id: str
    reason: Literal["verdict", "lapsed"]


class AppealFiled(CallEvent):
    """A teller appeals against items of an evaluation."""

    appeal_id: str
    teller_id: str


class SampleDrawn(Event):
    """Calls were drawn for inspection and given to inspectors."""

    draw_id: str
    plan_id: str
    calls: int


class RectificationChanged(CallEvent):
    """A rectification was opened, proven, returned, found effective, or is overdue."""

    rectification_id: str
    teller_id: str
    change: Literal["opened", "proven", "returned", "effective", "overdue"]


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


class AlarmRaised(Event):
    """Something failed that a person has to see."""

    alarm_id: str
    kind: str
    call_id: str | None
    message: str


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


class WebhookQueued(CallEvent):
    """A message to another system waits to be sent. `round`: which sending; a person's replay begins a new one."""

    delivery_id: str
    round: int


class AlarmCleared(Event):
    """A person has seen to an alarm, or what raised it is over."""

    alarm_id: str


class BackupWanted(Event):
    """A backup or a rehearsal of a restore is due, or a person has asked for it."""

    run_id: str


class HelpRequested(Event):
    """A teller wants a supervisor, or a call runs over its time limit."""

    help_id: str
    kind: Literal["help", "overtime"]
    teller_id: str
    call_id: str | None


class HelpAnswered(Event):
    """A supervisor has taken a request for help."""

    help_id: str
    teller_id: str
    by_name: str


class EmergencyStarted(Event):
    """The emergency switch was thrown, in earnest or as a drill."""

    emergency_id: str
    drill: bool
    stop_entry: bool


class EmergencyEnded(Event):
    """The emergency is over."""

    emergency_id: str


class TellersTold(Event):
    """A supervisor said something to all tellers."""

    by_name: str
    text: str


class TicketOpened(Event):
    """A follow-up or a complaint waits for its department."""

    ticket_id: str
    kind: Literal["low_rating", "complaint"]
    department: str


class TicketAnswered(Event):
    """The customer has an answer."""

    ticket_id: str


class ArticlePublished(Event):
    """A new wording of an article stands in the knowledge base."""

    article_id: str
    version: int


__all__ = [name for name, value in globals().items() if isinstance(value, type) and issubclass(value, Event)] + [
    "Party",
    "event_from_json",
]
