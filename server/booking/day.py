"""A day's bookings and callbacks, for staff. Reads only."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database
from core.models.booking import Appointment, Callback
from core.models.call import Call
from core.models.case import EarlyDocument
from server.booking.schemas import BookingDay, BookingRow, CallbackRow

_CHINA = ZoneInfo("Asia/Shanghai")
LISTED = 500
_SHOWN = {"id", "business_code", "starts_at", "ends_at", "language", "state", "checked_in_at"}


class DayBook:
    """What is booked, who has come, and how long they waited."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day(self, wanted: date | None) -> BookingDay:
        """A day in the bank's time zone; None: today."""
        shown = wanted or self._database.clock.now().astimezone(_CHINA).date()
        begin = datetime.combine(shown, time(), _CHINA)
        end = begin + timedelta(days=1)
        async with self._database.read() as session:
            booked = select(Appointment).where(col(Appointment.starts_at) >= begin, col(Appointment.starts_at) < end)
            rows = (await session.scalars(booked.order_by(col(Appointment.starts_at)).limit(LISTED))).all()
            asked = select(Callback).where(col(Callback.created_at) >= begin, col(Callback.created_at) < end)
            calls = (await session.scalars(asked.order_by(col(Callback.queued_at)).limit(LISTED))).all()
            return BookingDay(
                day=shown,
                appointments=await _rows(session, rows),
                callbacks=[CallbackRow.model_validate(_callback(row)) for row in calls],
            )


async def _rows(session: AsyncSession, rows: Sequence[Appointment]) -> list[BookingRow]:
    ids = [row.id for row in rows]
    counted = select(EarlyDocument.appointment_id, func.count()).where(col(EarlyDocument.appointment_id).in_(ids))
    grouped = counted.group_by(col(EarlyDocument.appointment_id))
    papers = {row[0]: row[1] for row in (await session.execute(grouped)).all()}
    visits = [row.visit_id for row in rows if row.visit_id is not None]
    newest = select(Call).where(col(Call.visit_id).in_(visits)).order_by(col(Call.number))
    calls = {call.visit_id: call for call in (await session.scalars(newest)).all()}
    return [_row(row, papers.get(row.id, 0), calls.get(row.visit_id or "")) for row in rows]


def _row(row: Appointment, documents: int, call: Call | None) -> BookingRow:
    waited_s = None
    if call is not None and call.accepted_at is not None:
        waited_s = max(0.0, (call.accepted_at - max(call.queued_at, row.starts_at)).total_seconds())
    return BookingRow.model_validate(
        {
            **row.model_dump(include=_SHOWN),
            "phone_masked": row.contact_masked,
            "reminded": row.reminded_at is not None,
            "documents": documents,
            "call_number": call.number if call else None,
            "call_state": call.state if call else None,
            "waited_s": waited_s,
        }
    )


def _callback(row: Callback) -> dict[str, object]:
    shown = row.model_dump(include={"id", "business_code", "language", "state", "queued_at", "created_at", "called_at"})
    return {**shown, "phone_masked": row.contact_masked}
