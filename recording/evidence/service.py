"""Evidence packages: asked for with a purpose, made by a job, fetched by the one who asked, gone after a week."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.events import EvidenceRequested
from core.ids import new_id
from core.models.call import Call
from core.models.evidence import EvidenceExport, PackageState
from core.models.recording import Recording
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.keys import MasterKey, unwrap_key
from core.security.permissions import Permission
from core.store import Store
from recording.evidence.access import access_evidence_call
from recording.evidence.schemas import EvidenceCall, EvidenceCallPage, EvidenceList, EvidenceView
from recording.export.service import ExportFile
from recording.seal import HEADER_B, SealedFile

PAGE_SIZE = 30


class EvidenceService:
    """Takes requests and gives packages out: the edge's part."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey, timezone: str) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._zone = ZoneInfo(timezone)

    # finding a call

    async def calls(
        self,
        actor: Actor,
        number: int | None,
        teller: str,
        business: str,
        first: date | None,
        last: date | None,
        page: int,
    ) -> EvidenceCallPage:
        """Finished calls. `teller`: part of the name, or the staff number. Days are the bank's, both included."""
        actor.require(Permission.EVIDENCE_EXPORT)
        query = (
            select(Call, Staff, Recording)
            .outerjoin(Staff, col(Staff.id) == col(Call.teller_id))
            .outerjoin(Recording, col(Recording.call_id) == col(Call.id))
            .where(col(Call.ended_at).is_not(None))
        )
        if number is not None:
            query = query.where(col(Call.number) == number)
        if teller:
            query = query.where(
                (col(Staff.staff_number) == teller) | col(Staff.display_name).contains(teller, autoescape=True)
            )
        if business:
            query = query.where(col(Call.business_code) == business)
        if first is not None:
            query = query.where(col(Call.queued_at) >= datetime.combine(first, time(), self._zone))
        if last is not None:
            query = query.where(col(Call.queued_at) < datetime.combine(last + timedelta(days=1), time(), self._zone))
        async with self._database.read() as session:
            total = (await session.scalars(select(func.count()).select_from(query.subquery()))).one()
            ordered = query.order_by(col(Call.queued_at).desc(), col(Call.id)).offset((page - 1) * PAGE_SIZE)
            rows = (await session.execute(ordered.limit(PAGE_SIZE))).all()
        items = [_call_view(call, staff, recording) for call, staff, recording in rows]
        return EvidenceCallPage(items=items, total=total, page=page, page_size=PAGE_SIZE)

    # asking and fetching

    async def request(self, actor: Actor, call_id: str, purpose: str) -> EvidenceView:
        """Ask for a package; audited with its purpose.

        Raises:
            DeniedError: no permission, or ``evidence.own_call``. NotFoundError: ``call.not_found``.
            ConflictError: ``evidence.not_ready``: the recording is still being made.
        """
        async with self._database.unit_of_work(actor) as work:
            call, _ = await access_evidence_call(work.session, actor, call_id, Permission.EVIDENCE_EXPORT)
            now = work.clock.now()
            row = EvidenceExport(
                id=new_id("evidence"),
                call_id=call.id,
                requested_by=str(actor.staff_id),
                purpose=purpose,
                state=PackageState.WAITING,
                created_at=now,
            )
            work.session.add(row)
            work.audit("evidence.request", "call", call.id, export=row.id, purpose=purpose)
            work.emit(EvidenceRequested(at=now, call_id=call.id, export_id=row.id))
        return _view(row, call)

    async def access(self, actor: Actor, export_id: str) -> EvidenceView:
        """One's own package. NotFoundError ``evidence.not_found`` for everybody else's."""
        row, call = await self._own(actor, export_id)
        return _view(row, call)

    async def mine(self, actor: Actor) -> EvidenceList:
        """The own packages."""
        actor.require(Permission.EVIDENCE_EXPORT)
        query = (
            select(EvidenceExport, Call)
            .join(Call, col(Call.id) == col(EvidenceExport.call_id))
            .where(col(EvidenceExport.requested_by) == actor.staff_id)
            .order_by(col(EvidenceExport.created_at).desc())
            .limit(50)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return EvidenceList(items=[_view(row, call) for row, call in rows])

    async def open_file(self, actor: Actor, export_id: str) -> tuple[ExportFile, int]:
        """The package and its call's number; every fetching is audited.

        Raises:
            ConflictError: ``evidence.not_ready``, ``evidence.expired``. NotFoundError: ``evidence.not_found``.
        """
        row, call = await self._own(actor, export_id)
        if row.state == PackageState.EXPIRED or (row.expires_at and row.expires_at <= self._database.clock.now()):
            raise ConflictError("the package is not kept any more", code="evidence.expired")
        if row.state != PackageState.READY or row.object_key is None or row.wrapped_key is None:
            raise ConflictError("the package is not ready", code="evidence.not_ready")
        async with self._database.unit_of_work(actor) as work:
            work.audit("evidence.download", "call", row.call_id, export=row.id, sha256=row.sha256)
        data_key = unwrap_key(self._master_key, row.wrapped_key, row.id)
        header = await self._store.get_range(row.object_key, 0, HEADER_B)
        return ExportFile(self._store, row.object_key, SealedFile(header, data_key, row.id)), call.number

    async def _own(self, actor: Actor, export_id: str) -> tuple[EvidenceExport, Call]:
        actor.require(Permission.EVIDENCE_EXPORT)
        async with self._database.read() as session:
            row = await session.get(EvidenceExport, export_id)
            if row is None or row.requested_by != actor.staff_id:
                raise NotFoundError("there is no such package", code="evidence.not_found")
            return row, await session.get_one(Call, row.call_id)


def _view(row: EvidenceExport, call: Call) -> EvidenceView:
    url = f"/api/evidence/{row.id}/file" if row.state == PackageState.READY else None
    return EvidenceView.model_validate(
        {**row.model_dump(), "export_id": row.id, "call_number": call.number, "url": url}
    )


def _call_view(call: Call, staff: Staff | None, recording: Recording | None) -> EvidenceCall:
    return EvidenceCall(
        call_id=call.id,
        number=call.number,
        business_code=call.business_code,
        teller_name=staff.display_name if staff else "",
        teller_number=staff.staff_number if staff else "",
        queued_at=call.queued_at,
        ended_at=call.ended_at or call.queued_at,
        end_reason=call.end_reason,
        recording_state=recording.state if recording else None,
        recording_verdict=recording.verdict if recording else None,
    )
