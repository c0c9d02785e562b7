"""Handlers: joining and leaving the queue."""

from core.models.call import EndReason
from core.ports.calls import CallDesk, CallHelp, TextCalls
from signaling.messages import queue as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_queue(customer: MessageTable, calls: CallDesk, help_desk: CallHelp, text_calls: TextCalls) -> None:
    """Declare the family's handlers."""

    @customer.on(messages.JOIN)
    async def join(socket: Socket, body: messages.Join) -> messages.CustomerCallAnswer:
        return messages.CustomerCallAnswer(call=await calls.join(socket.actor, body.declared, body.channel))

    @customer.on(messages.LEAVE)
    async def leave(socket: Socket, body: messages.Leave) -> Empty:
        await calls.leave(socket.actor, EndReason(body.reason))
        return Empty()

    @customer.on(messages.SNAPSHOT)
    async def snapshot(socket: Socket, _: Empty) -> messages.CustomerSnapshot:
        return messages.CustomerSnapshot(call=await calls.snapshot(socket.actor))

    @customer.on(messages.GO_ON_BY_VIDEO)
    async def go_on_by_video(socket: Socket, _: Empty) -> Empty:
        await text_calls.go_on_by_video(socket.actor)
        return Empty()

    @customer.on(messages.DECLINE_VIDEO)
    async def decline_video(socket: Socket, _: Empty) -> Empty:
        await text_calls.decline_video(socket.actor)
        return Empty()

    @customer.on(messages.HELP)
    async def ask_for_help(socket: Socket, _: Empty) -> Empty:
        await help_desk.ask(socket.actor)
        return Empty()
