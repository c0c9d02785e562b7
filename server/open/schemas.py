"""Bodies and answers of the open interface and of its administration."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]
BusinessCode = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Scope = Literal["appointments", "calls", "results", "everybody"]
EventName = Literal[
    "call.queued", "call.accepted", "call.connected", "call.ended", "recording.ready", "result.ready", "voucher.issued"
]
DeliveryFilter = Literal["all", "waiting", "sent", "failed"]


class OpenSlot(BaseModel):
    """A time that can be booked. `free`: places left."""

    starts_at: datetime
    ends_at: datetime
    free: int


class OpenAppointmentRequest(BaseModel):
    """Booking a time for a customer. `reference` is the caller's own name for it; asking twice books once."""

    model_config = ConfigDict(extra="forbid")

    reference: Reference
    business_code: BusinessCode
    starts_at: AwareDatetime
    phone: Annotated[str, StringConstraints(pattern=r"^1[3-9]\d{9}$")]
    language: Literal["zh-CN", "en"] = "zh-CN"


class OpenAppointment(BaseModel):
    """A booked time. `link`: for the customer, checks in. `call_id`: the newest call of it, once there is one."""

    reference: str
    code: str
    business_code: str
    starts_at: datetime
    ends_at: datetime
    state: Literal["booked", "checked_in", "cancelled", "missed"]
    link: str
    call_id: str | None


class OpenEntryRequest(BaseModel):
    """Sending a customer the caller has identified. `customer_class` decides the place in the queue."""

    model_config = ConfigDict(extra="forbid")

    business_code: BusinessCode
    customer_class: Literal["standard", "vip", "elderly", "disabled"]


class OpenEntry(BaseModel):
    """A single-use link for the customer's browser, good until `expires_at`."""

    link: str
    expires_at: datetime


class EntryClaim(BaseModel):
    """The secret of the link a customer came by."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[\w-]+$")]


class OpenCall(BaseModel):
    """How far a call is. `reference`: of the booking it came from, if it was made with this key."""

    call_id: str
    reference: str | None
    business_code: str
    state: str
    queued_at: datetime
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None


class OpenCallList(BaseModel):
    """Calls, newest first. `next_before`: pass it as `before` for older ones; None at the end."""

    items: list[OpenCall]
    next_before: datetime | None


class OpenVoucher(BaseModel):
    """A voucher of a call. `ready`: its PDF can be fetched; `sha256` is the PDF's."""

    voucher_id: str
    code: str
    business_code: str
    issued_at: datetime
    ready: bool
    sha256: str | None


class OpenScore(BaseModel):
    """Points. `auto`: the machine's; `inspector`: a person's, once submitted."""

    auto: float
    inspector: float | None
    max: float


class OpenResult(BaseModel):
    """What came of a call. `stages`: how far the work after it is (waiting, running, done, failed …)."""

    call: OpenCall
    stages: dict[str, str]
    vouchers: list[OpenVoucher]
    score: OpenScore | None


class KeyRequest(BaseModel):
    """A key for another system."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class KeyView(BaseModel):
    """A key as it is shown. `state`: active, expired or revoked."""

    id: str
    name: str
    scopes: list[str]
    state: Literal["active", "expired", "revoked"]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewKey(BaseModel):
    """A key just made. `token` is shown this once."""

    key: KeyView
    token: str


class WebhookRequest(BaseModel):
    """Where a system wants to be told, and of what."""

    model_config = ConfigDict(extra="forbid")

    key_id: Id
    url: Annotated[str, StringConstraints(min_length=8, max_length=500)]
    events: Annotated[list[EventName], Field(min_length=1, max_length=7)]


class WebhookSwitchRequest(BaseModel):
    """Telling it or not."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class WebhookView(BaseModel):
    """A webhook. `waiting`, `failed`: how many messages are."""

    id: str
    key_id: str
    key_name: str
    url: str
    events: list[str]
    enabled: bool
    created_at: datetime
    waiting: int
    failed: int


class NewWebhook(BaseModel):
    """A webhook just made. `secret` is shown this once; messages are signed with it."""

    webhook: WebhookView
    secret: str


class DeliveryView(BaseModel):
    """A message to a webhook."""

    id: str
    webhook_id: str
    url: str
    event: str
    call_id: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    sent_at: datetime | None


class DeliveryList(BaseModel):
    """The newest messages. `failed`: all that were given up."""

    items: list[DeliveryView]
    failed: int
