"""Handlers: what a teller is doing."""

from core.ports.calls import CallDesk, TellerService
from signaling.messages import presence as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_presence(staff: MessageTable, calls: CallDesk, tellers: TellerService) -> None:
    """Declare the family's handlers."""

    @staff.on(messages.SET)
    async def set_presence(socket: Socket, body: messages.SetPresence) -> messages.PresenceAnswer:
        return messages.PresenceAnswer(presence=await tellers.set_presence(socket.actor, body.state, body.reason))

    @staff.on(messages.GET)
    async def get_presence(socket: Socket, _: Empty) -> messages.Console:
        staff_id = socket.actor.staff_id or ""
        return messages.Console(
            presence=await tellers.presence(staff_id),
            offer=await tellers.ringing(staff_id),
            call=await calls.teller_call(socket.actor),
        )
