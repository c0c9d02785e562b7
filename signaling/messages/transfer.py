"""Handing a call on."""

from typing import Literal

from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Request
from signaling.messages.guest import Note
from signaling.messages.media import Id


class Transfer(Request):
    """Which call, how, to whom, and what the next teller has to know.

    Attributes:
        kind: ``blind``: to `staff_id` or `skill_group`, through the queue. ``consult``: to the teller who is in the
            call as consulted. ``return``: back into its queue, keeping the place.
    """

    call_id: Id
    kind: Literal["blind", "consult", "return"]
    staff_id: Id | None = None
    skill_group: Id | None = None
    note: Note = ""


TRANSFER = Message("call.transfer", Permission.CALL_TAKE, Transfer, Empty)
