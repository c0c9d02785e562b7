"""The door of the queue: open or not, room or not, and with which head start somebody comes in."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.errors import ConflictError, NotFoundError
from core.models.booking import Appointment, Callback
from core.models.business import Business
from core.models.call import Call, CallState
from core.models.open import EntryPass
from core.models.queue import CalendarDay, OpeningCalendar, ServiceQueue
from core.ports.booking import Slots
from core.ports.call_views import DeclaredClass, QueueStatus
from core.ports.calls import Admission
from server.acd.estimate import estimate
from server.acd.opening import Calendar, closes_at, next_opening, slots
from server.acd.points import booked_points, placed
from server.acd.queue import QueueBoard

_WAITING = (CallState.QUEUED.value, CallState.OFFERED.value)
EARLY = timedelta(minutes=15)  # a booked customer who comes earlier waits like everybody
LATE = timedelta(minutes=30)

_QUEUE_AND_PROMISE = (
    select(ServiceQueue, Callback, Appointment, EntryPass)
    .select_from(Business)
    .outerjoin(ServiceQueue, col(ServiceQueue.business_code) == col(Business.code))
    .outerjoin(
        Callback, (col(Callback.returned_visit_id) == bindparam("visit_id")) & (col(Callback.state) == "returned")
    )
    .outerjoin(
        Appointment, (col(Appointment.visit_id) == bindparam("visit_id")) & (col(Appointment.state) == "checked_in")
    )
    .outerjoin(EntryPass, col(EntryPass.visit_id) == bindparam("visit_id"))
    .where(col(Business.code) == bindparam("business_code"))
    .limit(1)
)


class QueueDoor:
    """Implements `core.ports.calls.QueueEntry` and `core.ports.booking.SlotCalendar`."""

    def __init__(self, board: QueueBoard) -> None:
        self._board = board

    async def admit(
        self, session: AsyncSession, visit_id: str, business: Business, declared: DeclaredClass | None, now: datetime
    ) -> Admission:
        """Let a visit into the queue; see `QueueEntry.admit`."""
        queue, callback, booked, known = await _queue_and_promise(session, business.code, visit_id)
        queue_points = queue.points if queue is not None else 0
        if callback is not None:  # the place was promised, whatever the clock says
            return Admission(callback.queued_at, callback.priority, "standard")
        if booked is not None and booked.starts_at - EARLY <= now <= booked.ends_at + LATE:
            early_s = (booked.starts_at - now).total_seconds()
            return Admission(now, booked_points(queue_points, early_s), "appointment", "booking")
        if queue is not None:
            await self._require_open(session, queue, now)
            await self._require_room(session, queue, business.skill_group)
        return Admission(now, *placed(queue_points, declared, known.customer_class if known else None))

    async def status(self, session: AsyncSession, business_code: str, now: datetime) -> QueueStatus:
        """How a business's queue stands. NotFoundError ``business.not_found``."""
        business = await session.get(Business, business_code)
        if business is None or not business.enabled:
            raise NotFoundError("this business is not offered", code="business.not_found")
        queue = await session.get(ServiceQueue, business_code)
        calendar = await read_calendar(session, queue.calendar_code, now) if queue is not None else None
        until = closes_at(calendar, now) if calendar is not None else None
        waiting = await _waiting_in(session, business_code)
        load = await self._board.load(session, business.skill_group)
        in_group = await _waiting_in_group(session, business.skill_group)
        low_s, high_s = estimate(in_group + 1, load) or (None, None)
        full = queue is not None and queue.cap is not None and waiting >= queue.cap
        too_long = _too_long(queue, low_s)
        return QueueStatus(
            business_code=business_code,
            open=calendar is None or until is not None,
            closes_at=until,
            next_opening=next_opening(calendar, now) if calendar is not None and until is None else None,
            waiting=waiting,
            wait_low_s=low_s,
            wait_high_s=high_s,
            full=full or too_long,
            appointments=queue is not None and queue.slot_capacity > 0,
        )

    async def slots(self, session: AsyncSession, business_code: str, now: datetime, days: int) -> Slots:
        """Times that can be booked; see `core.ports.booking.SlotCalendar`."""
        business = await session.get(Business, business_code)
        if business is None or not business.enabled:
            raise NotFoundError("this business is not offered", code="business.not_found")
        queue = await session.get(ServiceQueue, business_code)
        calendar = await read_calendar(session, queue.calendar_code, now) if queue is not None else None
        if queue is None or calendar is None or queue.slot_capacity == 0:
            return Slots(0, ())
        return Slots(queue.slot_capacity, slots(calendar, now, queue.slot_s, days))

    async def may_come(self, session: AsyncSession, skill_group: str, rank_at: datetime) -> bool:
        """Whether fewer wait before this place than tellers will be free about now."""
        load = await self._board.load(session, skill_group)
        before = select(func.count()).where(
            col(Call.skill_group) == skill_group,
            col(Call.state).in_(_WAITING),
            col(Call.rank_at) < rank_at.astimezone(UTC).replace(tzinfo=None),
        )
        ahead = (await session.scalars(before)).one()
        return load.serving > 0 and ahead <= load.ready

    async def _require_open(self, session: AsyncSession, queue: ServiceQueue, now: datetime) -> None:
        calendar = await read_calendar(session, queue.calendar_code, now)
        if calendar is None or closes_at(calendar, now) is not None:
            return
        opens = next_opening(calendar, now)
        raise ConflictError(
            "this business is closed now", code="queue.closed", next_opening=opens.isoformat() if opens else None
        )

    async def _require_room(self, session: AsyncSession, queue: ServiceQueue, group: str) -> None:
        if queue.cap is not None and await _waiting_in(session, queue.business_code) >= queue.cap:
            raise ConflictError("too many are waiting", code="queue.full")
        if queue.max_wait_s is not None:
            load = await self._board.load(session, group)
            found = estimate(await _waiting_in_group(session, group) + 1, load)
            if found is not None and _too_long(queue, found[0]):
                raise ConflictError("the wait would be too long", code="queue.too_long", wait_low_s=found[0])


def _too_long(queue: ServiceQueue | None, low_s: int | None) -> bool:
    return queue is not None and queue.max_wait_s is not None and low_s is not None and low_s > queue.max_wait_s


async def read_calendar(session: AsyncSession, code: str, now: datetime) -> Calendar | None:
    """A calendar with the special days from yesterday on. None when there is none of that name."""
    row = await session.get(OpeningCalendar, code)
    if row is None:
        return None
    query = select(CalendarDay).where(
        col(CalendarDay.calendar_code) == code, col(CalendarDay.day) >= (now - timedelta(days=1)).date()
    )
    days = (await session.scalars(query)).all()
    return Calendar(
        row.timezone,
        {int(day): [(span[0], span[1]) for span in spans] for day, spans in row.hours.items()},
        {day.day: [(span[0], span[1]) for span in day.hours] for day in days},
    )


async def _waiting_in(session: AsyncSession, business_code: str) -> int:
    query = select(func.count()).where(col(Call.business_code) == business_code, col(Call.state).in_(_WAITING))
    return (await session.scalars(query)).one()


async def _waiting_in_group(session: AsyncSession, group: str) -> int:
    query = select(func.count()).where(col(Call.skill_group) == group, col(Call.state).in_(_WAITING))
    return (await session.scalars(query)).one()


async def _queue_and_promise(
    session: AsyncSession, business_code: str, visit_id: str
) -> tuple[ServiceQueue | None, Callback | None, Appointment | None, EntryPass | None]:
    """A business's queue, what the visit was promised (a call back, a booked time), and how the bank knows it."""
    given = {"business_code": business_code, "visit_id": visit_id}
    queue, callback, booked, known = (await session.execute(_QUEUE_AND_PROMISE, given)).one()
    return queue, callback, booked, known
