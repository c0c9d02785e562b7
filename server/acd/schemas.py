"""Bodies and answers of queues, notices and colleagues (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from core.ports.call_views import QueueStatus

_NO_NUL = r"^[^\x00]*$"
Words = Annotated[str, StringConstraints(max_length=300, pattern=_NO_NUL)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
OpenSpan = Annotated[list[Clock], Field(min_length=2, max_length=2)]


class NoticeRequest(BaseModel):
    """A notice with validity, or a broadcast, which is valid at once and for half an hour unless said otherwise."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["notice", "broadcast"]
    business_code: Code | None = None
    text_zh: Annotated[Words, StringConstraints(min_length=1)]
    text_en: Words = ""
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class NoticeView(BaseModel):
    """A line on the waiting page. `business_code` null: every queue."""

    id: str
    kind: Literal["notice", "broadcast"]
    business_code: str | None
    text_zh: str
    text_en: str
    valid_from: datetime
    valid_until: datetime
    withdrawn_at: datetime | None


class QueueStatusView(QueueStatus):
    """As `core.ports.calls.QueueStatus`."""


class Colleague(BaseModel):
    """Somebody a call can be handed to, or asked into it. `free`: can be asked right now."""

    staff_id: str
    display_name: str
    staff_number: str
    roles: list[str]
    skill_groups: list[str]
    state: str
    free: bool


class SkillGroupView(BaseModel):
    """A skill group as a target of a transfer, with how many wait and how many are ready."""

    code: str
    name_zh: str
    name_en: str
    waiting: int
    ready: int


class Colleagues(BaseModel):
    """Whom a teller can turn to."""

    staff: list[Colleague]
    groups: list[SkillGroupView]


class GroupConfigRequest(BaseModel):
    """How a skill group is rung. `version`: of the row that was shown; 0 for a new one."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Annotated[Words, StringConstraints(min_length=1)]
    name_en: Words
    strategy: Literal["longest_idle", "fewest_calls", "least_talk", "round_robin"]
    ring_s: Annotated[float, Field(ge=5, le=120)] | None = None
    reject_delay_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    missed_limit: Annotated[int, Field(ge=1, le=10)] = 3
    overflow_groups: Annotated[list[Code], Field(max_length=10)] = []
    overflow_after_s: Annotated[float, Field(ge=0, le=7200)] = 300.0
    version: int


class GroupConfigView(GroupConfigRequest):
    """As stored."""

    code: str


class QueueConfigRequest(BaseModel):
    """How a business's queue is opened and limited."""

    model_config = ConfigDict(extra="forbid")

    calendar_code: Code
    customer_kind: Literal["personal", "corporate"] = "personal"
    points: Annotated[int, Field(ge=0, le=1500)] = 0
    cap: Annotated[int, Field(ge=0, le=100_000)] | None = None
    max_wait_s: Annotated[float, Field(ge=60, le=86_400)] | None = None
    slot_s: Annotated[int, Field(ge=300, le=7200)] = 1800
    slot_capacity: Annotated[int, Field(ge=0, le=1000)] = 4
    version: int


class QueueConfigView(QueueConfigRequest):
    """As stored."""

    business_code: str


class CalendarDayView(BaseModel):
    """A holiday, or a working weekend. No hours: closed."""

    model_config = ConfigDict(extra="forbid")

    day: date
    kind: Literal["holiday", "workday"]
    name: Words = ""
    hours: Annotated[list[OpenSpan], Field(max_length=6)] = []


class CalendarRequest(BaseModel):
    """Opening hours by ISO weekday ("1" is Monday) and by special day."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Annotated[Words, StringConstraints(min_length=1)]
    name_en: Words
    timezone: Annotated[str, StringConstraints(max_length=64)] = "Asia/Shanghai"
    hours: dict[Literal["1", "2", "3", "4", "5", "6", "7"], list[OpenSpan]]
    days: Annotated[list[CalendarDayView], Field(max_length=400)] = []
    version: int


class CalendarView(CalendarRequest):
    """As stored."""

    code: str


class OpeningNow(BaseModel):
    """What a calendar means at this moment. `next_opening` null: open, or closed for a month and longer."""

    calendar_code: str
    closes_at: datetime | None
    next_opening: datetime | None


class OfferedBusiness(BaseModel):
    """A business, whether it is offered, and who serves it."""

    code: str
    name_zh: str
    name_en: str
    skill_group: str
    enabled: bool


class RoutingView(BaseModel):
    """All of the routing's set-up. `members`: active tellers by skill group."""

    groups: list[GroupConfigView]
    queues: list[QueueConfigView]
    calendars: list[CalendarView]
    businesses: list[OfferedBusiness]
    opening: list[OpeningNow]
    members: dict[str, int]
