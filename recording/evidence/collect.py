"""What is known of a call, read from every room's tables and put into JSON. Sealed facts are opened here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from core.models import (
    Appeal,
    AppealItem,
    AuditEntry,
    BusinessCase,
    Call,
    CallGuest,
    CallLeg,
    CallOffer,
    CallQuality,
    CallTransfer,
    CaseDocument,
    CaseStep,
    ChatMessage,
    ComplianceCheck,
    Consent,
    Evaluation,
    EvaluationStep,
    Finding,
    FraudAlert,
    HelpRequest,
    NoticeMessage,
    OutboxEvent,
    Posting,
    PostingStep,
    Rating,
    Recording,
    RecordingExport,
    RecordingFile,
    Rectification,
    ReviewRequest,
    Signature,
    SignedDocument,
    Staff,
    Ticket,
    Transcript,
    TranscriptCorrection,
    TranscriptSegment,
    Visit,
    Voucher,
)
from core.security.sealing import Sealer

Json = dict[str, Any]

# Where things lie inside the house tells nobody outside anything.
_INSIDE = frozenset({"object_key", "thumbnail_key", "thumbnails_key", "sealed_key", "manifest_key", "peaks", "grams"})


@dataclass(slots=True)
class Collected:
    """Rows that still need their objects, and JSON documents by path."""

    call: Call
    documents: list[CaseDocument]
    signed: list[SignedDocument]
    vouchers: list[Voucher]
    images: list[ChatMessage]
    recording: Recording | None
    files: list[RecordingFile]
    json: dict[str, Any] = field(default_factory=dict)


def row_json(row: SQLModel) -> Json:
    """The columns that mean something outside: no keys, no places in the store, nothing sealed."""
    return {
        key: value for key, value in row.model_dump().items() if not isinstance(value, bytes) and key not in _INSIDE
    }


class Collector:
    """Reads one call in one snapshot."""

    def __init__(self, session: AsyncSession, sealer: Sealer, call: Call) -> None:
        self._session = session
        self._sealer = sealer
        self._call = call

    async def collect(self) -> Collected:
        """Everything but the contents of objects."""
        documents = await self._of(CaseDocument, CaseDocument.created_at)
        signed = await self._of(SignedDocument, SignedDocument.created_at)
        vouchers = await self._of(Voucher, Voucher.issued_at)
        chat = await self._of(ChatMessage, ChatMessage.at)
        recordings = await self._of(Recording, Recording.started_at)
        files = await self._of(RecordingFile, RecordingFile.party)
        found = Collected(
            call=self._call,
            documents=documents,
            signed=signed,
            vouchers=vouchers,
            images=[row for row in chat if row.object_key is not None],
            recording=recordings[0] if recordings else None,
            files=files,
        )
        cases = await self._of(BusinessCase, BusinessCase.started_at)
        identity, business = await self._business(cases)
        found.json = {
            "call.json": await self._about_call(),
            "consents.json": await self._rows(Consent, Consent.visit_id, self._call.visit_id, Consent.at),
            "identity.json": identity,
            "business.json": business,
            "documents.json": [row_json(row) for row in documents],
            "reviews.json": await self._reviews(),
            "signatures.json": await self._signatures(signed),
            "vouchers.json": [
                {**row_json(row), "facts": self._sealer.open(row.sealed_facts, row.id)} for row in vouchers
            ],
            "recordings.json": {
                "recording": row_json(recordings[0]) if recordings else None,
                "files": [row_json(row) for row in files],
            },
            "transcript.json": await self._transcripts(),
            "chat.json": [row_json(row) for row in chat],
            "findings.json": await self._findings(),
            "evaluation.json": await self._evaluation(),
            "fraud.json": [row_json(row) for row in await self._of(FraudAlert, FraudAlert.raised_at)],
            "tickets.json": [row_json(row) for row in await self._of(Ticket, Ticket.opened_at)],
            "notices.json": [row_json(row) for row in await self._of(NoticeMessage, NoticeMessage.created_at)],
            "timeline.json": await self._timeline(),
        }
        found.json["audit.json"] = {"entries": await self._audit(found, cases)}
        return found

    async def _of(self, model: Any, order: Any) -> list[Any]:
        query = select(model).where(model.call_id == self._call.id).order_by(order, *model.__table__.primary_key)
        return list((await self._session.scalars(query)).all())

    async def _rows(self, model: Any, column: Any, value: Any, order: Any) -> list[Json]:
        query = select(model).where(column == value).order_by(order)
        return [row_json(row) for row in (await self._session.scalars(query)).all()]

    async def _about_call(self) -> Json:
        call = self._call
        visit = await self._session.get_one(Visit, call.visit_id)
        legs, guests = await self._of(CallLeg, CallLeg.began_at), await self._of(CallGuest, CallGuest.invited_at)
        rating = await self._session.get(Rating, call.id)
        people = {call.teller_id, *(leg.teller_id for leg in legs), *(guest.staff_id for guest in guests)} - {None}
        staff = (await self._session.scalars(select(Staff).where(col(Staff.id).in_(people)))).all()
        return {
            "call": row_json(call),
            "visit": row_json(visit),
            "staff": [
                {"id": each.id, "staff_number": each.staff_number, "name": each.display_name, "roles": each.roles}
                for each in staff
            ],
            "offers": [row_json(row) for row in await self._of(CallOffer, CallOffer.offered_at)],
            "legs": [row_json(row) for row in legs],
            "transfers": [row_json(row) for row in await self._of(CallTransfer, CallTransfer.at)],
            "guests": [row_json(row) for row in guests],
            "quality": [row_json(row) for row in await self._of(CallQuality, CallQuality.seat)],
            "help": [row_json(row) for row in await self._of(HelpRequest, HelpRequest.at)],
            "rating": row_json(rating) if rating else None,
        }

    async def _business(self, cases: Sequence[BusinessCase]) -> tuple[list[Json], list[Json]]:
        """Steps of identification apart from the rest, as people look for them first."""
        identity: list[Json] = []
        business: list[Json] = []
        for case in cases:
            query = select(CaseStep).where(col(CaseStep.case_id) == case.id).order_by(col(CaseStep.position))
            steps: list[Json] = []
            for step in (await self._session.scalars(query)).all():
                held = self._sealer.open(step.sealed, f"{case.id}/{step.key}")
                shown = {**row_json(step), "inputs": held["inputs"], "result": held["result"]}
                (identity if step.kind == "identity" else steps).append(shown)
            facts = self._sealer.open(case.sealed, case.id)
            business.append(
                {**row_json(case), "facts": facts, "steps": steps, "postings": await self._postings(case.id)}
            )
        return identity, business

    async def _postings(self, case_id: str) -> list[Json]:
        query = select(Posting).where(col(Posting.case_id) == case_id).order_by(col(Posting.created_at))
        found = []
        for row in (await self._session.scalars(query)).all():
            steps = await self._rows(PostingStep, PostingStep.posting_id, row.id, PostingStep.seq)
            found.append({**row_json(row), "plan": self._sealer.open(row.sealed_plan, row.id), "steps": steps})
        return found

    async def _reviews(self) -> list[Json]:
        rows = await self._of(ReviewRequest, ReviewRequest.requested_at)
        return [{**row_json(row), "shown": self._sealer.open(row.sealed_shown, row.id)} for row in rows]

    async def _signatures(self, signed: Sequence[SignedDocument]) -> list[Json]:
        found = []
        for document in signed:
            query = select(Signature).where(col(Signature.document_id) == document.id).order_by(col(Signature.at))
            signatures = [
                {**row_json(row), "ink": self._sealer.open(row.sealed_ink, row.id)}
                for row in (await self._session.scalars(query)).all()
            ]
            found.append({**row_json(document), "signatures": signatures})
        return found

    async def _transcripts(self) -> list[Json]:
        """All that were made, live and final, with what inspectors heard instead."""
        corrections = {
            row.segment_id: row_json(row)
            for row in await self._of(TranscriptCorrection, TranscriptCorrection.corrected_at)
        }
        segments = await self._of(TranscriptSegment, TranscriptSegment.start_s)
        return [
            {
                **row_json(head),
                "segments": [
                    {**row_json(row), "correction": corrections.get(row.id)}
                    for row in segments
                    if row.transcript_id == head.id
                ],
            }
            for head in await self._of(Transcript, Transcript.created_at)
        ]

    async def _findings(self) -> list[Json]:
        findings = await self._of(Finding, Finding.at_s)
        return [
            {**row_json(check), "findings": [row_json(row) for row in findings if row.check_id == check.id]}
            for check in await self._of(ComplianceCheck, ComplianceCheck.checked_at)
        ]

    async def _evaluation(self) -> Json:
        evaluations = await self._of(Evaluation, Evaluation.created_at)
        appeals = await self._of(Appeal, Appeal.created_at)
        return {
            "evaluations": [
                {
                    **row_json(row),
                    "draft": None,  # what somebody has not handed in yet is nobody's verdict
                    "steps": await self._rows(EvaluationStep, EvaluationStep.evaluation_id, row.id, EvaluationStep.at),
                }
                for row in evaluations
            ],
            "appeals": [
                {
                    **row_json(row),
                    "items": await self._rows(AppealItem, AppealItem.appeal_id, row.id, AppealItem.item_id),
                }
                for row in appeals
            ],
            "rectifications": [row_json(row) for row in await self._of(Rectification, Rectification.created_at)],
        }

    async def _timeline(self) -> list[Json]:
        query = select(OutboxEvent).where(col(OutboxEvent.call_id) == self._call.id).order_by(col(OutboxEvent.seq))
        rows = (await self._session.scalars(query)).all()
        return [{"seq": row.seq, "at": row.at, "fact": row.type, "payload": row.payload} for row in rows]

    async def _audit(self, found: Collected, cases: Iterable[BusinessCase]) -> list[Json]:
        """Entries about the call and about anything that belongs to it."""
        ids = {self._call.id, self._call.visit_id, *(case.id for case in cases)}
        for rows in (found.documents, found.signed, found.vouchers, found.files):
            ids |= {row.id for row in rows}
        for model in (Evaluation, ReviewRequest, FraudAlert, Posting, NoticeMessage, RecordingExport, Ticket):
            query = select(model.id).where(model.call_id == self._call.id)
            ids |= set((await self._session.scalars(query)).all())
        entries = (
            select(AuditEntry)
            .where(or_(col(AuditEntry.object_id).in_(ids), col(AuditEntry.detail)["call_id"].astext == self._call.id))
            .order_by(col(AuditEntry.seq))
        )
        return [{**row_json(row), "at": row.at.isoformat()} for row in (await self._session.scalars(entries)).all()]
