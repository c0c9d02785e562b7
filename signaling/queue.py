"""Handlers: joining and leaving the queue."""

from core.models.call import EndReason
from core.ports.calls import CallDesk, CallHelp
from signaling.messages import queue as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_queue(customer: MessageTable, calls: CallDesk, help_desk: CallHelp) -> None:
    """Declare the family's handlers."""

    @customer.on(messages.JOIN)
    async def join(socket: Socket, body: messages.Join) -> messages.CustomerCallAnswer:
        return messages.CustomerCallAnswer(call=await calls.join(socket.actor, body.elderly))

    @customer.on(messages.LEAVE)
    async def leave(socket: Socket, body: messages.Leave) -> Empty:
        await calls.leave(socket.actor, EndReason(body.reason))
        return Empty()

    @customer.on(messages.SNAPSHOT)
    async def snapshot(socket: Socket, _: Empty) -> messages.CustomerSnapshot:
        return messages.CustomerSnapshot(call=await calls.snapshot(socket.actor))

    @customer.on(messages.HELP)
    async def ask_for_help(socket: Socket, _: Empty) -> Empty:
        await help_desk.ask(socket.actor)
        return Empty()
