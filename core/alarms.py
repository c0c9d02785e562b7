"""Never silent: a failure that a person has to see becomes a row, a fact and a message on the screens."""

from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.events import AlarmCleared, AlarmRaised
from core.ids import new_id
from core.models.system import Alarm


def raise_alarm(work: UnitOfWork, kind: str, message: str, call_id: str | None = None, **fields: object) -> Alarm:
    """Record an alarm in the running unit of work.

    Args:
        kind: Stable code, e.g. ``recording.failed``.
        message: One sentence for people (English; pages translate by kind).
    """
    alarm = Alarm(
        id=new_id("alarm"),
        kind=kind,
        call_id=call_id,
        message=message,
        fields=fields,
        raised_at=work.clock.now(),
    )
    work.session.add(alarm)
    work.emit(AlarmRaised(at=work.clock.now(), alarm_id=alarm.id, kind=kind, call_id=call_id, message=message))
    return alarm


async def clear_alarm(work: UnitOfWork, alarm_id: str) -> Alarm:
    """A person has seen to it. Clearing twice changes nothing.

    Raises:
        NotFoundError: ``alarm.not_found``.
    """
    alarm = await work.session.get(Alarm, alarm_id, with_for_update=True)
    if alarm is None:
        raise NotFoundError("there is no such alarm", code="alarm.not_found")
    _clear(work, alarm)
    return alarm


async def clear_alarms(work: UnitOfWork, kind: str, **fields: object) -> int:
    """What raised them is over: clear the open alarms of a kind, or those raised with the given fields."""
    query = select(Alarm).where(col(Alarm.kind) == kind, col(Alarm.cleared_at).is_(None)).with_for_update()
    over = [alarm for alarm in await work.session.scalars(query) if fields.items() <= alarm.fields.items()]
    for alarm in over:
        _clear(work, alarm)
    return len(over)


def _clear(work: UnitOfWork, alarm: Alarm) -> None:
    if alarm.cleared_at is None:
        alarm.cleared_at = work.clock.now()
        work.emit(AlarmCleared(at=alarm.cleared_at, alarm_id=alarm.id))
        work.audit("alarm.clear", "alarm", alarm.id, kind=alarm.kind, call_id=alarm.call_id)
