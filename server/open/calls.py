"""Booking, following and results for other systems. A key sees the calls of its own bookings, or with a scope all."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.booking import Appointment
from core.models.call import Call
from core.models.open import OpenBooking
from core.models.qa import Evaluation
from core.models.signing import Voucher
from core.ports.booking import AppointmentPlaces
from core.security.actor import Actor
from core.security.permissions import Permission
from server.open.schemas import (
    OpenAppointment,
    OpenAppointmentRequest,
    OpenCall,
    OpenCallList,
    OpenResult,
    OpenScore,
    OpenSlot,
    OpenVoucher,
)

PAGE = 100


class OpenDesk:
    """The only writer of `OpenBooking`."""

    def __init__(
        self,
        database: Database,
        places: AppointmentPlaces,
        stages: Callable[[str], Awaitable[dict[str, str]]],
        read_voucher: Callable[[str], Awaitable[bytes]],
        site_url: str,
    ) -> None:
        """`stages` tells how far the work after a call is; `read_voucher` opens a voucher's object."""
        self._database = database
        self._places = places
        self._stages = stages
        self._read_voucher = read_voucher
        self._site_url = site_url

    async def slots(self, business_code: str) -> Sequence[OpenSlot]:
        """Times of the coming week with places left. NotFoundError ``business.not_found``."""
        return [
            OpenSlot(starts_at=starts_at, ends_at=ends_at, free=free)
            for starts_at, ends_at, free in await self._places.free(business_code)
        ]

    async def book(self, actor: Actor, request: OpenAppointmentRequest) -> OpenAppointment:
        """Book a time, once per reference.

        Raises:
            ConflictError: ``slot.gone``; ``open.reference_used`` when the reference stands for another booking.
        """
        key_id = key_of(actor)
        async with self._database.unit_of_work(actor) as work:
            # Two requests with one reference wait for each other: the second finds what the first has booked.
            lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
            await work.session.execute(lock, {"name": f"{key_id} {request.reference}"})
            known = await _booking(work.session, key_id, request.reference)
            if known is not None:
                booking, row = known
                if (row.business_code, row.starts_at) != (request.business_code, request.starts_at):
                    raise ConflictError("this reference stands for another booking", code="open.reference_used")
            else:
                row = await self._places.place(
                    work, request.business_code, request.starts_at, request.phone, request.language
                )
                await work.session.flush()
                booking = OpenBooking(
                    id=new_id("booking"),
                    key_id=key_id,
                    reference=request.reference,
                    appointment_id=row.id,
                    created_at=work.clock.now(),
                )
                work.session.add(booking)
                work.audit("open.book", "appointment", row.id, reference=request.reference)
            return self._appointment(booking, row, await _call_of(work.session, row))

    async def appointment(self, actor: Actor, reference: str) -> OpenAppointment:
        """An own booking. NotFoundError ``appointment.not_found``."""
        async with self._database.read() as session:
            booking, row = await _own_booking(session, key_of(actor), reference)
            return self._appointment(booking, row, await _call_of(session, row))

    async def cancel(self, actor: Actor, reference: str) -> OpenAppointment:
        """Give an own booking's time back.

        Raises:
            NotFoundError: ``appointment.not_found``. ConflictError: ``appointment.over``.
        """
        async with self._database.unit_of_work(actor) as work:
            booking, row = await _own_booking(work.session, key_of(actor), reference)
            row = await self._places.give_back(work, row.code)
            return self._appointment(booking, row, None)

    async def calls(self, actor: Actor, before: datetime | None, reference: str | None) -> OpenCallList:
        """Calls this key may see, newest first."""
        key_id = key_of(actor)
        query = _joined(key_id)
        if not actor.may(Permission.OPEN_EVERYBODY):
            query = query.where(col(OpenBooking.id).is_not(None))
        if reference is not None:
            query = query.where(col(OpenBooking.reference) == reference)
        if before is not None:
            query = query.where(col(Call.queued_at) < before)
        async with self._database.read() as session:
            rows = (await session.execute(query.order_by(col(Call.queued_at).desc()).limit(PAGE))).all()
        items = [_call(call, name) for call, name in rows]
        return OpenCallList(items=items, next_before=items[-1].queued_at if len(items) == PAGE else None)

    async def call(self, actor: Actor, call_id: str) -> OpenCall:
        """A call. NotFoundError ``call.not_found``, also when it is none of this key's."""
        async with self._database.read() as session:
            return _call(*await access_open_call(session, actor, call_id))

    async def result(self, actor: Actor, call_id: str) -> OpenResult:
        """What came of a call. NotFoundError ``call.not_found``."""
        async with self._database.read() as session:
            call, reference = await access_open_call(session, actor, call_id)
            issued = select(Voucher).where(col(Voucher.call_id) == call.id).order_by(col(Voucher.issued_at))
            vouchers = (await session.scalars(issued)).all()
            evaluation = (await session.scalars(select(Evaluation).where(col(Evaluation.call_id) == call.id))).first()
        return OpenResult(
            call=_call(call, reference),
            stages=await self._stages(call.id),
            vouchers=[
                OpenVoucher(
                    voucher_id=row.id,
                    code=row.code,
                    business_code=row.business_code,
                    issued_at=row.issued_at,
                    ready=row.object_key is not None,
                    sha256=row.sha256,
                )
                for row in vouchers
            ],
            score=OpenScore(
                auto=float(evaluation.auto_score),
                inspector=None if evaluation.score is None else float(evaluation.score),
                max=float(evaluation.max_score),
            )
            if evaluation
            else None,
        )

    async def voucher(self, actor: Actor, call_id: str, voucher_id: str) -> bytes:
        """A voucher's PDF; the look is in the audit log. NotFoundError ``voucher.not_found``, ``call.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            call, _ = await access_open_call(work.session, actor, call_id)
            row = await work.session.get(Voucher, voucher_id)
            if row is None or row.call_id != call.id or row.object_key is None:
                raise NotFoundError("there is no such voucher", code="voucher.not_found")
            work.audit("open.voucher", "voucher", row.id)
        return await self._read_voucher(row.object_key)

    def _appointment(self, booking: OpenBooking, row: Appointment, call_id: str | None) -> OpenAppointment:
        return OpenAppointment.model_validate(
            {
                "reference": booking.reference,
                "code": row.code,
                "business_code": row.business_code,
                "starts_at": row.starts_at,
                "ends_at": row.ends_at,
                "state": row.state,
                "link": f"{self._site_url}/?business={row.business_code}&appointment={row.code}",
                "call_id": call_id,
            }
        )


async def access_open_call(session: AsyncSession, actor: Actor, call_id: str) -> tuple[Call, str | None]:
    """A call this key may see, and the key's own reference for it. NotFoundError ``call.not_found``."""
    found = (await session.execute(_joined(key_of(actor)).where(col(Call.id) == call_id))).first()
    if found is None or (found[1] is None and not actor.may(Permission.OPEN_EVERYBODY)):
        raise NotFoundError("there is no such call", code="call.not_found")
    return found[0], found[1]


def key_of(actor: Actor) -> str:
    """Id of the API key that acts. DeniedError when it is a person."""
    if actor.key_id is None:
        raise DeniedError("only with an API key")
    return actor.key_id


def _joined(key_id: str):  # type: ignore[no-untyped-def]
    """Calls with the key's reference, None for those of others."""
    return (
        select(Call, OpenBooking.reference)
        .outerjoin(Appointment, col(Appointment.visit_id) == col(Call.visit_id))
        .outerjoin(
            OpenBooking,
            (col(OpenBooking.appointment_id) == col(Appointment.id)) & (col(OpenBooking.key_id) == key_id),
        )
    )


async def _booking(session: AsyncSession, key_id: str, reference: str) -> tuple[OpenBooking, Appointment] | None:
    query = (
        select(OpenBooking, Appointment)
        .join(Appointment, col(Appointment.id) == col(OpenBooking.appointment_id))
        .where(col(OpenBooking.key_id) == key_id, col(OpenBooking.reference) == reference)
    )
    found = (await session.execute(query)).first()
    return (found[0], found[1]) if found else None


async def _own_booking(session: AsyncSession, key_id: str, reference: str) -> tuple[OpenBooking, Appointment]:
    found = await _booking(session, key_id, reference)
    if found is None:
        raise NotFoundError("there is no such appointment", code="appointment.not_found")
    return found


async def _call_of(session: AsyncSession, row: Appointment) -> str | None:
    if row.visit_id is None:
        return None
    newest = select(Call.id).where(col(Call.visit_id) == row.visit_id).order_by(col(Call.queued_at).desc()).limit(1)
    return (await session.scalars(newest)).first()


def _call(call: Call, reference: str | None) -> OpenCall:
    return OpenCall(
        call_id=call.id,
        reference=reference,
        business_code=call.business_code,
        state=call.state,
        queued_at=call.queued_at,
        accepted_at=call.accepted_at,
        connected_at=call.connected_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
    )
