"""Bodies and answers of appointments and callbacks (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Phone = Annotated[str, StringConstraints(pattern=r"^1[3-9]\d{9}$")]
"""A mainland mobile number."""

AppointmentCode = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]
CallbackCode = Annotated[str, StringConstraints(min_length=16, max_length=64, pattern=r"^[\w-]+$")]


class SlotView(BaseModel):
    """A time that can be booked. `free`: places left."""

    starts_at: datetime
    ends_at: datetime
    free: int


class AppointmentRequest(BaseModel):
    """Booking a time."""

    model_config = ConfigDict(extra="forbid")

    business_code: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    starts_at: AwareDatetime
    phone: Phone
    language: Literal["zh-CN", "en"]


class AppointmentView(BaseModel):
    """A booked time. `code`: the number to show or to type at check-in; the QR image holds a link with it."""

    code: str
    business_code: str
    starts_at: datetime
    ends_at: datetime
    phone_masked: str
    state: Literal["booked", "checked_in", "cancelled", "missed"]


class MoveRequest(BaseModel):
    """Another time."""

    model_config = ConfigDict(extra="forbid")

    starts_at: AwareDatetime


class BookingRow(BaseModel):
    """A booked time as staff see it: never its number, which opens it.

    Attributes:
        call_state: Of the newest call after the check-in, as in `Call`. waited_s: From the check-in, or from the booked
            time when the customer came early, until a teller took the call.
    """

    id: str
    business_code: str
    starts_at: datetime
    ends_at: datetime
    phone_masked: str
    language: str
    state: Literal["booked", "checked_in", "cancelled", "missed"]
    reminded: bool
    documents: int
    checked_in_at: datetime | None
    call_number: int | None
    call_state: str | None
    waited_s: float | None


class CallbackRow(BaseModel):
    """A customer who left the queue to be called back."""

    id: str
    business_code: str
    phone_masked: str
    language: str
    state: Literal["waiting", "called", "returned", "expired", "cancelled"]
    queued_at: datetime
    created_at: datetime
    called_at: datetime | None


class BookingDay(BaseModel):
    """A day's bookings by time, and the callbacks asked for on it."""

    day: date
    appointments: list[BookingRow]
    callbacks: list[CallbackRow]


class CheckInRequest(BaseModel):
    """The visit is the booked one."""

    model_config = ConfigDict(extra="forbid")

    code: AppointmentCode


class CallbackRequest(BaseModel):
    """Leaving the queue to be called back."""

    model_config = ConfigDict(extra="forbid")

    phone: Phone


class ReturnRequest(BaseModel):
    """The visit is that of somebody who was called back."""

    model_config = ConfigDict(extra="forbid")

    code: CallbackCode
