"""Alarms for the people in charge, and retrying failed jobs."""

from pydantic import ValidationError
from sqlmodel import col, select

from core.alarms import clear_alarm
from core.db import Database
from core.jobs import retry_failed
from core.models.system import Alarm
from core.security.actor import Actor
from server.wallboard.schemas import AlarmView, FailedJob

SHOWN = 100
OPEN_SHOWN = 1000


class WallboardService:
    """What supervisors and administrators watch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def alarms(self) -> list[AlarmView]:
        """All alarms nobody has seen to, then the last of those that are over; newest first."""
        newest = select(Alarm).order_by(col(Alarm.raised_at).desc(), col(Alarm.id).desc())
        async with self._database.read() as session:
            waiting = await session.scalars(newest.where(col(Alarm.cleared_at).is_(None)).limit(OPEN_SHOWN))
            over = await session.scalars(newest.where(col(Alarm.cleared_at).is_not(None)).limit(SHOWN))
            return [_view(alarm) for alarm in (*waiting, *over)]

    async def clear(self, actor: Actor, alarm_id: str) -> None:
        """A person has seen to it. NotFoundError ``alarm.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            await clear_alarm(work, alarm_id)

    async def retry(self, actor: Actor, job: FailedJob) -> None:
        """Let a failed job run again. ConflictError ``job.not_failed``."""
        await retry_failed(self._database, job.event_id, job.handler, actor)


def _view(alarm: Alarm) -> AlarmView:
    try:
        job = FailedJob.model_validate({name: alarm.fields.get(name) for name in ("event_id", "handler")})
    except ValidationError:
        job = None
    return AlarmView(
        id=alarm.id,
        kind=alarm.kind,
        call_id=alarm.call_id,
        message=alarm.message,
        raised_at=alarm.raised_at,
        cleared_at=alarm.cleared_at,
        job=job,
        lasts=alarm.fields.get("lasts") is True,
    )
