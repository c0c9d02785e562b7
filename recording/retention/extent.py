"""What belongs to each class of data, in rows and objects; how it is deleted, and looked for afterwards.

This is the one place that deletes rows of other rooms (docs/adr/0053): they are deleted together, in an order that
foreign keys allow, in one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from core.models import (
    Appointment,
    BestCase,
    BusinessCase,
    Call,
    Callback,
    CallGuest,
    CallTransfer,
    CaseDocument,
    CaseStep,
    ChatMessage,
    Consent,
    EarlyDocument,
    EntryPass,
    EventDelivery,
    EvidenceExport,
    Finding,
    FraudAlert,
    HelpRequest,
    NoticeMessage,
    OpenBooking,
    OutboxEvent,
    PackageState,
    PhoneCode,
    Posting,
    PostingStep,
    Prefill,
    Rating,
    Recording,
    RecordingExport,
    RecordingFile,
    RecordingState,
    ReviewRequest,
    SearchSegment,
    Signature,
    SignedDocument,
    Ticket,
    TicketStep,
    Tombstone,
    Transcript,
    TranscriptCorrection,
    TranscriptSegment,
    Voucher,
    WebhookDelivery,
)
from recording.retention.rules import DataClass


@dataclass(frozen=True, slots=True)
class Root:
    """What data hangs on: a call with its visit, a booking or a form of somebody who never came."""

    type: str
    id: str
    visit_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table. They are deleted, or emptied where something that stays refers to them (`values`)."""

    table: type[SQLModel]
    where: Callable[[Root], ColumnElement[bool]]
    values: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Name of the table."""
        return str(self.table.__tablename__)

    def count(self, root: Root) -> Any:
        """How many there are."""
        return select(func.count()).select_from(self.table).where(self.where(root)).scalar_subquery()

    async def remove(self, session: AsyncSession, root: Root) -> None:
        """Delete or empty them."""
        if self.values is None:
            await session.execute(delete(self.table).where(self.where(root)))
        else:
            await session.execute(update(self.table).where(self.where(root)).values(**self.values))


def _of_call(table: Any) -> Part:
    return Part(table, lambda root: table.call_id == root.id)


def _within(table: Any, column: Any, inner: Any, key: Any) -> Part:
    """Rows that belong to rows of the call."""
    return Part(table, lambda root: column.in_(select(key).where(inner.call_id == root.id)))


def _emptied(table: Any, **values: Any) -> Part:
    return Part(
        table,
        lambda root: (
            (table.call_id == root.id) & or_(*(getattr(table, name) != value for name, value in values.items()))
        ),
        values,
    )


def _last_of_visit(root: Root) -> ColumnElement[bool]:
    """Whether no other call of the visit still has what belongs to the visit as a whole."""
    gone = exists().where(col(Tombstone.root_id) == col(Call.id), col(Tombstone.data_class) == DataClass.SERVICE)
    return ~exists().where(col(Call.visit_id) == root.visit_id, col(Call.id) != root.id, ~gone)


def _of_visit(table: Any) -> Part:
    return Part(table, lambda root: (table.visit_id == root.visit_id) & _last_of_visit(root))


def _tickets(root: Root) -> ColumnElement[bool]:
    of_visit = (col(Ticket.visit_id) == root.visit_id) & _last_of_visit(root)
    return or_(col(Ticket.call_id) == root.id, of_visit)


def _appointments(root: Root) -> Select[Any]:
    return select(Appointment.id).where(col(Appointment.visit_id) == root.visit_id, _last_of_visit(root))  # type: ignore[call-overload,no-any-return]


PARTS: dict[DataClass, tuple[Part, ...]] = {
    DataClass.RECORDING: (
        _of_call(RecordingExport),
        _of_call(RecordingFile),
        Part(
            Recording,
            lambda root: (col(Recording.call_id) == root.id) & (col(Recording.state) != RecordingState.DELETED),
            {"state": RecordingState.DELETED, "wrapped_key": b"", "manifest_key": None},
        ),
        Part(
            EvidenceExport,
            lambda root: (col(EvidenceExport.call_id) == root.id) & (col(EvidenceExport.object_key).is_not(None)),
            {"state": PackageState.EXPIRED, "object_key": None, "wrapped_key": None},
        ),
    ),
    DataClass.CONVERSATION: (
        _of_call(TranscriptCorrection),
        _of_call(SearchSegment),
        _of_call(TranscriptSegment),
        _of_call(Transcript),
        _of_call(ChatMessage),
        _emptied(Finding, evidence="", phrase=""),
        _emptied(FraudAlert, signs=[]),
        _emptied(BestCase, lines=[]),
    ),
    DataClass.BUSINESS: (
        _within(Signature, col(Signature.document_id), SignedDocument, SignedDocument.id),
        _of_call(SignedDocument),
        _of_call(Voucher),
        _of_call(ReviewRequest),
        _within(PhoneCode, col(PhoneCode.case_id), BusinessCase, BusinessCase.id),
        _of_call(CaseDocument),
        _within(CaseStep, col(CaseStep.case_id), BusinessCase, BusinessCase.id),
        Part(
            Prefill,
            lambda root: or_(
                col(Prefill.case_id).in_(select(BusinessCase.id).where(col(BusinessCase.call_id) == root.id)),  # type: ignore[call-overload]
                (col(Prefill.visit_id) == root.visit_id) & col(Prefill.case_id).is_(None),
            ),
        ),
        _within(PostingStep, col(PostingStep.posting_id), Posting, Posting.id),
        _of_call(Posting),
        _of_call(BusinessCase),
    ),
    DataClass.SERVICE: (
        _of_call(Rating),
        Part(TicketStep, lambda root: col(TicketStep.ticket_id).in_(select(Ticket.id).where(_tickets(root)))),  # type: ignore[call-overload]
        Part(Ticket, _tickets),
        _of_call(NoticeMessage),
        _of_call(Callback),
        _of_visit(NoticeMessage),
        _of_visit(Consent),
        Part(OpenBooking, lambda root: col(OpenBooking.appointment_id).in_(_appointments(root))),
        Part(EarlyDocument, lambda root: col(EarlyDocument.appointment_id).in_(_appointments(root))),
        _of_visit(Appointment),
        _of_visit(EntryPass),
        _emptied(CallTransfer, note=""),
        _emptied(CallGuest, note=""),
        _emptied(HelpRequest, message=""),
        Part(Call, lambda root: (col(Call.id) == root.id) & col(Call.note).is_not(None), {"note": None}),
    ),
    DataClass.TIMELINE: (
        _of_call(WebhookDelivery),
        _within(EventDelivery, col(EventDelivery.event_id), OutboxEvent, OutboxEvent.event_id),
        _of_call(OutboxEvent),
    ),
}
"""In an order in which they can be deleted."""

_CONTACTS: dict[str, tuple[Part, ...]] = {
    "appointment": (
        Part(OpenBooking, lambda root: col(OpenBooking.appointment_id) == root.id),
        Part(EarlyDocument, lambda root: col(EarlyDocument.appointment_id) == root.id),
        Part(Appointment, lambda root: col(Appointment.id) == root.id),
    ),
    "prefill": (Part(Prefill, lambda root: col(Prefill.id) == root.id),),
}


def parts_of(root: Root, data_class: DataClass) -> tuple[Part, ...]:
    """The tables of a class."""
    return PARTS[data_class] if root.type == "call" else _CONTACTS[root.type]


async def rows_of(session: AsyncSession, root: Root, data_class: DataClass) -> dict[str, int]:
    """How many rows there are, by table; tables without any are left out."""
    parts = parts_of(root, data_class)
    counts = (await session.execute(select(*(part.count(root) for part in parts)))).one()
    found: dict[str, int] = {}
    for part, count in zip(parts, counts, strict=True):
        if count:
            found[part.name] = found.get(part.name, 0) + count
    return found


_OBJECTS: dict[DataClass, tuple[tuple[Any, tuple[Any, ...]], ...]] = {
    DataClass.RECORDING: (
        (RecordingFile, (RecordingFile.object_key, RecordingFile.thumbnails_key)),
        (RecordingExport, (RecordingExport.object_key,)),
        (Recording, (Recording.manifest_key,)),
        (EvidenceExport, (EvidenceExport.object_key,)),
    ),
    DataClass.CONVERSATION: ((ChatMessage, (ChatMessage.object_key,)),),
    DataClass.BUSINESS: (
        (CaseDocument, (CaseDocument.object_key, CaseDocument.thumbnail_key)),
        (SignedDocument, (SignedDocument.object_key, SignedDocument.sealed_key)),
        (Voucher, (Voucher.object_key,)),
    ),
}


async def objects_of(session: AsyncSession, root: Root, data_class: DataClass) -> set[str]:
    """Keys of the objects that rows of a class name."""
    keys: set[str] = set()
    for table, columns in _OBJECTS.get(data_class, ()) if root.type == "call" else ():
        for row in (await session.execute(select(*columns).where(table.call_id == root.id))).all():
            keys |= {key for key in row if key}
    if root.type == "appointment" or data_class is DataClass.SERVICE:
        own = _appointments(root) if root.type == "call" else [root.id]
        files = select(EarlyDocument.object_key, EarlyDocument.thumbnail_key)  # type: ignore[call-overload]
        early = await session.execute(files.where(col(EarlyDocument.appointment_id).in_(own)))
        keys |= {key for row in early.all() for key in row if key}
    return keys


async def is_needed(session: AsyncSession, root: Root, data_class: DataClass) -> bool:
    """Whether something that stays refers to it: a signature names the consent it was given under."""
    if data_class is not DataClass.SERVICE:
        return False
    query = (
        select(func.count())
        .select_from(Signature)
        .join(Consent, col(Consent.id) == col(Signature.consent_id))
        .where(col(Consent.visit_id) == root.visit_id)
    )
    return bool((await session.execute(query)).scalar_one())


async def remove_rows(session: AsyncSession, root: Root, data_class: DataClass) -> dict[str, int]:
    """Delete the rows of a class; how many there were, by table."""
    found = await rows_of(session, root, data_class)
    for part in parts_of(root, data_class):
        await part.remove(session, root)
    return found
