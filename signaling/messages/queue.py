"""Joining and leaving the queue, and the customer's view of the call."""

from core.ports.calls import CustomerCall
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push


class CustomerCallAnswer(Payload):
    """The call the customer now has."""

    call: CustomerCall


class CustomerSnapshot(Payload):
    """The visit's newest call, if any."""

    call: CustomerCall | None


JOIN = Message("queue.join", Permission.CALL_JOIN, Empty, CustomerCallAnswer)
LEAVE = Message("queue.leave", Permission.VISIT_OWN, Empty, Empty)
SNAPSHOT = Message("call.snapshot", Permission.VISIT_OWN, Empty, CustomerSnapshot)

CUSTOMER_STATE = Push("call.state", CustomerCall)
