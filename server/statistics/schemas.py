"""Bodies and answers of the statistics endpoints (they become the pages' TypeScript types)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

By = Literal["business", "teller", "team", "hour", "day", "month"]
Measure = Literal[
    "offered", "answered", "in_time", "abandoned", "short_abandoned", "handled", "overtime", "rated", "satisfied",
    "low", "settled", "resolved_first", "estimated", "inspected", "faulty",
]  # fmt: skip
Key = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
Month = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class StatsFigures(BaseModel):
    """Figures of one line; None where there is nothing. Shares are 0 to 1. Definitions: docs/statistics.md."""

    offered: int
    answered: int
    in_time: int
    abandoned: int
    short_abandoned: int
    handled: int
    rated: int
    low: int
    service_level: float | None
    answer_rate: float | None
    abandon_rate: float | None
    asa_s: float | None
    aht_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrap_s: float | None
    satisfaction: float | None
    stars: float | None
    response_rate: float | None
    overtime: int
    overtime_rate: float | None
    resolved_first: int
    settled: int
    fcr: float | None
    occupancy: float | None
    ewt_error_s: float | None


class StatsRow(BaseModel):
    """One line of a report. `key` None: calls without such a thing (nobody took them, no team)."""

    key: str | None
    label_zh: str
    label_en: str
    figures: StatsFigures


class StatsReport(BaseModel):
    """A report over whole local days, both inclusive."""

    by: By
    since: date
    until: date
    rows: list[StatsRow]
    total: StatsFigures


class StatsCall(BaseModel):
    """A call behind a number: times and outcome, nothing of what was said."""

    call_id: str
    number: int
    business_code: str
    teller_name: str | None
    queued_at: datetime
    wait_s: float | None
    in_call_s: float | None
    end_reason: str | None
    disposition: str | None
    stars: int | None


class StatsCalls(BaseModel):
    """The calls a number counts: how many, and the newest of them."""

    count: int
    calls: list[StatsCall]


class RadarParts(BaseModel):
    """The four parts alone, 0 to 100."""

    satisfaction: Decimal | None
    volume: Decimal | None
    errors: Decimal | None
    peers: Decimal | None


class RadarRow(RadarParts):
    """A teller's month. Parts are 0 to 100; None: nothing to judge by.

    Attributes:
        marks: How many colleagues have marked; `peers` counts from `core.figures.radar.MARKS_NEEDED` on.
        before: The total of the month before.
    """

    teller_id: str
    display_name: str
    team: str | None
    answered: int
    marks: int
    total: Decimal | None
    before: Decimal | None


class OwnMonth(BaseModel):
    """A teller's own month beside the middle of all tellers, and what colleagues wrote, nobody knows who.

    Attributes:
        row: None: no calls and no marks in this month. comments: None until enough colleagues have marked.
    """

    month: str
    row: RadarRow | None
    usual: RadarParts
    comments: list[str] | None


class TeamMonth(BaseModel):
    """All tellers' month, best first, and the middle of their parts."""

    month: str
    rows: list[RadarRow]
    usual: RadarParts


class PeerRow(BaseModel):
    """Somebody to review, with the marks given before."""

    teller_id: str
    display_name: str
    staff_number: str
    score: Decimal | None
    comment: str


class PeerReviewRequest(BaseModel):
    """Marks for a colleague's month; given again, they replace the earlier ones."""

    model_config = ConfigDict(extra="forbid")

    month: Month
    teller_id: Key
    score: Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")] = ""


class ForecastSlot(BaseModel):
    """Half an hour: expected and, once it has been, real calls; tellers needed for the aim."""

    at: str
    expected: float
    real: int | None
    tellers: int
    tellers_patient: int


class LoadForecast(BaseModel):
    """A day per half hour. `error`: of the same rule over the last days, 0 to 1 (weighted absolute percentage error).

    Attributes:
        tellers / tellers_patient: By Erlang A with the patience measured, and by Erlang C where nobody gives up.
    """

    day: date
    error: float | None
    aht_s: float
    patience_s: float
    service_level: float
    within_s: int
    slots: list[ForecastSlot]


class DutyAlert(BaseModel):
    """Somebody who is due for another post (轮岗) or for compulsory leave (强制休假)."""

    staff_id: str
    display_name: str
    staff_number: str
    kind: Literal["rotation", "forced_leave"]
    since: datetime | None
    due_at: datetime | None
    overdue: bool


class OwnFigures(BaseModel):
    """A teller's own day."""

    answered: int
    aht_s: float | None
    satisfaction: float | None
    rated: int
    low: int
    overtime: int
    occupancy: float | None


class HistoryRow(BaseModel):
    """An earlier call of the customer at hand."""

    number: int
    business_code: str
    at: datetime
    teller_name: str | None
    disposition: str | None
    note: str | None
    stars: int | None
    tickets: int


class CustomerHistory(BaseModel):
    """What the counter knows of the customer at hand from earlier calls."""

    calls: list[HistoryRow]
