"""Handlers: experts and supervisors in a call, and handing it on."""

from core.ports.guests import GuestDesk, Transfers
from core.ports.media import SupervisorMode
from signaling.messages import guest as messages
from signaling.messages import transfer
from signaling.messages.base import Empty
from signaling.messages.media import MediaJoined
from signaling.table import MessageTable, Socket
from signaling.turn import Relays


def handle_guests(staff: MessageTable, guests: GuestDesk, transfers: Transfers, relays: Relays) -> None:
    """Declare the family's handlers."""

    @staff.on(messages.OVERSEE)
    async def oversee(socket: Socket, body: messages.Oversee) -> messages.GuestAnswer:
        return messages.GuestAnswer(guest=await guests.oversee(socket.actor, body.call_id))

    @staff.on(messages.OVERSEE_MODE)
    async def mode(socket: Socket, body: messages.OverseeMode) -> messages.GuestAnswer:
        return messages.GuestAnswer(guest=await guests.set_mode(socket.actor, body.guest_id, SupervisorMode(body.mode)))

    @staff.on(messages.INVITE)
    async def invite(socket: Socket, body: messages.Invite) -> messages.Invited:
        guest_id = await guests.invite(socket.actor, body.call_id, body.staff_id, body.purpose, body.note)
        return messages.Invited(guest_id=guest_id)

    @staff.on(messages.GET)
    async def get(socket: Socket, _: Empty) -> messages.GuestList:
        return messages.GuestList(guests=await guests.mine(socket.actor))

    @staff.on(messages.MEDIA)
    async def media(socket: Socket, body: messages.GuestChoice) -> MediaJoined:
        offer = await guests.media(socket.actor, body.guest_id)
        return MediaJoined(
            call_id=offer.call_id,
            peer_id=offer.peer_id,
            sdp_offer=offer.sdp_offer,
            ice_servers=relays.servers_for(socket.actor),
            ice_transport_policy=relays.policy,
        )

    @staff.on(messages.ANSWER)
    async def answer(socket: Socket, body: messages.GuestSdpAnswer) -> Empty:
        await guests.answer(socket.actor, body.guest_id, body.peer_id, body.sdp_answer)
        return Empty()

    @staff.on(messages.LEAVE)
    async def leave(socket: Socket, body: messages.GuestChoice) -> Empty:
        await guests.leave(socket.actor, body.guest_id)
        return Empty()

    @staff.on(transfer.TRANSFER)
    async def hand_on(socket: Socket, body: transfer.Transfer) -> Empty:
        await transfers.transfer(socket.actor, body.call_id, body.kind, body.staff_id, body.skill_group, body.note)
        return Empty()
