"""Files handed in with a booked time: written under the booking's number, read only by who serves the booked call."""

from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, CounterError, NotFoundError
from core.models.booking import Appointment
from core.models.call import Call
from core.models.case import EarlyDocument
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, system_actor
from server.counter.documents.service import DocumentService
from server.counter.documents.shelf import DocumentShelf
from server.counter.flow_store import active_flow
from server.counter.schemas import EarlyDocumentView, EarlyPapers, WantedDocument

log = structlog.get_logger(__name__)

MOST = 10
PER_HOUR = 60
KEPT = timedelta(days=7)  # after a time that nobody came to


class EarlyPapersDesk:
    """The only writer of `EarlyDocument`. The number lets its holder add and remove files, never look at them."""

    def __init__(
        self, database: Database, limiter: RateLimiter, shelf: DocumentShelf, documents: DocumentService
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._shelf = shelf
        self._documents = documents
        self._system = system_actor("booking")

    # --- the customer, by the booking's number ------------------------------------------------------------------

    async def papers(self, number: str, address: str | None) -> EarlyPapers:
        """What the business asks for and what is there. NotFoundError ``appointment.not_found``."""
        await self._limiter.hit(f"early:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.read() as session:
            booked = await _booked(session, number)
            wanted = await _wanted(session, booked.business_code)
            rows = await _rows(session, booked.id)
        return EarlyPapers(wanted=wanted, documents=[_view(row) for row in rows])

    async def hand_in(
        self, number: str, code: str, content: bytes, content_type: str, address: str | None
    ) -> EarlyDocumentView:
        """Keep a file; a newer one of the same kind takes the older one's place.

        Raises:
            NotFoundError: ``appointment.not_found``. BadInputError: ``document.…``.
            ConflictError: ``appointment.over``, ``document.too_many``.
        """
        await self._limiter.hit(f"early:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.read() as session:
            await self._require_place(session, await _open(session, number), code)
        stored = await self._shelf.put(content, await self._shelf.look(content, content_type))
        try:
            async with self._database.unit_of_work(self._system) as work:
                booked = await _open(work.session, number, lock=True)
                await self._require_place(work.session, booked, code)
                older = [row for row in await _rows(work.session, booked.id) if row.code == code != "other"]
                for row in older:
                    await work.session.delete(row)
                row = EarlyDocument(**stored, appointment_id=booked.id, code=code, created_at=work.clock.now())
                work.session.add(row)
                work.audit("booking.document", "appointment", booked.id, document=row.id, code=code, sha256=row.sha256)
        except BaseException:
            await self._shelf.discard(stored)
            raise
        for gone in older:
            await self._shelf.discard(gone.model_dump())
        return _view(row)

    async def remove(self, number: str, document_id: str, address: str | None) -> None:
        """Take a file back. NotFoundError ``document.not_found``. ConflictError ``appointment.over``."""
        await self._limiter.hit(f"early:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.unit_of_work(self._system) as work:
            booked = await _open(work.session, number, lock=True)
            row = await work.session.get(EarlyDocument, document_id)
            if row is None or row.appointment_id != booked.id:
                raise NotFoundError("there is no such document", code="document.not_found")
            await work.session.delete(row)
            work.audit("booking.document_removed", "appointment", booked.id, document=row.id)
        await self._shelf.discard(row.model_dump())

    # --- the teller of the booked call --------------------------------------------------------------------------

    async def of_call(self, actor: Actor, call_id: str) -> list[EarlyDocumentView]:
        """What the customer of the teller's call has handed in. NotFoundError ``call.not_found``."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            if call is None or actor.staff_id is None or call.teller_id != actor.staff_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            booked = select(Appointment.id).where(col(Appointment.visit_id) == call.visit_id)
            query = select(EarlyDocument).where(col(EarlyDocument.appointment_id).in_(booked))
            rows = (await session.scalars(query.order_by(col(EarlyDocument.created_at)))).all()
        return [_view(row) for row in rows]

    async def open(self, actor: Actor, document_id: str, *, small: bool) -> tuple[bytes, str]:
        """A file's plain bytes and content type; audited when whole. NotFoundError ``document.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            row, call_id = await _access(work, actor, document_id)
            if not small:
                work.audit("document.view", "document", row.id, call_id=call_id, code=row.code)
        if small:
            return await self._shelf.thumbnail(row), "image/jpeg"
        return await self._shelf.content(row), row.content_type

    async def take(self, actor: Actor, document_id: str, case_id: str, step: str) -> str:
        """Give the file to the open step of the case, as if it had been handed in now; returns the document's id.

        Raises:
            NotFoundError: ``document.not_found``, ``case.not_found``. ConflictError: why the step takes nothing now.
        """
        async with self._database.unit_of_work(actor) as work:
            row, _ = await _access(work, actor, document_id)
        content = await self._shelf.content(row)
        taken = await self._documents.hand_in(actor, case_id, step, row.code, "file", content, row.content_type)
        async with self._database.unit_of_work(actor) as work:
            kept = await work.session.get(EarlyDocument, document_id, with_for_update=True)
            if kept is not None:
                kept.taken_by = taken
                work.audit("booking.document_taken", "document", taken, early=document_id, case_id=case_id)
        return taken

    # --- the house ----------------------------------------------------------------------------------------------

    async def purge(self) -> int:
        """Remove files of cancelled times and of those nobody came to; returns how many.

        Who came has a call: its files are kept and deleted with it, by the retention table, or held.
        """
        now = self._database.clock.now()
        missed = (col(Appointment.ends_at) < now - KEPT) & col(Appointment.visit_id).is_(None)
        over = select(Appointment.id).where((col(Appointment.state) == "cancelled") | missed)
        async with self._database.unit_of_work(self._system) as work:
            query = select(EarlyDocument).where(col(EarlyDocument.appointment_id).in_(over)).limit(100)
            rows = (await work.session.scalars(query.with_for_update(skip_locked=True))).all()
            for row in rows:
                await work.session.delete(row)
                work.audit("booking.document_purged", "appointment", row.appointment_id, document=row.id)
        for row in rows:
            try:
                await self._shelf.discard(row.model_dump())
            except (CounterError, OSError) as error:  # sealed with a key that is gone: nobody reads it any more
                log.warning("a file of an old booking stays in the store", document=row.id, error=str(error))
        return len(rows)

    async def _require_place(self, session: AsyncSession, booked: Appointment, code: str) -> None:
        wanted = {each.code for each in await _wanted(session, booked.business_code)}
        if code not in wanted | {"other"}:
            raise BadInputError("this document is not asked for", code="document.unknown")
        count = select(func.count()).where(col(EarlyDocument.appointment_id) == booked.id)
        if (await session.scalars(count)).one() >= MOST:
            raise ConflictError("too many documents", code="document.too_many")


async def _booked(session: AsyncSession, number: str, lock: bool = False) -> Appointment:
    query = select(Appointment).where(col(Appointment.code) == number)
    row = (await session.scalars(query.with_for_update() if lock else query)).first()
    if row is None:
        raise NotFoundError("there is no such appointment", code="appointment.not_found")
    return row


async def _open(session: AsyncSession, number: str, lock: bool = False) -> Appointment:
    row = await _booked(session, number, lock)
    if row.state != "booked":
        raise ConflictError("this appointment is over", code="appointment.over")
    return row


async def _wanted(session: AsyncSession, business_code: str) -> list[WantedDocument]:
    _, flow = await active_flow(session, business_code)
    return [
        WantedDocument.model_validate(spec.model_dump(include=set(WantedDocument.model_fields)))
        for spec in flow.documents
    ]


async def _rows(session: AsyncSession, appointment_id: str) -> list[EarlyDocument]:
    query = select(EarlyDocument).where(col(EarlyDocument.appointment_id) == appointment_id)
    return list((await session.scalars(query.order_by(col(EarlyDocument.created_at)))).all())


async def _access(work: UnitOfWork, actor: Actor, document_id: str) -> tuple[EarlyDocument, str]:
    """A file of the booking behind one of the teller's own calls. NotFoundError ``document.not_found``."""
    query = (
        select(EarlyDocument, Call.id)
        .join(Appointment, col(Appointment.id) == col(EarlyDocument.appointment_id))
        .join(Call, col(Call.visit_id) == col(Appointment.visit_id))
        .where(col(EarlyDocument.id) == document_id, col(Call.teller_id) == (actor.staff_id or ""))
        .order_by(col(Call.number).desc())
        .limit(1)
    )
    found = (await work.session.execute(query)).first()
    if found is None:
        raise NotFoundError("there is no such document", code="document.not_found")
    return found[0], found[1]


def _view(row: EarlyDocument) -> EarlyDocumentView:
    return EarlyDocumentView(
        id=row.id,
        code=row.code,
        content_type=row.content_type,
        size_b=row.size_b,
        at=row.created_at,
        taken=row.taken_by is not None,
    )
