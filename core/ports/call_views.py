"""What people see of calls, tellers and the queue, and the words for their states."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CallStateName = Literal["queued", "offered", "accepted", "connected", "wrap_up", "closed"]
TellerStateName = Literal["offline", "ready", "offered", "in_call", "wrap_up", "break"]
Channel = Literal["video", "text"]
DeclaredClass = Literal["elderly", "disabled"]  # what customers may say of themselves; nobody declares to be a VIP
TranscriptionMode = Literal["live", "final_only", "none"]
Disposition = Literal["resolved", "follow_up", "refused", "dropped"]
UNSPECIFIED = "unspecified"  # disposition of a call whose teller let the wrap-up time pass


class View(BaseModel):
    """Base of what is shown to pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TellerName(View):
    """How the teller is shown to the customer."""

    display_name: str
    staff_number: str


class OtherParty(View):
    """Somebody else whom the customer may hear: an expert, or a supervisor who has stepped in."""

    display_name: str
    staff_number: str
    seat: Literal["expert", "supervisor"]


class GuestName(View):
    """Who is in the teller's call, or asked into it. A supervisor who only listens is told to nobody."""

    guest_id: str
    display_name: str
    staff_number: str
    seat: Literal["expert", "supervisor"]
    purpose: Literal["oversee", "expert", "consult"]
    mode: Literal["monitor", "whisper", "barge"]
    state: Literal["invited", "joined", "left"]


class HandoverNote(View):
    """What the teller before wrote when handing the call on, so that nobody tells the story twice."""

    kind: Literal["blind", "consult", "return"]
    teller: TellerName
    note: str
    at: datetime


class CustomerCall(View):
    """A call as its customer sees it.

    Attributes:
        position: 1 is next; None when not waiting.
        wait_low_s / wait_high_s: Honest range of the wait; None when nobody serves this queue right now.
        recording_paused_until: A secure pause runs; it ends by itself then.
    """

    call_id: str
    number: int
    state: CallStateName
    position: int | None
    wait_low_s: int | None
    wait_high_s: int | None
    teller: TellerName | None
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    recording_ok: bool
    recording_paused_until: datetime | None = None
    on_hold: bool = False
    sharing: bool = False
    channel: Channel = "video"
    video_asked: bool = False
    others: list[OtherParty] = Field(default_factory=list)
    help_asked: bool = False


class TellerCall(View):
    """A call as its teller sees it."""

    call_id: str
    number: int
    business_code: str
    business_name_zh: str
    business_name_en: str
    language: str
    state: CallStateName
    queued_at: datetime
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    recording_ok: bool
    recording_paused_until: datetime | None = None
    recording_state: str | None
    on_hold: bool = False
    sharing: bool = False
    channel: Channel = "video"
    video_asked: bool = False
    transcription: TranscriptionMode
    guests: list[GuestName] = Field(default_factory=list)
    handover: list[HandoverNote] = Field(default_factory=list)
    customer_class: str = "standard"
    class_source: str = ""
    help_asked: bool = False


class Presence(View):
    """What a teller is doing. `wrap_up_until`: when the wrap-up ends by itself."""

    state: TellerStateName
    reason: str
    since: datetime
    call_id: str | None
    wrap_up_until: datetime | None
    missed_offers: int


class Offer(View):
    """A ringing call. `handover`: who had it before, oldest first."""

    offer_id: str
    call_id: str
    business_code: str
    business_name_zh: str
    business_name_en: str
    waited_s: float
    expires_at: datetime
    handover: list[HandoverNote] = Field(default_factory=list)
    channel: Channel = "video"
    customer_class: str = "standard"
    class_source: str = ""


class QueueStatus(View):
    """How a business's queue stands, before joining it.

    Attributes:
        next_opening: When it is closed; None when it is open or does not open within a month.
        full: The cap or the longest wait is reached: a callback or a time is offered instead.
        appointments: Whether times can be booked.
    """

    business_code: str
    open: bool
    closes_at: datetime | None
    next_opening: datetime | None
    waiting: int
    wait_low_s: int | None
    wait_high_s: int | None
    full: bool
    appointments: bool
