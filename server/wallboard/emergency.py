"""The emergency switch (应急预案): notice to customers, entry stopped, queue sent away; drills with the same log."""

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError
from core.events import EmergencyEnded, EmergencyStarted
from core.ids import new_id
from core.models.oversight import Emergency
from core.models.staff import Staff
from core.ports.wallboard import QueueClearing
from core.security.actor import Actor
from server.wallboard.schemas import EmergencyRequest, EmergencyView, ServiceNotice

SHOWN = 100


class EmergencySwitch:
    """The only writer of `Emergency`."""

    def __init__(self, database: Database, queue: QueueClearing) -> None:
        self._database = database
        self._queue = queue

    async def start(self, actor: Actor, request: EmergencyRequest) -> EmergencyView:
        """Throw it.

        Raises:
            ConflictError: ``emergency.running``: one at a time, so that nobody wonders which notice counts.
        """
        staff_id = _staff(actor)
        async with self._database.unit_of_work(actor) as work:
            await work.session.get_one(Staff, staff_id, with_for_update=True)
            if (await work.session.scalars(_running())).first() is not None:
                raise ConflictError("there is an emergency already", code="emergency.running")
            now = work.clock.now()
            row = Emergency(
                id=new_id("emergency"),
                event_class=request.event_class,
                drill=request.drill,
                notice_zh=request.notice_zh,
                notice_en=request.notice_en,
                stop_entry=request.stop_entry,
                started_by=staff_id,
                started_at=now,
            )
            work.session.add(row)
            work.emit(EmergencyStarted(at=now, emergency_id=row.id, drill=row.drill, stop_entry=row.stop_entry))
            work.audit("emergency.start", "emergency", row.id, **request.model_dump())
        if request.reschedule and not request.drill:
            moved = await self._queue.reschedule_waiting(actor)
            async with self._database.unit_of_work(actor) as work:
                row = await work.session.get_one(Emergency, row.id, with_for_update=True)
                row.moved_calls = moved
                work.audit("emergency.reschedule", "emergency", row.id, moved=moved)
        return await self._view(row)

    async def end(self, actor: Actor, emergency_id: str, review: str) -> EmergencyView:
        """It is over; what was learnt is written down.

        Raises:
            NotFoundError: ``emergency.not_found``. ConflictError: ``emergency.over``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(Emergency, emergency_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such emergency", code="emergency.not_found")
            if row.ended_at is not None:
                raise ConflictError("it is over", code="emergency.over")
            row.ended_at, row.ended_by, row.review = work.clock.now(), _staff(actor), review
            work.emit(EmergencyEnded(at=row.ended_at, emergency_id=row.id))
            work.audit("emergency.end", "emergency", row.id, review=review)
        return await self._view(row)

    async def log(self) -> list[EmergencyView]:
        """Emergencies and drills, newest first."""
        async with self._database.read() as session:
            rows = (
                await session.scalars(select(Emergency).order_by(col(Emergency.started_at).desc()).limit(SHOWN))
            ).all()
        return [await self._view(row) for row in rows]

    async def notice(self) -> ServiceNotice:
        """What customers are told now. Drills are not for them."""
        async with self._database.read() as session:
            row = (await session.scalars(_running().where(col(Emergency.drill).is_(False)))).first()
        if row is None:
            return ServiceNotice(notice_zh="", notice_en="", entry_stopped=False)
        return ServiceNotice(notice_zh=row.notice_zh, notice_en=row.notice_en, entry_stopped=row.stop_entry)

    async def _view(self, row: Emergency) -> EmergencyView:
        ids = [staff_id for staff_id in (row.started_by, row.ended_by) if staff_id]
        async with self._database.read() as session:
            named = select(Staff).where(col(Staff.id).in_(ids))
            names = {staff.id: staff.display_name for staff in (await session.scalars(named)).all()}
        return EmergencyView(
            id=row.id,
            event_class=row.event_class,
            drill=row.drill,
            notice_zh=row.notice_zh,
            notice_en=row.notice_en,
            stop_entry=row.stop_entry,
            moved_calls=row.moved_calls,
            started_by=names.get(row.started_by, ""),
            started_at=row.started_at,
            ended_by=names.get(row.ended_by) if row.ended_by else None,
            ended_at=row.ended_at,
            review=row.review,
        )


def _running() -> SelectOfScalar[Emergency]:
    return select(Emergency).where(col(Emergency.ended_at).is_(None)).limit(1)


def _staff(actor: Actor) -> str:
    if actor.staff_id is None:
        raise DeniedError("only staff may do this")
    return actor.staff_id
