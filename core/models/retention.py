"""How long things are kept, what must not be deleted, what was, and what customers asked for. Writer: recording."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class RetentionRule(SQLModel, table=True):
    """One line of the retention table that the bank set itself; it replaces the packaged line of that class and event.

    Attributes:
        data_class / event: As in `recording.retention.rules`. amount, unit: ``days`` or ``months`` after the event.
    """

    __tablename__ = "retention_rule"

    data_class: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    amount: int
    unit: str
    edited_by: str = Field(foreign_key="staff.id")
    edited_at: datetime = utc_field()


class ProductEnd(SQLModel, table=True):
    """When the product that was sold in a call ends; its recording is kept for a while after that."""

    __tablename__ = "product_end"

    call_id: str = Field(primary_key=True, foreign_key="call.id")
    ends_at: datetime = utc_field()
    note: str
    set_by: str = Field(foreign_key="staff.id")
    set_at: datetime = utc_field()


class HoldState(StrEnum):
    """Life of a legal hold. It holds in every state but LIFTED."""

    ASKED = "asked"  # set by one person; holds already, a second one has to confirm it
    CONFIRMED = "confirmed"
    LIFT_ASKED = "lift_asked"  # one person wants it lifted; holds until a second one agrees
    LIFTED = "lifted"


class LegalHold(SQLModel, table=True):
    """Nothing of this call, or of this person, may be deleted, whatever the retention table says.

    Attributes:
        call_id / person_key: Exactly one is set. person_key: As in `PersonCall`. subject: What people see of it.
        reason: Why it was set. lift_reason: Why somebody wants it lifted.
    """

    __tablename__ = "legal_hold"

    id: str = Field(primary_key=True)
    call_id: str | None = Field(default=None, foreign_key="call.id", index=True)
    person_key: str | None = Field(default=None, index=True)
    subject: str
    reason: str
    state: str = Field(index=True)
    set_by: str = Field(foreign_key="staff.id")
    set_at: datetime = utc_field(index=True)
    confirmed_by: str | None = Field(default=None, foreign_key="staff.id")
    confirmed_at: datetime | None = utc_field(nullable=True)
    lift_reason: str | None = None
    lift_asked_by: str | None = Field(default=None, foreign_key="staff.id")
    lift_asked_at: datetime | None = utc_field(nullable=True)
    lifted_by: str | None = Field(default=None, foreign_key="staff.id")
    lifted_at: datetime | None = utc_field(nullable=True)


class PurgeState(StrEnum):
    """Life of a deletion."""

    LISTED = "listed"  # dry run: nothing is deleted before a second person has seen this list
    APPROVED = "approved"  # the job works it off
    DONE = "done"
    REJECTED = "rejected"


class PurgeRun(SQLModel, table=True):
    """A list of what may be deleted, and its deletion.

    Attributes:
        reason: ``due`` (the retention table) or ``request`` (a customer asked; `request_id`).
        as_of: The moment the list was made for.
        list_sha256: Digest of the list, which the second person names: approved is what was seen.
    """

    __tablename__ = "purge_run"

    id: str = Field(primary_key=True)
    reason: str
    request_id: str | None = Field(default=None, index=True)
    note: str = ""
    state: str = Field(index=True)
    as_of: datetime = utc_field()
    list_sha256: str
    items: int
    created_by: str = Field(foreign_key="staff.id")
    created_at: datetime = utc_field(index=True)
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = utc_field(nullable=True)
    decision_note: str = ""
    finished_at: datetime | None = utc_field(nullable=True)


class PurgeItemState(StrEnum):
    """Life of one line of a deletion."""

    LISTED = "listed"
    DELETING = "deleting"  # the rows are gone; objects are being removed
    DELETED = "deleted"  # rows and objects looked for and not found
    SKIPPED = "skipped"  # must be kept after all: see `reason`


class PurgeItem(SQLModel, table=True):
    """One class of data of one call (or booking): a line of the list, and afterwards what was done.

    Attributes:
        root_type / root_id: ``call``, ``appointment`` or ``prefill``. label: The call's number for people.
        rule: The rule that kept it longest, e.g. ``business_done+120 months``. kept_until: Its end.
        rows: Rows by table: expected in the list, deleted afterwards. objects: Keys still to be removed.
        reason: Why it was skipped, a stable code.
    """

    __tablename__ = "purge_item"
    __table_args__ = (UniqueConstraint("run_id", "root_id", "data_class"),)

    id: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="purge_run.id", index=True)
    position: int
    root_type: str
    root_id: str = Field(index=True)
    data_class: str
    label: str
    rule: str
    kept_until: datetime | None = utc_field(nullable=True)
    state: str = Field(index=True)
    reason: str | None = None
    rows: dict[str, int] = json_field()
    objects: list[str] = json_field(list)
    object_count: int = 0
    ended_at: datetime | None = utc_field(nullable=True)


class Tombstone(SQLModel, table=True):
    """What was deleted, when, by which rule and on whose word. Kept for ever; says nothing of the content.

    It refers to nothing that must be there: after a restore it is written again, though list and persons may be newer
    than the backup.

    Attributes:
        rows: Deleted rows by table. objects: How many. objects_sha256: Digest of their keys, one a line.
    """

    __table_args__ = (UniqueConstraint("root_id", "data_class"),)

    id: str = Field(primary_key=True)
    root_type: str
    root_id: str = Field(index=True)
    data_class: str
    run_id: str
    rule: str
    rows: dict[str, int] = json_field()
    objects: int
    objects_sha256: str
    requested_by: str
    approved_by: str
    deleted_at: datetime = utc_field(index=True)


class PersonCall(SQLModel, table=True):
    """Whose call it was, without saying who: a keyed digest of the ID number. All calls of a person are found by it."""

    __tablename__ = "person_call"

    person_key: str = Field(primary_key=True)
    call_id: str = Field(primary_key=True, foreign_key="call.id", index=True)
    at: datetime = utc_field()


class DataKey(SQLModel, table=True):
    """A key for one purpose, wrapped by the master key."""

    __tablename__ = "data_key"

    purpose: str = Field(primary_key=True)
    wrapped_key: bytes
    created_at: datetime = utc_field()


class SubjectRequestState(StrEnum):
    """Life of a customer's request."""

    OPEN = "open"  # a deletion that waits for the second person
    RUNNING = "running"
    DONE = "done"
    PARTLY = "partly"  # something has to be kept: `outcome` says what, why and how long
    REFUSED = "refused"
    FAILED = "failed"


class SubjectRequest(SQLModel, table=True):
    """A customer wants to have, or to have deleted, what is kept about them.

    Attributes:
        kind: ``export`` or ``deletion``. person_key: As in `PersonCall`; None when only one call is known.
        subject: What people see: the masked ID number, or the call's number. calls: Ids of the calls concerned.
        due_at: By when the customer has to have an answer.
        outcome: ``[{"call_id", "number", "data_class", "result": "deleted"|"refused"|"given"|"listed", "code",
            "until"}]``; codes are stable.
        object_key … expires_at: The sealed package of an export, as in `core.models.evidence.EvidenceExport`.
    """

    __tablename__ = "subject_request"

    id: str = Field(primary_key=True)
    kind: str
    person_key: str | None = Field(default=None, index=True)
    subject: str
    calls: list[str] = json_field(list)
    note: str
    state: str = Field(index=True)
    error: str | None = None
    outcome: list[dict[str, object]] = json_field(list)
    purge_id: str | None = Field(default=None, foreign_key="purge_run.id")
    created_by: str = Field(foreign_key="staff.id")
    created_at: datetime = utc_field(index=True)
    due_at: datetime = utc_field()
    finished_at: datetime | None = utc_field(nullable=True)
    object_key: str | None = None
    wrapped_key: bytes | None = None
    size_b: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    expires_at: datetime | None = utc_field(nullable=True)
