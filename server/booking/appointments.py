"""Booking a time, checking in, cancelling. With `callbacks` the only writer of its table."""

import secrets
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.ids import new_id
from core.models.booking import Appointment
from core.models.visit import Visit
from core.ports.booking import SlotCalendar
from core.ports.notices import Notice, Notices, Recipient
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, system_actor
from core.security.keys import MasterKey, unwrap_key, wrap_key
from server.booking.schemas import AppointmentRequest, AppointmentView, SlotView

DAYS = 7
REMIND = timedelta(minutes=30)
GRACE = timedelta(minutes=30)  # after its end an appointment nobody came to is missed
PER_HOUR = 20
_CHINA = ZoneInfo("Asia/Shanghai")
_LOCK = 0x424F4F4B  # "BOOK": advisory lock that keeps two bookings from sharing a last place


class AppointmentBook:
    """Appointments. A code is eight random digits; guessing is limited per address."""

    def __init__(
        self, database: Database, calendar: SlotCalendar, notices: Notices, master_key: MasterKey, limiter: RateLimiter
    ) -> None:
        self._database = database
        self._calendar = calendar
        self._notices = notices
        self._master_key = master_key
        self._limiter = limiter
        self._system = system_actor("booking")

    async def slots(self, business_code: str) -> list[SlotView]:
        """Times of the coming week with places left. NotFoundError ``business.not_found``."""
        return [
            SlotView(starts_at=begin, ends_at=end, free=free) for begin, end, free in await self.free(business_code)
        ]

    async def free(self, business_code: str) -> list[tuple[datetime, datetime, int]]:
        """Implements `core.ports.booking.AppointmentPlaces`."""
        now = self._database.clock.now()
        async with self._database.read() as session:
            slots = await self._calendar.slots(session, business_code, now, DAYS)
            taken = await _taken(session, business_code, now)
        left = [(begin, end, slots.capacity - taken.get(begin, 0)) for begin, end in slots.spans]
        return [(begin, end, free) for begin, end, free in left if free > 0]

    async def book(self, request: AppointmentRequest, address: str | None) -> AppointmentView:
        """Book a time.

        Raises:
            ConflictError: ``slot.gone`` when it is no such time, over or full. RateLimitedError.
        """
        await self._limiter.hit(f"book:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.unit_of_work(self._system) as work:
            row = await self.place(work, request.business_code, request.starts_at, request.phone, request.language)
        return _view(row)

    async def place(
        self, work: UnitOfWork, business_code: str, starts_at: datetime, phone: str, language: str
    ) -> Appointment:
        """Implements `core.ports.booking.AppointmentPlaces`."""
        span = await self._free_span(work, business_code, starts_at)
        booked_id = new_id("appointment")
        row = Appointment(
            id=booked_id,
            code=await _free_code(work),
            business_code=business_code,
            starts_at=span[0],
            ends_at=span[1],
            language=language,
            contact=wrap_key(self._master_key, phone.encode(), booked_id),
            contact_masked=masked(phone),
            state="booked",
            created_at=work.clock.now(),
        )
        work.session.add(row)
        work.audit("appointment.book", "appointment", row.id, starts_at=span[0].isoformat())
        return row

    async def find(self, code: str, address: str | None) -> AppointmentView:
        """A booked time by its code. NotFoundError ``appointment.not_found``."""
        await self._limiter.hit(f"appointment:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.read() as session:
            row = (await session.scalars(select(Appointment).where(col(Appointment.code) == code))).first()
        if row is None:
            raise _unknown()
        return _view(row)

    async def cancel(self, code: str, address: str | None) -> AppointmentView:
        """Give the time back. ConflictError ``appointment.over`` when it was used or missed."""
        await self._limiter.hit(f"appointment:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.unit_of_work(self._system) as work:
            return _view(await self.give_back(work, code))

    async def give_back(self, work: UnitOfWork, code: str) -> Appointment:
        """Implements `core.ports.booking.AppointmentPlaces`."""
        row = await _lock(work, code)
        if row.state not in ("booked", "cancelled"):
            raise ConflictError("this appointment is over", code="appointment.over")
        if row.state == "booked":
            row.state = "cancelled"
            work.audit("appointment.cancel", "appointment", row.id)
        return row

    async def move(self, code: str, starts_at: datetime, address: str | None) -> AppointmentView:
        """Another time under the same number; what was handed in stays with it.

        Raises:
            NotFoundError: ``appointment.not_found``. ConflictError: ``appointment.over``, ``slot.gone``.
        """
        await self._limiter.hit(f"appointment:{address_key(address)}", PER_HOUR, 3600)
        async with self._database.unit_of_work(self._system) as work:
            row = await _lock(work, code)
            if row.state != "booked":
                raise ConflictError("this appointment is over", code="appointment.over")
            if row.starts_at != starts_at:
                before = row.starts_at
                row.starts_at, row.ends_at = await self._free_span(work, row.business_code, starts_at)
                row.reminded_at = None
                after = row.starts_at.isoformat()
                work.audit("appointment.move", "appointment", row.id, before=before.isoformat(), after=after)
        return _view(row)

    async def _free_span(self, work: UnitOfWork, business_code: str, starts_at: datetime) -> tuple[datetime, datetime]:
        """A time with a place left, that nobody else can take until the unit of work ends."""
        await work.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        now = work.clock.now()
        slots = await self._calendar.slots(work.session, business_code, now, DAYS)
        span = next((span for span in slots.spans if span[0] == starts_at), None)
        taken = await _taken(work.session, business_code, now)
        if span is None or taken.get(span[0], 0) >= slots.capacity:
            raise ConflictError("this time is not free any more", code="slot.gone")
        return span

    async def check_in(self, actor: Actor, code: str) -> AppointmentView:
        """The visit is the booked one: it comes into the queue ahead of others, at any hour.

        Raises:
            NotFoundError: ``appointment.not_found``, also for another business. ConflictError: ``appointment.over``.
        """
        await self._limiter.hit(f"check-in:{actor.name}", PER_HOUR, 3600)
        async with self._database.unit_of_work(actor) as work:
            row = await _lock(work, code)
            visit = await work.session.get(Visit, actor.visit_id or "")
            if visit is None or visit.business_code != row.business_code:
                raise _unknown()
            if row.state == "booked":
                row.state, row.visit_id, row.checked_in_at = "checked_in", visit.id, work.clock.now()
                work.audit("appointment.check_in", "appointment", row.id, visit=visit.id)
            elif row.visit_id != visit.id:
                raise ConflictError("this appointment is over", code="appointment.over")
        return _view(row)

    async def look(self) -> int:
        """Remind of what is near, note what was missed. Returns how many were reminded. Any number may run."""
        reminded = 0
        async with self._database.unit_of_work(self._system) as work:
            now = work.clock.now()
            due = select(Appointment).where(
                col(Appointment.state) == "booked", col(Appointment.starts_at) <= now + REMIND
            )
            for row in (await work.session.scalars(due.with_for_update(skip_locked=True))).all():
                if row.ends_at + GRACE <= now:
                    row.state = "missed"
                elif row.reminded_at is None and row.starts_at > now:
                    row.reminded_at = now
                    await self._notices.queue(work, self._reminder(row))
                    reminded += 1
        return reminded

    def _reminder(self, row: Appointment) -> Notice:
        phone = unwrap_key(self._master_key, row.contact, row.id).decode()
        at = row.starts_at.astimezone(_CHINA).strftime("%H:%M")
        if row.language == "en":
            title, words = "Your appointment", f"Your appointment is at {at}. Number {row.code}."
        else:
            title, words = "预约提醒", f"您预约了今天 {at} 的视频柜台服务，预约号 {row.code}。"
        return Notice("appointment.reminder", title, words, Recipient(phone=phone), subject_id=row.id)


def masked(phone: str) -> str:
    """As it is shown."""
    return f"{phone[:3]}****{phone[-4:]}"


async def _taken(session: AsyncSession, business_code: str, now: datetime) -> dict[datetime, int]:
    query = select(Appointment.starts_at, func.count()).where(
        col(Appointment.business_code) == business_code,
        col(Appointment.starts_at) > now,
        col(Appointment.state).in_(["booked", "checked_in"]),
    )
    found = (await session.execute(query.group_by(col(Appointment.starts_at)))).all()
    return {starts_at: count for starts_at, count in found if count}


async def _free_code(work: UnitOfWork) -> str:
    while True:
        code = f"{secrets.randbelow(10**8):08d}"
        if (await work.session.scalars(select(Appointment.id).where(col(Appointment.code) == code))).first() is None:
            return code


async def _lock(work: UnitOfWork, code: str) -> Appointment:
    query = select(Appointment).where(col(Appointment.code) == code).with_for_update()
    row = (await work.session.scalars(query)).first()
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such appointment", code="appointment.not_found")


def _view(row: Appointment) -> AppointmentView:
    states: dict[str, Literal["booked", "checked_in", "cancelled", "missed"]] = {
        "booked": "booked",
        "checked_in": "checked_in",
        "cancelled": "cancelled",
    }
    return AppointmentView(
        code=row.code,
        business_code=row.business_code,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        phone_masked=row.contact_masked,
        state=states.get(row.state, "missed"),
    )
