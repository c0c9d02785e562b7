"""Experts and supervisors in a call: taking a place, who hears a supervisor, leaving."""

from typing import Annotated, Literal

from pydantic import Field

from core.ports.guests import Guest
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request
from signaling.messages.media import CustomerSdpAnswer, Id, MediaJoined

Note = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]


class Oversee(Request):
    """Which call to listen in to."""

    call_id: Id


class GuestChoice(Request):
    """Which place."""

    guest_id: Id


class OverseeMode(Request):
    """Which place, and who is to hear the supervisor: none, the teller, all."""

    guest_id: Id
    mode: Literal["monitor", "whisper", "barge"]


class GuestSdpAnswer(CustomerSdpAnswer):
    """The browser's complete answer for one's own place."""

    guest_id: Id


class Invite(Request):
    """Whom to ask into the call. ``consult``: the call may be handed to this teller afterwards."""

    call_id: Id
    staff_id: Id
    purpose: Literal["expert", "consult"]
    note: Note = ""


class Invited(Payload):
    """The invitation."""

    guest_id: str


class GuestAnswer(Payload):
    """One's own place."""

    guest: Guest


class GuestList(Payload):
    """Open invitations and places."""

    guests: list[Guest]


OVERSEE = Message("call.oversee", Permission.CALL_OVERSEE, Oversee, GuestAnswer)
OVERSEE_MODE = Message("oversee.mode", Permission.CALL_OVERSEE, OverseeMode, GuestAnswer)
INVITE = Message("call.invite", Permission.CALL_TAKE, Invite, Invited)
GET = Message("guest.get", Permission.CALL_ASSIST, Empty, GuestList)
MEDIA = Message("guest.media", Permission.CALL_ASSIST, GuestChoice, MediaJoined)
ANSWER = Message("guest.answer", Permission.CALL_ASSIST, GuestSdpAnswer, Empty)
LEAVE = Message("guest.leave", Permission.CALL_ASSIST, GuestChoice, Empty)

STATE = Push("guest.state", Guest)
