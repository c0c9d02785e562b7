"""Sample plans, draws and the inspectors' tasks. Writer: qa.sampling (tasks also qa.desk: done)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class SamplePlan(SQLModel, table=True):
    """A standing order: which share of which calls is inspected in each period.

    Attributes:
        content: The plan as `qa.sampling.plan.Plan` reads it.
        drawn_until: End of the last period that was drawn; the next one begins here.
        carried: Per teller the number of calls that could not be drawn in earlier periods and are still owed.
    """

    __tablename__ = "sample_plan"

    id: str = Field(primary_key=True)
    name: str
    enabled: bool = True
    content: dict[str, object] = json_field()
    drawn_until: datetime = utc_field()
    carried: dict[str, int] = json_field()
    version: int = 1
    edited_by: str | None = Field(default=None, foreign_key="staff.id")
    edited_at: datetime = utc_field()


class SampleDraw(SQLModel, table=True):
    """One draw, with everything needed to repeat it: plan, frame, seed, what was owed, inspectors and their load.

    Attributes:
        period_from / period_to: Calls that ended in this half-open span, and those of earlier ones that were not ready.
        frame: The calls that could be drawn, with the facts the plan asks about. frame_sha256: Of its canonical JSON.
        picks: ``[{"call_id", "reason", "stratum", "inspector_id"}]`` in order of drawing.
        owed: What the plan carried into this draw; carried: what it carries on.
    """

    __tablename__ = "sample_draw"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="sample_plan.id", index=True)
    plan: dict[str, object] = json_field()
    period_from: datetime = utc_field()
    period_to: datetime = utc_field()
    seed: str
    frame: list[dict[str, object]] = json_field(list)
    frame_sha256: str
    inspectors: list[dict[str, object]] = json_field(list)
    owed: dict[str, int] = json_field()
    carried: dict[str, int] = json_field()
    picks: list[dict[str, object]] = json_field(list)
    drawn_by: str
    drawn_at: datetime = utc_field(index=True)


class TaskState(StrEnum):
    """Progress of one inspection."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class InspectionTask(SQLModel, table=True):
    """One call to inspect. Without an inspector it waits for the QA lead (everybody is at the cap or in conflict)."""

    __tablename__ = "inspection_task"
    __table_args__ = (
        Index("ix_inspection_task_one_open", "call_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    draw_id: str | None = Field(default=None, foreign_key="sample_draw.id", index=True)
    inspector_id: str | None = Field(default=None, foreign_key="staff.id", index=True)
    state: str = Field(index=True)
    reason: str
    due_at: datetime = utc_field(index=True)
    created_at: datetime = utc_field()
    done_at: datetime | None = utc_field(nullable=True)


class InspectorConflict(SQLModel, table=True):
    """This inspector does not inspect calls of this teller or team (kinship, former colleague …)."""

    __tablename__ = "inspector_conflict"

    id: str = Field(primary_key=True)
    inspector_id: str = Field(foreign_key="staff.id", index=True)
    teller_id: str | None = Field(default=None, foreign_key="staff.id")
    team: str | None = None
    reason: str
    created_by: str | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = utc_field()
