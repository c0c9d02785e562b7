"""Setting up groups, queues and calendars: read whole, changed one at a time by compare-and-set on the version."""

from collections import Counter
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.business import Business
from core.models.queue import CalendarDay, OpeningCalendar, ServiceQueue, SkillGroup
from core.models.staff import Staff
from core.security.actor import Actor
from server.acd.door import read_calendar
from server.acd.opening import closes_at, next_opening, overlapping
from server.acd.schemas import (
    CalendarDayView,
    CalendarRequest,
    CalendarView,
    GroupConfigRequest,
    GroupConfigView,
    OfferedBusiness,
    OpeningNow,
    QueueConfigRequest,
    QueueConfigView,
    RoutingView,
)

Row = TypeVar("Row", SkillGroup, ServiceQueue, OpeningCalendar)


class RoutingSetup:
    """The only writer of `SkillGroup`, `ServiceQueue`, `OpeningCalendar` and `CalendarDay` after the seed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> RoutingView:
        """Everything."""
        async with self._database.read() as session:
            groups = (await session.scalars(select(SkillGroup).order_by(col(SkillGroup.code)))).all()
            queues = (await session.scalars(select(ServiceQueue).order_by(col(ServiceQueue.business_code)))).all()
            calendars = (await session.scalars(select(OpeningCalendar).order_by(col(OpeningCalendar.code)))).all()
            businesses = (await session.scalars(select(Business).order_by(col(Business.position)))).all()
            return RoutingView(
                groups=[GroupConfigView.model_validate(row.model_dump()) for row in groups],
                queues=[QueueConfigView.model_validate(row.model_dump()) for row in queues],
                calendars=[await _calendar_view(session, row) for row in calendars],
                businesses=[OfferedBusiness.model_validate(row.model_dump()) for row in businesses],
                opening=[await self._now(session, row.code) for row in calendars],
                members=await _members(session),
            )

    async def _now(self, session: AsyncSession, code: str) -> OpeningNow:
        now = self._database.clock.now()
        calendar = await read_calendar(session, code, now)
        until = closes_at(calendar, now) if calendar is not None else None
        opens = next_opening(calendar, now) if calendar is not None and until is None else None
        return OpeningNow(calendar_code=code, closes_at=until, next_opening=opens)

    async def set_group(self, actor: Actor, code: str, request: GroupConfigRequest) -> GroupConfigView:
        """Change or add a group.

        Raises:
            BadInputError: ``setup.own_overflow``. NotFoundError: ``group.not_found``, of a group that shall help out.
            ConflictError: ``setup.stale`` when somebody else was faster.
        """
        if code in request.overflow_groups:
            raise BadInputError("a group cannot help itself out", code="setup.own_overflow")
        async with self._database.unit_of_work(actor) as work:
            known = (await work.session.scalars(select(SkillGroup.code))).all()
            if not set(request.overflow_groups) <= set(known):
                raise NotFoundError("there is no such group", code="group.not_found")
            row = await work.session.get(SkillGroup, code, with_for_update=True)
            before = row.model_dump(mode="json") if row is not None else None
            _require_version(row.version if row is not None else 0, request.version)
            values = request.model_dump() | {"version": request.version + 1}
            row = await _put(work.session, row or SkillGroup(code=code, name_zh="", name_en=""), values)
            work.audit("setup.group", "skill_group", code, before=before, after=request.model_dump(mode="json"))
            return GroupConfigView.model_validate(row.model_dump())

    async def set_queue(self, actor: Actor, business_code: str, request: QueueConfigRequest) -> QueueConfigView:
        """Change or add a business's queue. NotFoundError ``business.not_found``, ``calendar.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            if await work.session.get(Business, business_code) is None:
                raise NotFoundError("there is no such business", code="business.not_found")
            if await work.session.get(OpeningCalendar, request.calendar_code) is None:
                raise NotFoundError("there is no such calendar", code="calendar.not_found")
            row = await work.session.get(ServiceQueue, business_code, with_for_update=True)
            before = row.model_dump(mode="json") if row is not None else None
            _require_version(row.version if row is not None else 0, request.version)
            fresh = ServiceQueue(business_code=business_code, calendar_code=request.calendar_code)
            row = await _put(work.session, row or fresh, request.model_dump() | {"version": request.version + 1})
            work.audit("setup.queue", "service_queue", business_code, before=before, after=request.model_dump())
            return QueueConfigView.model_validate(row.model_dump())

    async def set_calendar(self, actor: Actor, code: str, request: CalendarRequest) -> CalendarView:
        """Change or add a calendar with its special days.

        Raises:
            BadInputError: ``calendar.timezone``, ``calendar.span`` (backwards or overlapping), ``calendar.day_twice``.
            ConflictError: ``setup.stale`` when somebody else was faster.
        """
        try:
            ZoneInfo(request.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadInputError("there is no such time zone", code="calendar.timezone") from None
        of_days = [*request.hours.values(), *(day.hours for day in request.days)]
        if any(overlapping([(span[0], span[1]) for span in spans]) for spans in of_days):
            raise BadInputError("spans begin before they end and do not overlap", code="calendar.span")
        if len({day.day for day in request.days}) < len(request.days):
            raise BadInputError("a special day is named once", code="calendar.day_twice")
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(OpeningCalendar, code, with_for_update=True)
            before = (await _calendar_view(work.session, row)).model_dump(mode="json") if row is not None else None
            _require_version(row.version if row is not None else 0, request.version)
            values = request.model_dump(exclude={"days"}) | {"version": request.version + 1}
            row = await _put(work.session, row or OpeningCalendar(code=code, name_zh="", name_en=""), values)
            await work.session.execute(delete(CalendarDay).where(col(CalendarDay.calendar_code) == code))
            for day in request.days:
                work.session.add(CalendarDay(calendar_code=code, **day.model_dump()))
            await work.session.flush()
            after = request.model_dump(mode="json")
            work.audit("setup.calendar", "opening_calendar", code, before=before, after=after)
            return await _calendar_view(work.session, row)


def _require_version(stored: int, shown: int) -> None:
    if stored != shown:
        raise ConflictError("somebody else has changed this", code="setup.stale", version=stored)


async def _put(session: AsyncSession, row: Row, values: dict[str, object]) -> Row:
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    await session.flush()
    return row


async def _members(session: AsyncSession) -> dict[str, int]:
    active = (await session.scalars(select(Staff).where(col(Staff.active).is_(True)))).all()
    return Counter(group for staff in active if "teller" in staff.roles for group in staff.skill_groups)


async def _calendar_view(session: AsyncSession, row: OpeningCalendar) -> CalendarView:
    query = select(CalendarDay).where(col(CalendarDay.calendar_code) == row.code).order_by(col(CalendarDay.day))
    days = [
        CalendarDayView.model_validate(day.model_dump(exclude={"calendar_code"}))
        for day in (await session.scalars(query)).all()
    ]
    return CalendarView.model_validate(row.model_dump() | {"days": days})
