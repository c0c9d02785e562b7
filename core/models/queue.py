"""How queues are routed, opened and announced. Writer: server.acd."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class Strategy(StrEnum):
    """Which of several ready tellers is rung first."""

    LONGEST_IDLE = "longest_idle"
    FEWEST_CALLS = "fewest_calls"
    LEAST_TALK = "least_talk"
    ROUND_ROBIN = "round_robin"


class SkillGroup(SQLModel, table=True):
    """Tellers who can do the same, and how they are rung. A group without a row has the defaults.

    Attributes:
        strategy: One of `Strategy`.
        ring_s: None: the installation's setting.
        reject_delay_s: So long a call that a teller refused does not ring there again.
        missed_limit: Unanswered offers in a row, then the teller is sent on a break.
        overflow_groups: Who helps out, tier by tier: the first after `overflow_after_s`, the next after twice that …
    """

    __tablename__ = "skill_group"

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    strategy: str = Strategy.LONGEST_IDLE
    ring_s: float | None = None
    reject_delay_s: float = 60.0
    missed_limit: int = 3
    overflow_groups: list[str] = json_field(list)
    overflow_after_s: float = 300.0
    version: int = 1


class OpeningCalendar(SQLModel, table=True):
    """When a kind of customer (对私, 对公) is served.

    Attributes:
        hours: Spans of local time by ISO weekday: ``{"1": [["09:00", "17:00"]], …}``; no entry: closed. ``24:00`` is
            the end of a day.
    """

    __tablename__ = "opening_calendar"

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    timezone: str = "Asia/Shanghai"
    hours: dict[str, list[list[str]]] = json_field()
    version: int = 1


class CalendarDay(SQLModel, table=True):
    """A day that is not like its weekday: a holiday, or a working weekend (调休).

    Attributes:
        kind: ``holiday`` or ``workday``. hours: Spans of local time; none: closed.
    """

    __tablename__ = "calendar_day"

    calendar_code: str = Field(primary_key=True, foreign_key="opening_calendar.code")
    day: date = Field(primary_key=True, sa_type=Date)
    kind: str
    name: str = ""
    hours: list[list[str]] = json_field(list)


class ServiceQueue(SQLModel, table=True):
    """One business's queue. A business without a row is always open and takes everybody.

    Attributes:
        customer_kind: ``personal`` (对私) or ``corporate`` (对公).
        points: Head start over other queues of the group, in seconds of waiting.
        cap: How many may wait; None: any number. max_wait_s: Then the customer is offered a callback or a time.
        slot_s / slot_capacity: Length of an appointment's slot and how many may be booked in each.
    """

    __tablename__ = "service_queue"

    business_code: str = Field(primary_key=True, foreign_key="business.code")
    calendar_code: str = Field(foreign_key="opening_calendar.code")
    customer_kind: str = "personal"
    points: int = 0
    cap: int | None = None
    max_wait_s: float | None = None
    slot_s: int = 1800
    slot_capacity: int = 4
    version: int = 1


class QueueNotice(SQLModel, table=True):
    """A line on the waiting page: a notice with validity, or a broadcast to those who wait now.

    Attributes:
        kind: ``notice`` or ``broadcast``. business_code: None: every queue.
    """

    __tablename__ = "queue_notice"

    id: str = Field(primary_key=True)
    kind: str
    business_code: str | None = Field(default=None, foreign_key="business.code")
    text_zh: str
    text_en: str = ""
    valid_from: datetime = utc_field()
    valid_until: datetime = utc_field(index=True)
    created_by: str
    created_at: datetime = utc_field()
    withdrawn_at: datetime | None = utc_field(nullable=True)


class WaitEstimate(SQLModel, table=True):
    """The first range a waiting customer was told, and what became of it.

    Attributes:
        low_s / high_s: As told; None: nobody served the queue.
        waited_s: Until a teller took the call, or the customer gave up. outcome: ``answered`` or the end's reason.
        error_s: 0 within the range, negative when it was shorter, positive when it was longer; only for answered ones.
    """

    __tablename__ = "wait_estimate"

    call_id: str = Field(primary_key=True, foreign_key="call.id")
    told_at: datetime = utc_field(index=True)
    position: int
    low_s: int | None
    high_s: int | None
    waited_s: float | None = None
    error_s: float | None = None
    outcome: str | None = None
