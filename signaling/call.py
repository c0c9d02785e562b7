"""Handlers: hold, hanging up and wrapping up."""

from core.ports.calls import CallDesk, CallMedia, TellerService, TextCalls
from signaling.messages import call as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_call(
    customer: MessageTable,
    staff: MessageTable,
    calls: CallDesk,
    media: CallMedia,
    tellers: TellerService,
    text_calls: TextCalls,
) -> None:
    """Declare the family's handlers."""

    @customer.on(messages.CUSTOMER_HANG_UP)
    async def customer_hang_up(socket: Socket, _: Empty) -> Empty:
        await calls.hang_up(socket.actor)
        return Empty()

    @staff.on(messages.TELLER_HANG_UP)
    async def teller_hang_up(socket: Socket, body: messages.TellerHangUp) -> Empty:
        await calls.hang_up(socket.actor, body.call_id)
        return Empty()

    @staff.on(messages.HOLD)
    async def hold(socket: Socket, body: messages.Hold) -> Empty:
        await media.hold(socket.actor, body.call_id, body.on)
        return Empty()

    @staff.on(messages.ASK_FOR_VIDEO)
    async def ask_for_video(socket: Socket, body: messages.TellerHangUp) -> Empty:
        await text_calls.ask_for_video(socket.actor, body.call_id)
        return Empty()

    @staff.on(messages.WRAP_UP)
    async def wrap_up(socket: Socket, body: messages.WrapUp) -> messages.WrappedUp:
        await calls.wrap_up(socket.actor, body.call_id, body.disposition, body.note)
        return messages.WrappedUp(presence=await tellers.presence(socket.actor.staff_id or ""))
