"""Handlers: a ringing call."""

from core.errors import ConflictError
from core.ports.calls import CallDesk, TellerService
from signaling.messages import offer as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket


def handle_offer(staff: MessageTable, calls: CallDesk, tellers: TellerService) -> None:
    """Declare the family's handlers."""

    @staff.on(messages.ACCEPT)
    async def accept(socket: Socket, body: messages.OfferChoice) -> messages.OfferTaken:
        await tellers.accept(socket.actor, body.offer_id)
        call = await calls.teller_call(socket.actor)
        if call is None:  # the customer hung up within these milliseconds, and the wrap-up is over
            raise ConflictError("this call has ended", code="offer.gone")
        return messages.OfferTaken(call=call)

    @staff.on(messages.DECLINE)
    async def decline(socket: Socket, body: messages.OfferChoice) -> Empty:
        await tellers.decline(socket.actor, body.offer_id)
        return Empty()
