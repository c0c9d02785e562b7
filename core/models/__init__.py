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
from core.models.qa import ComplianceCheck, Evaluation, EvaluationState, Finding, FindingVerdict
from core.models.recording import ExportState, Recording, RecordingExport, RecordingFile, RecordingState
from core.models.rules import RuleSetRow, RuleSetState
from core.models.staff import Role, Staff, StaffSession
from core.models.system import Alarm, AuditEntry, DeliveryState, EventDelivery, OutboxEvent
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
    "AuditEntry",
    "Business",
    "Call",
    "CallOffer",
    "CallQuality",
    "CallState",
    "ComplianceCheck",
    "Consent",
    "DeliveryState",
    "EndReason",
    "Evaluation",
    "EvaluationState",
    "EventDelivery",
    "ExportState",
    "Finding",
    "FindingVerdict",
    "OutboxEvent",
    "Rating",
    "Recording",
    "RecordingExport",
    "RecordingFile",
    "RecordingState",
    "Role",
    "RuleSetRow",
    "RuleSetState",
    "SearchSegment",
    "Staff",
    "StaffSession",
    "TellerPresence",
    "TellerState",
    "Transcript",
    "TranscriptCorrection",
    "TranscriptKind",
    "TranscriptSegment",
    "TranscriptState",
    "Visit",
    "metadata",
]
