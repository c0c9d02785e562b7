"""Business done in a call: flows, cases, steps and what belongs to them. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class CaseState(StrEnum):
    """Life of a case. Legal moves are in `server.counter.steps`."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # a step refused it: identity, fraud, review, core banking
    CANCELLED = "cancelled"  # teller or customer gave it up, or the call ended


class StepState(StrEnum):
    """Life of a step."""

    PENDING = "pending"  # the steps before it are not done
    ACTIVE = "active"  # somebody has to do something
    WAITING = "waiting"  # an answer from outside is on its way
    DONE = "done"
    NOT_NEEDED = "not_needed"  # its kind says that this case does not need it
    STOPPED = "stopped"
    ROLLED_BACK = "rolled_back"  # was done, undone because the case was given up


class BusinessFlow(SQLModel, table=True):
    """One version of how a business is done. A running case keeps its version.

    Attributes:
        content: As `server.counter.flows.Flow`. active: New cases use it; one per business.
    """

    __tablename__ = "business_flow"

    business_code: str = Field(primary_key=True, foreign_key="business.code")
    version: int = Field(primary_key=True)
    content: dict[str, Any] = json_field()
    active: bool = False
    note: str = ""
    created_by: str
    created_at: datetime = utc_field()


class BusinessCase(SQLModel, table=True):
    """One piece of business done in a call.

    Attributes:
        version: Incremented by every change; every act names the version its doer has seen.
        sealed: Facts that steps share, e.g. ``customer_class``, encrypted (`core.security.sealing`).
        identity_level: 0 nothing seen, 1 document read, 2 document checked with the registry, 3 person verified too.
        deadline_at: Time limit of the business. overdue_at: When it passed and the supervisor was called.
    """

    __tablename__ = "business_case"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    business_code: str = Field(foreign_key="business.code")
    flow_version: int
    state: str = Field(index=True)
    version: int = 1
    sealed: bytes
    identity_level: int = 0
    end_reason: str | None = None
    started_by: str
    started_at: datetime = utc_field()
    deadline_at: datetime = utc_field(index=True)
    overdue_at: datetime | None = utc_field(nullable=True)
    ended_at: datetime | None = utc_field(nullable=True)


class CaseStep(SQLModel, table=True):
    """One step of a case.

    Attributes:
        sealed: What was handed in and what the step found out, as its kind defines, encrypted: it holds personal data.
        reason: Why it was returned, is waiting or was stopped: a stable code. note: The same in a person's words.
        attempts: How often something was handed in.
    """

    __tablename__ = "case_step"

    case_id: str = Field(primary_key=True, foreign_key="business_case.id")
    key: str = Field(primary_key=True)
    position: int
    kind: str
    doer: str
    state: str = Field(index=True)
    sealed: bytes
    reason: str | None = None
    note: str = ""
    attempts: int = 0
    by: str | None = None
    began_at: datetime | None = utc_field(nullable=True)
    ended_at: datetime | None = utc_field(nullable=True)


class DocumentState(StrEnum):
    """Life of a document."""

    UPLOADED = "uploaded"  # waits to be judged
    ACCEPTED = "accepted"
    RETURNED = "returned"  # the customer has to bring a better one; the reason is told
    REPLACED = "replaced"  # a newer one took its place


class CaseDocument(SQLModel, table=True):
    """A picture or file handed in for a step, encrypted in the object store.

    Attributes:
        code: What it is: ``id_front``, ``id_back``, ``face``, or a document of the flow.
        object_key / thumbnail_key: Objects; `wrapped_key` opens both. sha256, size_b: of the plain bytes.
        checks: The teller's list: ``{"genuine": bool, "complete": bool, "valid": bool}``.
        reason: Stable code of a return. note: In the teller's words.
    """

    __tablename__ = "case_document"

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="business_case.id", index=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    step_key: str
    code: str
    state: str
    source: str  # camera, snapshot, file
    content_type: str
    pages: int
    size_b: int
    sha256: str
    object_key: str
    thumbnail_key: str
    wrapped_key: bytes
    checks: dict[str, Any] = json_field()
    reason: str | None = None
    note: str = ""
    by: str
    created_at: datetime = utc_field()
    judged_by: str | None = None
    judged_at: datetime | None = utc_field(nullable=True)


class EarlyDocument(SQLModel, table=True):
    """A file handed in with a booked time, encrypted like a case's; whoever serves the booked call sees it.

    Attributes:
        code: A document of the business's flow, or ``other``. taken_by: The `CaseDocument` made from it.
    """

    __tablename__ = "early_document"

    id: str = Field(primary_key=True)
    appointment_id: str = Field(foreign_key="appointment.id", index=True)
    code: str
    content_type: str
    pages: int
    size_b: int
    sha256: str
    object_key: str
    thumbnail_key: str
    wrapped_key: bytes
    created_at: datetime = utc_field()
    taken_by: str | None = None


class Prefill(SQLModel, table=True):
    """A form filled in before the call, opened by a single-use link.

    Attributes:
        token_sha256: Of the link's secret. sealed: What was filled in, encrypted; None until it is.
        visit_id: The visit that took it along. case_id: The case that loaded it; then it is used up.
    """

    id: str = Field(primary_key=True)
    token_sha256: str = Field(unique=True)
    business_code: str = Field(foreign_key="business.code")
    flow_version: int
    sealed: bytes | None = None
    visit_id: str | None = Field(default=None, foreign_key="visit.id", index=True)
    case_id: str | None = Field(default=None, foreign_key="business_case.id")
    created_at: datetime = utc_field()
    expires_at: datetime = utc_field()
    filled_at: datetime | None = utc_field(nullable=True)


class PhoneCode(SQLModel, table=True):
    """A one-time code for a customer's phone. It is kept sealed until it is sent, then only its hash.

    Attributes:
        code_hash: HMAC of the code with the row's id. tries_left: Wrong answers still allowed.
    """

    __tablename__ = "phone_code"

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="business_case.id", index=True)
    sealed: bytes | None = None
    code_hash: str
    tries_left: int
    created_at: datetime = utc_field()
    expires_at: datetime = utc_field()
    used_at: datetime | None = utc_field(nullable=True)
