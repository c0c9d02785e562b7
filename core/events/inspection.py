"""Facts of transcripts, findings and inspection."""

from typing import Literal

from core.events.base import CallEvent, Event


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
