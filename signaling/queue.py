"""Handlers: joining and leaving the queue."""

from core.ports.calls import CallDesk
from signaling.messages import queue as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_queue(customer: MessageTable, calls: CallDesk) -> None:
    """Declare the family's handlers."""

    @customer.on(messages.JOIN)
    async def join(socket: Socket, _: Empty) -> messages.CustomerCallAnswer:
        return messages.CustomerCallAnswer(call=await calls.join(socket.actor))

    @customer.on(messages.LEAVE)
    async def leave(socket: Socket, _: Empty) -> Empty:
        await calls.leave(socket.actor)
        return Empty()

    @customer.on(messages.SNAPSHOT)
    async def snapshot(socket: Socket, _: Empty) -> messages.CustomerSnapshot:
        return messages.CustomerSnapshot(call=await calls.snapshot(socket.actor))
