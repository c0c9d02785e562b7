"""Every table, one file per aggregate. Each table has exactly one writer room, named in its file."""

from sqlmodel import SQLModel

from core.models.business import Business
from core.models.call import (
    Call,
    CallOffer,
    CallQuality,
    CallState,
    EndReason,
    Rating,
    TellerPresence,
    TellerState,
)
from core.models.case import (
    BusinessCase,
    BusinessFlow,
    CaseDocument,
    CaseState,
    CaseStep,
    DocumentState,
    PhoneCode,
    Prefill,
    StepState,
)
from core.models.improvement import (
    Appeal,
    AppealItem,
    AppealState,
    BestCase,
    CalibrationScore,
    CalibrationSession,
    CoachingNote,
    Rectification,
    RectificationState,
    RectificationStep,
)
from core.models.knowledge import Article, ArticleVersion, VersionState
from core.models.notice import NoticeChannel, NoticeMessage, NoticeState
from core.models.oversight import Emergency, HelpRequest
from core.models.posting import Posting, PostingState, PostingStep, PostingStepState
from core.models.qa import (
    ComplianceCheck,
    Defect,
    Evaluation,
    EvaluationForm,
    EvaluationState,
    EvaluationStep,
    Finding,
    FindingVerdict,
    FormState,
)
from core.models.recording import ExportState, Recording, RecordingExport, RecordingFile, RecordingState
from core.models.review import PeerReview
from core.models.rules import RuleSetRow, RuleSetState
from core.models.sampling import InspectionTask, InspectorConflict, SampleDraw, SamplePlan, TaskState
from core.models.staff import Role, Staff, StaffSession
from core.models.system import Alarm, AuditEntry, DeliveryState, EventDelivery, OutboxEvent
from core.models.ticket import Ticket, TicketKind, TicketState, TicketStep
from core.models.transcript import (
    SearchSegment,
    Transcript,
    TranscriptCorrection,
    TranscriptKind,
    TranscriptSegment,
    TranscriptState,
)
from core.models.visit import Consent, Visit

metadata = SQLModel.metadata

__all__ = [
    "Alarm",
    "Appeal",
    "AppealItem",
    "AppealState",
    "Article",
    "ArticleVersion",
    "AuditEntry",
    "BestCase",
    "Business",
    "BusinessCase",
    "BusinessFlow",
    "CalibrationScore",
    "CalibrationSession",
    "Call",
    "CallOffer",
    "CallQuality",
    "CallState",
    "CaseDocument",
    "CaseState",
    "CaseStep",
    "CoachingNote",
    "ComplianceCheck",
    "Consent",
    "Defect",
    "DeliveryState",
    "DocumentState",
    "Emergency",
    "EndReason",
    "Evaluation",
    "EvaluationForm",
    "EvaluationState",
    "EvaluationStep",
    "EventDelivery",
    "ExportState",
    "Finding",
    "FindingVerdict",
    "FormState",
    "HelpRequest",
    "InspectionTask",
    "InspectorConflict",
    "NoticeChannel",
    "NoticeMessage",
    "NoticeState",
    "OutboxEvent",
    "PeerReview",
    "PhoneCode",
    "Posting",
    "PostingState",
    "PostingStep",
    "PostingStepState",
    "Prefill",
    "Rating",
    "Recording",
    "RecordingExport",
    "RecordingFile",
    "RecordingState",
    "Rectification",
    "RectificationState",
    "RectificationStep",
    "Role",
    "RuleSetRow",
    "RuleSetState",
    "SampleDraw",
    "SamplePlan",
    "SearchSegment",
    "Staff",
    "StaffSession",
    "StepState",
    "TaskState",
    "TellerPresence",
    "TellerState",
    "Ticket",
    "TicketKind",
    "TicketState",
    "TicketStep",
    "Transcript",
    "TranscriptCorrection",
    "TranscriptKind",
    "TranscriptSegment",
    "TranscriptState",
    "VersionState",
    "Visit",
    "metadata",
]
