"""Hanging up, wrapping up, and the teller's view of the call."""

from typing import Annotated

from pydantic import Field

from core.ports.call_views import Disposition, Presence, TellerCall
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request
from signaling.messages.media import Id


class TellerHangUp(Request):
    """Which call."""

    call_id: Id


class Hold(Request):
    """Which call, and whether the customer is to wait without hearing and seeing the counter."""

    call_id: Id
    on: bool


class WrapUp(Request):
    """The teller's summary of the call."""

    call_id: Id
    disposition: Disposition
    note: Annotated[str, Field(max_length=2000)] = ""


class WrappedUp(Payload):
    """What the teller is doing after that."""

    presence: Presence


CUSTOMER_HANG_UP = Message("call.hangup", Permission.VISIT_OWN, Empty, Empty)
TELLER_HANG_UP = Message("call.hangup", Permission.CALL_TAKE, TellerHangUp, Empty)
HOLD = Message("call.hold", Permission.CALL_TAKE, Hold, Empty)
ASK_FOR_VIDEO = Message("text.ask_video", Permission.CALL_TAKE, TellerHangUp, Empty)
WRAP_UP = Message("call.wrapup", Permission.CALL_TAKE, WrapUp, WrappedUp)

TELLER_STATE = Push("call.state", TellerCall)
