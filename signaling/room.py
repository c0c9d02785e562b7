"""The socket edge put together, for the composition root."""

from dataclasses import dataclass

from aiohttp import web

from core.bus import Bus
from core.clock import SystemClock
from core.ports.calls import CallDesk, CallHelp, CallMedia, ChatNewsDesk, QueueNotices, TellerService, TextCalls
from core.ports.counter import CaseDesk
from core.ports.guests import GuestDesk, Transfers
from core.ports.recording import TellerPauses
from core.ports.wallboard import WallboardSource
from core.security.permissions import Permission
from core.tasks import OnCrash
from signaling.call import handle_call
from signaling.captions import handle_captions
from signaling.connections import RedisConnections
from signaling.counter import CounterPusher, handle_counter
from signaling.gateway import AuthenticateStaff, Gateway, make_server
from signaling.guest import handle_guests
from signaling.guest_pusher import GuestPusher
from signaling.media import handle_media
from signaling.messages import CUSTOMER, MESSAGES, STAFF
from signaling.offer import handle_offer
from signaling.presence import handle_presence
from signaling.pusher import Pusher
from signaling.quality import QualityPusher
from signaling.queue import handle_queue
from signaling.recording import handle_recording
from signaling.rooms import Rooms, teller_room
from signaling.table import MessageTable, Socket
from signaling.turn import Relays
from signaling.wallboard import WallboardPusher, handle_wallboard


@dataclass(frozen=True, slots=True)
class Signaling:
    """The running edge."""

    gateway: Gateway
    pusher: Pusher
    quality: QualityPusher
    wallboard: WallboardPusher
    guests: GuestPusher
    counter: CounterPusher | None = None

    def attach(self, app: web.Application) -> None:
        """Serve sockets from this application."""
        self.gateway.attach(app)

    async def start(self) -> None:
        """Begin to push."""
        await self.pusher.start()
        await self.quality.start()
        await self.wallboard.start()
        await self.guests.start()
        if self.counter is not None:
            await self.counter.start()

    async def close(self) -> None:
        """Stop pushing and close the server."""
        if self.counter is not None:
            await self.counter.close()
        await self.wallboard.close()
        await self.guests.close()
        await self.quality.close()
        await self.pusher.close()
        await self.gateway.close()


def build(
    bus: Bus,
    calls: CallDesk,
    media: CallMedia,
    tellers: TellerService,
    wallboard: WallboardSource,
    guests: GuestDesk,
    transfers: Transfers,
    help_desk: CallHelp,
    text_calls: TextCalls,
    notices: QueueNotices,
    chats: ChatNewsDesk,
    connections: RedisConnections,
    token_key: str,
    authenticate_staff: AuthenticateStaff,
    relays: Relays | None = None,
    on_crash: OnCrash | None = None,
    pauses: TellerPauses | None = None,
    cases: CaseDesk | None = None,
) -> Signaling:
    """Put the edge together.

    Args:
        relays: Relay servers browsers are told of; None: there are none.
        cases: Business done during calls; None: it is refused here.

    Raises:
        RuntimeError: a message of the protocol has no handler or no permission.
    """
    server = make_server()
    rooms = Rooms(server)
    customer, staff = MessageTable(CUSTOMER), MessageTable(STAFF)
    handle_queue(customer, calls, help_desk, text_calls)
    relays = relays or Relays(SystemClock())
    handle_media(customer, staff, media, relays)
    handle_guests(staff, guests, transfers, relays)
    handle_call(customer, staff, calls, media, tellers, text_calls)
    handle_presence(staff, calls, tellers)
    handle_offer(staff, calls, tellers)
    handle_captions(customer, calls, rooms)
    handle_recording(staff, pauses)
    handle_counter(customer, staff, cases)
    handle_wallboard(staff, wallboard)
    tables = {CUSTOMER: customer, STAFF: staff}
    for namespace, table in tables.items():
        table.assert_declared(MESSAGES[namespace])

    async def on_staff(socket: Socket) -> None:
        """A console that reloads during a call hears its captions again."""
        if socket.actor.may(Permission.CALL_TAKE):
            call = await calls.teller_call(socket.actor)
            if call is not None:
                await rooms.enter(socket.sid, STAFF, teller_room(call.call_id))

    gateway = Gateway(server, rooms, tables, connections, token_key, authenticate_staff, on_staff)
    pusher = Pusher(bus, gateway, rooms, calls, tellers, notices, chats, on_crash)
    counter = CounterPusher(bus, gateway, rooms, cases, media, on_crash) if cases is not None else None
    quality = QualityPusher(bus, rooms, calls, on_crash)
    return Signaling(
        gateway,
        pusher,
        quality,
        WallboardPusher(bus, rooms, wallboard, on_crash),
        GuestPusher(bus, rooms, guests, on_crash),
        counter,
    )
