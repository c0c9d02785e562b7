"""What a teller is doing."""

from typing import Annotated, Literal

from pydantic import Field

from core.ports.call_views import Offer, Presence, TellerCall
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request


class SetPresence(Request):
    """What the teller wants to do."""

    state: Literal["ready", "break", "offline"]
    reason: Annotated[str, Field(max_length=100)] = ""


class PresenceAnswer(Payload):
    """What the teller is doing now."""

    presence: Presence


class Console(Payload):
    """Everything to redraw the console after a reload."""

    presence: Presence
    offer: Offer | None
    call: TellerCall | None


SET = Message("presence.set", Permission.CALL_TAKE, SetPresence, PresenceAnswer)
GET = Message("presence.get", Permission.CALL_TAKE, Empty, Console)

PRESENCE = Push("presence", Presence)
