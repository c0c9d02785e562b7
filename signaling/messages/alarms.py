"""Something failed that a person has to see."""

from datetime import datetime

from signaling.messages.base import Payload, Push


class AlarmNotice(Payload):
    """One alarm."""

    id: str
    kind: str
    call_id: str | None
    message: str
    raised_at: datetime


ALARM = Push("alarm", AlarmNotice)


class AlarmOver(Payload):
    """Somebody has seen to an alarm, or what raised it is over."""

    id: str
    cleared_at: datetime


ALARM_CLEARED = Push("alarm.cleared", AlarmOver)
