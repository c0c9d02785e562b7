"""Facts of calls, guests and tellers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from core.events.base import CallEvent, Event
from core.ports.speech import Party


class CallQueued(CallEvent):
    """A customer has joined the queue."""

    business_code: str
    number: int | None = None


class CallOffered(CallEvent):
    """A teller's console rings."""

    offer_id: str
    teller_id: str
    expires_at: datetime


class OfferLapsed(CallEvent):
    """An offer ended without being accepted."""

    offer_id: str
    teller_id: str
    outcome: Literal["timeout", "declined", "withdrawn"]


class CallAccepted(CallEvent):
    """A teller took the call."""

    offer_id: str
    teller_id: str


class CallConnected(CallEvent):
    """Both seats have media for the first time."""


class CallHeld(CallEvent):
    """The customer hears and sees nothing of the counter until `CallResumed`; the recording goes on."""

    teller_id: str


class CallResumed(CallEvent):
    """The hold is over."""

    teller_id: str


class ScreenShared(CallEvent):
    """The teller shows the customer a screen or a document."""

    teller_id: str


class ScreenShareEnded(CallEvent):
    """The teller's screen is no longer shown."""

    teller_id: str


class GuestInvited(CallEvent):
    """A teller asks an expert or another teller into the call."""

    guest_id: str
    staff_id: str
    by: str
    purpose: Literal["expert", "consult"]


class GuestJoined(CallEvent):
    """An expert or a supervisor is in the call from now on. A supervisor begins as ``monitor``, heard by none."""

    guest_id: str
    staff_id: str
    seat: Literal["expert", "supervisor"]
    mode: Literal["monitor", "whisper", "barge"]


class GuestModeChanged(CallEvent):
    """Other people hear the supervisor now: ``monitor`` none, ``whisper`` the teller, ``barge`` all."""

    guest_id: str
    staff_id: str
    mode: Literal["monitor", "whisper", "barge"]


class GuestLeft(CallEvent):
    """An expert or a supervisor has left, or never came."""

    guest_id: str
    staff_id: str
    seat: Literal["expert", "supervisor"]
    reason: str


class CallTransferred(CallEvent):
    """A teller has handed the call on; it goes on being recorded.

    Attributes:
        kind: ``blind``: to a teller or a group, through the queue. ``consult``: to the one who was consulted, at once.
            ``return``: back into its queue, keeping the place.
    """

    transfer_id: str
    kind: Literal["blind", "consult", "return"]
    from_teller_id: str
    to_teller_id: str | None
    skill_group: str | None


class CustomerHelpAsked(CallEvent):
    """A waiting customer has pressed the help button; the call moved ahead in its queue."""


class CallChannelChanged(CallEvent):
    """A consultation in writing: the teller asked for video, the customer declined it, or it goes on by video."""

    channel: Literal["text", "video"]
    asked: bool


class QueueNoticeChanged(Event):
    """A line on the waiting page was published or withdrawn."""

    notice_id: str


class ChatMessageSent(CallEvent):
    """One of the parties wrote something or sent a picture.

    Attributes:
        message_id: Of the row that holds it; facts carry no words of customers.
    """

    message_id: str
    party: Party
    kind: Literal["text", "image"]


class CallEnded(CallEvent):
    """The call is over, whatever the reason; also for calls that were never answered."""

    reason: str
    teller_id: str | None
    was_answered: bool


class CallWrappedUp(CallEvent):
    """The teller filed the disposition; the call is closed."""

    teller_id: str
    disposition: str


class CallRated(CallEvent):
    """The customer rated the call."""

    stars: Annotated[int, Field(ge=1, le=5)]


class TellerStateChanged(Event):
    """A teller's presence changed."""

    teller_id: str
    state: str
    reason: str


StaffSessionEnd = Literal["logout", "replaced", "everywhere", "reset", "switched_off"]
"""Signed out here; signed in elsewhere; signed out everywhere; password or second step reset; account switched off."""


class StaffSessionEnded(Event):
    """A member of staff is signed out; open sockets of that session must go.

    Attributes:
        session: First 16 hex digits of the SHA-256 of the session cookie.
    """

    staff_id: str
    session: str
    reason: StaffSessionEnd
