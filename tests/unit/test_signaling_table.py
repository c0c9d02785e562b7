"""Every message declares its permission, or the edge does not start."""

import pytest

from core.security.actor import customer_actor
from core.security.permissions import Permission
from signaling.messages import CUSTOMER, MESSAGES, STAFF
from signaling.messages.base import Empty, Message
from signaling.table import BURST, RATE_HZ, MessageTable, Socket


async def nothing(socket: Socket, body: Empty) -> Empty:
    return Empty()


def table(*messages: Message) -> MessageTable:
    made = MessageTable(CUSTOMER)
    for message in messages:
        made.on(message)(nothing)
    return made


@pytest.mark.parametrize("permission", [None, Permission.PUBLIC])
def test_a_message_without_permission_does_not_start(permission: Permission | None) -> None:
    naked = Message("queue.join", permission, Empty, Empty)
    with pytest.raises(RuntimeError, match=r"queue\.join declares no permission"):
        table(naked).assert_declared((naked,))


def test_handled_and_documented_messages_are_the_same() -> None:
    one = Message("a", Permission.VISIT_OWN, Empty, Empty)
    other = Message("b", Permission.VISIT_OWN, Empty, Empty)
    table(one, other).assert_declared((other, one))
    with pytest.raises(RuntimeError, match=r"differ: \['b'\]"):
        table(one).assert_declared((one, other))
    with pytest.raises(RuntimeError, match=r"differ: \['b'\]"):
        table(one, other).assert_declared((one,))
    with pytest.raises(RuntimeError, match="two handlers"):
        table(one, one)


def test_customers_and_staff_hold_different_permissions() -> None:
    customer = customer_actor("visit_1")
    assert all(message.permission and customer.may(message.permission) for message in MESSAGES[CUSTOMER])
    assert not any(message.permission and customer.may(message.permission) for message in MESSAGES[STAFF])


def test_a_socket_that_talks_too_much_is_slowed_down() -> None:
    socket = Socket("s", CUSTOMER, customer_actor("visit_1"), _counted_s=0.0)
    assert all(socket.spend(0.0) for _ in range(int(BURST)))
    assert not socket.spend(0.0)
    assert socket.spend(1 / RATE_HZ)
    assert not socket.spend(1 / RATE_HZ)
