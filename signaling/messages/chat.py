"""Something was written or sent in the chat of a call."""

from datetime import datetime
from typing import Literal

from signaling.messages.base import Payload, Push


class ChatMessage(Payload):
    """One message, to both sides; the same as over HTTP."""

    id: str
    call_id: str
    party: Literal["customer", "teller"]
    kind: Literal["text", "image"]
    text: str
    width: int | None
    height: int | None
    at: datetime


CUSTOMER_CHAT = Push("chat.message", ChatMessage)
TELLER_CHAT = Push("chat.message", ChatMessage)
