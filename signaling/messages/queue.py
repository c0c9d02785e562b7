"""Joining and leaving the queue, and the customer's view of the call."""

from datetime import datetime
from typing import Literal

from core.ports.call_views import Channel, CustomerCall, DeclaredClass
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request


class Join(Request):
    """How the customer comes. `declared`: what the customer says of themselves; `channel`: to talk, or to write."""

    declared: DeclaredClass | None = None
    channel: Channel = "video"


class Leave(Request):
    """Why the customer goes."""

    reason: Literal["customer_left_queue", "waited_too_long", "wrong_business", "not_ready"] = "customer_left_queue"


class Notice(Payload):
    """A line on the waiting page, sent to every customer's page. `business_code` null: for all queues."""

    id: str
    kind: Literal["notice", "broadcast"]
    business_code: str | None
    text_zh: str
    text_en: str
    valid_until: datetime
    withdrawn: bool


class CustomerCallAnswer(Payload):
    """The call the customer now has."""

    call: CustomerCall


class CustomerSnapshot(Payload):
    """The visit's newest call, if any."""

    call: CustomerCall | None


JOIN = Message("queue.join", Permission.CALL_JOIN, Join, CustomerCallAnswer)
LEAVE = Message("queue.leave", Permission.VISIT_OWN, Leave, Empty)
GO_ON_BY_VIDEO = Message("text.video", Permission.VISIT_OWN, Empty, Empty)
DECLINE_VIDEO = Message("text.decline", Permission.VISIT_OWN, Empty, Empty)
HELP = Message("queue.help", Permission.VISIT_OWN, Empty, Empty)
SNAPSHOT = Message("call.snapshot", Permission.VISIT_OWN, Empty, CustomerSnapshot)

CUSTOMER_STATE = Push("call.state", CustomerCall)
NOTICE = Push("queue.notice", Notice)
