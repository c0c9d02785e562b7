"""Bodies and answers of the QA reports (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
MonthName = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Key = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
MetricName = Literal[
    "inspected", "passed", "failed", "fatal", "appealed", "decided", "upheld", "late", "on_time", "defect", "item",
    "rule", "rule_confirmed", "rule_rejected", "rectification", "rectification_on_time", "rectification_overdue",
]  # fmt: skip


class RatesView(BaseModel):
    """Figures of a group. Rates are percent; None where there is nothing to count."""

    inspected: int
    average: float | None
    passed: int
    pass_rate: float | None
    fatal: int
    fatal_rate: float | None
    appealed: int
    upheld: int
    upheld_rate: float | None


class GroupView(RatesView):
    """Figures of one teller, team or business."""

    key: str
    name: str
    team: str | None = None


class BucketView(RatesView):
    """Figures of one stretch of time, both days included."""

    first: date
    last: date


class DefectView(BaseModel):
    """How often a kind of defect was found."""

    category: Literal["entry_error", "operation", "verification", "other"]
    count: int
    share: float | None


class ItemDefectView(BaseModel):
    """How often an item of the form lost points."""

    item_id: str
    title_zh: str
    title_en: str
    category: str
    count: int
    lost: float


class RuleFigures(BaseModel):
    """How often a rule hit, and what inspectors said: precision is confirmed by confirmed and rejected, percent."""

    rule_id: str
    label_zh: str
    label_en: str
    kind: str
    hits: int
    confirmed: int
    rejected: int
    precision: float | None


class InspectorView(BaseModel):
    """What an inspector did in the period."""

    key: str
    name: str
    inspected: int
    average: float | None
    pass_rate: float | None
    on_time_rate: float | None
    late: int
    decided: int
    upheld: int
    upheld_rate: float | None


class RectificationFigures(BaseModel):
    """Rectifications opened in the period."""

    opened: int
    effective: int
    on_time: int
    on_time_rate: float | None
    overdue: int


class ReportView(BaseModel):
    """All figures of a period. `scope`: the team a supervisor is confined to."""

    first: date
    last: date
    scope: str | None
    totals: RatesView
    trend: list[BucketView]
    defects: list[DefectView]
    items: list[ItemDefectView]
    tellers: list[GroupView]
    teams: list[GroupView]
    businesses: list[GroupView]
    rules: list[RuleFigures]
    inspectors: list[InspectorView]
    rectifications: RectificationFigures


TrendBy = Literal["quality", "teller", "team", "business", "defect", "rule"]


class DaysView(BaseModel):
    """A stretch of days, both included."""

    first: date
    last: date


class TrendCell(BaseModel):
    """A group's figures in one stretch: `count` is the length of the list behind it, `rate` a percentage beside it."""

    count: int
    rate: float | None


class TrendRow(BaseModel):
    """A group over time. The list behind a cell is that of `metric` and `value`, of the group where `by` is one."""

    key: str
    name_zh: str
    name_en: str
    metric: MetricName
    value: str
    cells: list[TrendCell]


class TrendView(BaseModel):
    """Groups over time, each with a cell per span."""

    by: TrendBy
    spans: list[DaysView]
    rows: list[TrendRow]


class ReportRow(BaseModel):
    """One line of the list behind a number."""

    call_id: str
    number: int
    business_code: str
    teller_name: str
    team: str
    inspector_name: str
    at: datetime | None
    state: str
    score: float | None
    fatal: bool
    note: str


class ReportRows(BaseModel):
    """The list behind a number. `total` is the number."""

    metric: MetricName
    total: int
    items: list[ReportRow]
