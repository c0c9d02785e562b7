"""Every table, one file per aggregate. Each table has exactly one writer room, named in its file."""

from sqlmodel import SQLModel

from core.models.authorisation import AuthorisationLevel, ReviewRequest, ReviewRuleRow, ReviewState
from core.models.backup import BackupKind, BackupRun, BackupState
from core.models.booking import Appointment, Callback
from core.models.business import Business
from core.models.call import (
    Call,
    CallOffer,
    CallQuality,
    CallState,
    EndReason,
    Rating,
    TellerPresence,
    TellerSpan,
    TellerState,
)
from core.models.case import (
    BusinessCase,
    BusinessFlow,
    CaseDocument,
    CaseState,
    CaseStep,
    DocumentState,
    EarlyDocument,
    PhoneCode,
    Prefill,
    StepState,
)
from core.models.change import ChangeState, ControlledChange
from core.models.chat import ChatMessage
from core.models.evidence import EvidenceExport, PackageState, RecordingViewing
from core.models.fraud import FraudAlert, FraudOutcome, FraudState
from core.models.handover import CallGuest, CallLeg, CallTransfer
from core.models.improvement import (
    Appeal,
    AppealItem,
    AppealState,
    BestCase,
    CalibrationScore,
    CalibrationSession,
    CoachingNote,
    Rectification,
    RectificationFile,
    RectificationState,
    RectificationStep,
)
from core.models.knowledge import Article, ArticleVersion, VersionState
from core.models.notice import NoticeChannel, NoticeMessage, NoticeState
from core.models.open import ApiKey, OpenBooking, Webhook, WebhookDelivery, WebhookState
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
from core.models.queue import (
    CalendarDay,
    OpeningCalendar,
    QueueNotice,
    ServiceQueue,
    SkillGroup,
    Strategy,
    WaitEstimate,
)
from core.models.recording import ExportState, Recording, RecordingExport, RecordingFile, RecordingState
from core.models.review import PeerReview
from core.models.rules import RuleSetRow, RuleSetState
from core.models.sampling import InspectionTask, InspectorConflict, SampleDraw, SamplePlan, TaskState
from core.models.signing import Signature, SignedDocument, SignedDocumentState, Voucher
from core.models.staff import Role, Staff, StaffPassword, StaffRecoveryCode, StaffSession, StaffTotp
from core.models.system import Alarm, AuditEntry, AuditPending, DeliveryState, EventDelivery, OutboxEvent
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
    "ApiKey",
    "Appeal",
    "AppealItem",
    "AppealState",
    "Appointment",
    "Article",
    "ArticleVersion",
    "AuditEntry",
    "AuditPending",
    "AuthorisationLevel",
    "BackupKind",
    "BackupRun",
    "BackupState",
    "BestCase",
    "Business",
    "BusinessCase",
    "BusinessFlow",
    "CalendarDay",
    "CalibrationScore",
    "CalibrationSession",
    "Call",
    "CallGuest",
    "CallLeg",
    "CallOffer",
    "CallQuality",
    "CallState",
    "CallTransfer",
    "Callback",
    "CaseDocument",
    "CaseState",
    "CaseStep",
    "ChangeState",
    "ChatMessage",
    "CoachingNote",
    "ComplianceCheck",
    "Consent",
    "ControlledChange",
    "Defect",
    "DeliveryState",
    "DocumentState",
    "EarlyDocument",
    "Emergency",
    "EndReason",
    "Evaluation",
    "EvaluationForm",
    "EvaluationState",
    "EvaluationStep",
    "EventDelivery",
    "EvidenceExport",
    "ExportState",
    "Finding",
    "FindingVerdict",
    "FormState",
    "FraudAlert",
    "FraudOutcome",
    "FraudState",
    "HelpRequest",
    "InspectionTask",
    "InspectorConflict",
    "NoticeChannel",
    "NoticeMessage",
    "NoticeState",
    "OpenBooking",
    "OpeningCalendar",
    "OutboxEvent",
    "PackageState",
    "PeerReview",
    "PhoneCode",
    "Posting",
    "PostingState",
    "PostingStep",
    "PostingStepState",
    "Prefill",
    "QueueNotice",
    "Rating",
    "Recording",
    "RecordingExport",
    "RecordingFile",
    "RecordingState",
    "RecordingViewing",
    "Rectification",
    "RectificationFile",
    "RectificationState",
    "RectificationStep",
    "ReviewRequest",
    "ReviewRuleRow",
    "ReviewState",
    "Role",
    "RuleSetRow",
    "RuleSetState",
    "SampleDraw",
    "SamplePlan",
    "SearchSegment",
    "ServiceQueue",
    "Signature",
    "SignedDocument",
    "SignedDocumentState",
    "SkillGroup",
    "Staff",
    "StaffPassword",
    "StaffRecoveryCode",
    "StaffSession",
    "StaffTotp",
    "StepState",
    "Strategy",
    "TaskState",
    "TellerPresence",
    "TellerSpan",
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
    "Voucher",
    "WaitEstimate",
    "Webhook",
    "WebhookDelivery",
    "WebhookState",
    "metadata",
]
