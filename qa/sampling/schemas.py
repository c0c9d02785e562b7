"""Bodies and answers of sample plans, draws and conflicts (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.wire import Id, Line, Share, Version

DimensionName = Literal["teller", "team", "business", "risk", "score", "flags", "duration"]
Code = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1000)]


class RateBody(BaseModel):
    """Another percentage for calls of one class."""

    model_config = ConfigDict(extra="forbid")

    dimension: DimensionName
    value: Code
    percent: Percent


class PlanBody(BaseModel):
    """What a plan orders; the meaning of each field is told by `qa.sampling.plan.Plan`."""

    model_config = ConfigDict(extra="forbid")

    period: Literal["day", "week", "month"] = "day"
    strata: list[DimensionName] = ["teller"]
    percent: Percent = 5
    rates: Annotated[list[RateBody], Field(max_length=40)] = []
    minimum: Count = 1
    rollover: Count = 0
    risk_weighted: bool = True
    all_fatal: bool = True
    businesses: Annotated[list[Code], Field(max_length=100)] = []
    teams: Annotated[list[Code], Field(max_length=100)] = []
    min_duration_s: Annotated[int, Field(ge=0, le=86_400)] = 10
    cap: Annotated[int, Field(ge=1, le=1000)] = 40
    due_days: Annotated[int, Field(ge=1, le=90)] = 3


class PlanView(BaseModel):
    """A plan and where it stands. `owed`: calls that earlier periods could not give, by teller's name."""

    plan_id: str
    name: str
    enabled: bool
    version: int
    plan: PlanBody
    drawn_until: datetime
    next_draw_at: datetime
    owed: dict[str, int]


class DrawView(BaseModel):
    """One draw in short."""

    draw_id: str
    plan_id: str
    plan_name: str
    period_from: datetime
    period_to: datetime
    seed: str
    frame_size: int
    frame_sha256: str
    picked: int
    fatal: int
    unassigned: int
    drawn_by: str
    drawn_at: datetime


class PlanList(BaseModel):
    """All plans, and the newest draws of all of them. `teams`: names in use."""

    plans: list[PlanView]
    draws: list[DrawView]
    teams: list[str]


class PickView(BaseModel):
    """A drawn call."""

    call_id: str
    number: int
    reason: Literal["fatal", "share", "minimum"]
    stratum: str
    inspector_name: str | None


class DrawDetail(DrawView):
    """A draw with its picks, in the order in which they were drawn."""

    picks: list[PickView]


class ReplayView(BaseModel):
    """The draw done again from what was recorded: plan, frame, seed. `same`: pick for pick."""

    same: bool
    frame_sha256: str
    picked: int
    differences: list[str]


class PlanRequest(BaseModel):
    """A new plan, or a change of one (then with the version that was seen)."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    enabled: bool = True
    version: Version = 0
    plan: PlanBody


class DrawRequest(BaseModel):
    """Draw now, from calls that ended since the last draw."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z_\-]*$")] = ""


class ConflictRequest(BaseModel):
    """An inspector does not inspect this teller, or this team: exactly one of them."""

    model_config = ConfigDict(extra="forbid")

    inspector_id: Id
    teller_id: Id | None = None
    team: Line | None = None
    reason: Line


class ConflictView(BaseModel):
    """A declared conflict of interest."""

    conflict_id: str
    inspector_name: str
    teller_name: str | None
    team: str | None
    reason: str
    created_at: datetime


class PersonView(BaseModel):
    """A member of staff to choose from. `open_tasks` of inspectors."""

    staff_id: str
    name: str
    staff_number: str
    team: str | None
    roles: list[str]
    open_tasks: int


class PeopleView(BaseModel):
    """Who inspects and who is inspected, with the declared conflicts. `load`: share of open tasks that are overdue."""

    people: list[PersonView]
    conflicts: list[ConflictView]
    load: Share
