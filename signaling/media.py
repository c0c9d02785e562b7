"""Handlers: opening a transport in one's own seat."""

from core.ports.calls import CallMedia
from core.ports.media import PeerOffer, Profile, Seat
from signaling.messages import media as messages
from signaling.messages.base import Empty
from signaling.table import MessageTable, Socket
from signaling.turn import Relays

_MOST = {"auto": Profile.HD, "low": Profile.LOW, "audio": Profile.AUDIO}


def handle_media(customer: MessageTable, staff: MessageTable, media: CallMedia, relays: Relays) -> None:
    """Declare the family's handlers. `relays` gives a fresh credential for each transport."""

    def joined(socket: Socket, offer: PeerOffer) -> messages.MediaJoined:
        return messages.MediaJoined(
            call_id=offer.call_id,
            peer_id=offer.peer_id,
            sdp_offer=offer.sdp_offer,
            ice_servers=relays.servers_for(socket.actor),
            ice_transport_policy=relays.policy,
        )

    @customer.on(messages.CUSTOMER_JOIN)
    async def customer_join(socket: Socket, _: Empty) -> messages.MediaJoined:
        return joined(socket, await media.join_customer(socket.actor))

    @customer.on(messages.CUSTOMER_ANSWER)
    async def customer_answer(socket: Socket, body: messages.CustomerSdpAnswer) -> Empty:
        await media.answer(socket.actor, body.peer_id, body.sdp_answer)
        return Empty()

    @staff.on(messages.TELLER_JOIN)
    async def teller_join(socket: Socket, body: messages.TellerJoin) -> messages.MediaJoined:
        if body.call_id is None:
            return joined(socket, await media.join_lobby(socket.actor))
        return joined(socket, await media.join_teller(socket.actor, body.call_id))

    @staff.on(messages.TELLER_ANSWER)
    async def teller_answer(socket: Socket, body: messages.TellerSdpAnswer) -> Empty:
        await media.answer(socket.actor, body.peer_id, body.sdp_answer, body.call_id)
        return Empty()

    @staff.on(messages.TELLER_ENTER)
    async def teller_enter(socket: Socket, body: messages.TellerEnter) -> Empty:
        await media.enter(socket.actor, body.call_id, body.peer_id)
        return Empty()

    @customer.on(messages.CUSTOMER_PICTURE)
    async def customer_picture(socket: Socket, body: messages.CustomerPicture) -> Empty:
        await media.limit_picture(socket.actor, Seat.CUSTOMER, _MOST[body.most])
        return Empty()

    @staff.on(messages.TELLER_PICTURE)
    async def teller_picture(socket: Socket, body: messages.TellerPicture) -> Empty:
        await media.limit_picture(socket.actor, Seat(body.seat), _MOST[body.most], body.call_id)
        return Empty()

    @staff.on(messages.TELLER_SHARE)
    async def teller_share(socket: Socket, body: messages.Share) -> Empty:
        await media.share(socket.actor, body.call_id, body.on)
        return Empty()
