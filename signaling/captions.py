"""Handlers: captions for the customer."""

from core.errors import ConflictError
from core.ports.calls import CallDesk
from signaling.messages import captions as messages
from signaling.messages.base import Empty
from signaling.rooms import Rooms, captions_room
from signaling.table import MessageTable, Socket


def handle_captions(customer: MessageTable, calls: CallDesk, rooms: Rooms) -> None:
    """Declare the family's handlers."""

    @customer.on(messages.SET)
    async def set_captions(socket: Socket, body: messages.SetCaptions) -> Empty:
        call = await calls.snapshot(socket.actor)
        if call is None or call.state in ("wrap_up", "closed"):
            raise ConflictError("there is no call", code="call.none")
        if body.on:
            await rooms.enter(socket.sid, socket.namespace, captions_room(call.call_id))
        else:
            await rooms.leave(socket.sid, socket.namespace, captions_room(call.call_id))
        return Empty()
