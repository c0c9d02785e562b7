"""Bodies and answers of retention (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from recording.retention.rules import LONGEST_MONTHS, DataClass, StartEvent

RowId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
Reason = Annotated[str, StringConstraints(min_length=4, max_length=500, strip_whitespace=True)]
CallNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\d{17}[\dXx]$")]
Position = Annotated[int, Field(ge=0, le=1_000_000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RetentionRuleChange(BaseModel):
    """A line of the retention table as the bank wants it."""

    model_config = ConfigDict(extra="forbid")

    data_class: DataClass
    event: StartEvent
    amount: Annotated[int, Field(ge=0, le=LONGEST_MONTHS * 31)]
    unit: Literal["days", "months"]


class RetentionRuleView(BaseModel):
    """A line in force. `own`: the bank set it; `floor`: less is refused. `amount` is None where there is no line."""

    data_class: DataClass
    event: StartEvent
    amount: int | None
    unit: Literal["days", "months"]
    own: bool
    floor_amount: int | None
    floor_unit: Literal["days", "months"] | None
    edited_by: str | None
    edited_at: datetime | None


class RetentionTable(BaseModel):
    """Every line there can be, in order."""

    rules: list[RetentionRuleView]


class ProductEndRequest(BaseModel):
    """When the product sold in a call ends."""

    model_config = ConfigDict(extra="forbid")

    call_number: CallNumber
    ends_on: date
    note: Reason


class ClassDecision(BaseModel):
    """What holds for one class of data of a call. `deleted_at`: it is gone already."""

    data_class: DataClass
    why: Literal["hold", "not_over", "no_rule", "kept", "due"]
    rule_event: StartEvent | None
    rule_amount: int | None
    rule_unit: Literal["days", "months"] | None
    kept_until: datetime | None
    rows: int
    deleted_at: datetime | None


class CallRetention(BaseModel):
    """How long what is kept of one call, and why."""

    call_id: str
    call_number: int
    ended_at: datetime | None
    product_ends_at: datetime | None
    held: bool
    classes: list[ClassDecision]


class LegalHoldRequest(BaseModel):
    """Set a hold on a call, or on everything of a person. Exactly one of the two is named."""

    model_config = ConfigDict(extra="forbid")

    call_number: CallNumber | None = None
    id_number: IdNumber | None = None
    reason: Reason


class LegalHoldLift(BaseModel):
    """Why a hold should be lifted."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class LegalHoldDecision(BaseModel):
    """The second person's word on what the first one asked for."""

    model_config = ConfigDict(extra="forbid")

    agree: bool


class LegalHoldView(BaseModel):
    """A legal hold. `mine`: the next step is somebody else's, because I took the last one."""

    hold_id: str
    subject: str
    whole_person: bool
    calls: int
    reason: str
    state: Literal["asked", "confirmed", "lift_asked", "lifted"]
    set_by: str
    set_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    lift_reason: str | None
    lift_asked_by: str | None
    lift_asked_at: datetime | None
    lifted_by: str | None
    lifted_at: datetime | None
    mine: bool


class LegalHoldList(BaseModel):
    """Holds, those in force first."""

    items: list[LegalHoldView]


class PurgeRequest(BaseModel):
    """Make a list of what is due."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""


class PurgeApproval(BaseModel):
    """The digest of the list that was seen."""

    model_config = ConfigDict(extra="forbid")

    list_sha256: Sha256


class PurgeRejection(BaseModel):
    """Why nothing is to be deleted."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class PurgeView(BaseModel):
    """A deletion. `mine`: I made the list, so somebody else has to approve it."""

    run_id: str
    reason: Literal["due", "request"]
    note: str
    state: Literal["listed", "approved", "done", "rejected"]
    as_of: datetime
    items: int
    deleted: int
    skipped: int
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str
    finished_at: datetime | None
    mine: bool


class PurgeLine(BaseModel):
    """One class of data of one call or booking. `rows`: by table. `reason`: why it was skipped."""

    position: int
    root_type: Literal["call", "appointment", "prefill"]
    root_id: str
    label: str
    data_class: DataClass
    rule: str
    kept_until: datetime | None
    state: Literal["listed", "deleting", "deleted", "skipped"]
    reason: str | None
    rows: dict[str, int]
    objects: int


class PurgeDetail(BaseModel):
    """The list itself, in pages; `next` asks for more, 0 at the end. `list_sha256` goes into the approval."""

    run: PurgeView
    list_sha256: str
    lines: list[PurgeLine]
    next: int


class PurgeList(BaseModel):
    """Deletions, newest first."""

    items: list[PurgeView]


class TombstoneView(BaseModel):
    """What is left of something that was deleted."""

    root_type: str
    root_id: str
    label: str
    data_class: DataClass
    rule: str
    rows: dict[str, int]
    objects: int
    objects_sha256: str
    requested_by: str
    approved_by: str
    deleted_at: datetime


class TombstoneList(BaseModel):
    """The newest tombstones, or those of one call."""

    items: list[TombstoneView]
