"""The calls room put together, for the composition root."""

from dataclasses import dataclass

from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.events import RecordingFailed, RecordingPaused, RecordingPauseEnded, RecordingResumed
from core.http import RouteTable
from core.jobs import Subscription
from core.ports.calls import Connections, QueueEntry, QueueView, TellerDesk
from core.ports.media import MediaControl
from core.ports.recording import RecordingPauses
from core.settings import Settings
from core.tasks import OnCrash
from server.calls.guests import Guests
from server.calls.help import HelpDesk
from server.calls.keeper import AliveNodes, CallKeeper
from server.calls.media import MediaDesk
from server.calls.pause import PauseDesk
from server.calls.rating import RatingBook
from server.calls.recording_flag import RecordingFlag
from server.calls.result import ResultReader
from server.calls.routes import routes
from server.calls.seats import SeatBoard
from server.calls.service import CallService
from server.calls.text import TextDesk
from server.calls.transfer import TransferDesk
from server.calls.views import CallViewer
from server.calls.warm import WarmBook


@dataclass(frozen=True, slots=True)
class CallsRoom:
    """What the room offers: `service` for sockets and dispatcher, `media` for sockets, `routes` for HTTP."""

    service: CallService
    media: MediaDesk
    keeper: CallKeeper
    pauses: PauseDesk
    guests: Guests
    transfers: TransferDesk
    help: HelpDesk
    text: TextDesk
    routes: RouteTable

    async def start(self) -> None:
        """Begin to watch calls."""
        await self.keeper.start()

    async def close(self) -> None:
        """Stop every task of the room."""
        await self.keeper.close()
        await self.service.close()


def build(
    database: Database,
    bus: Bus,
    redis: Redis,
    control: MediaControl,
    desk: TellerDesk,
    queue: QueueView,
    door: QueueEntry,
    connections: Connections,
    settings: Settings,
    on_crash: OnCrash | None = None,
    alive_nodes: AliveNodes | None = None,
    pauses: RecordingPauses | None = None,
) -> CallsRoom:
    """Put the room together for an edge.

    Args:
        on_crash: Hears of a task that died from an unexpected error.
        alive_nodes: Media nodes that are there now, named as in `Call.media_node`. The names must change when a node
            starts anew; then calls of a node that died with the edge are ended with ``system_restart``.
    """
    board, warm = SeatBoard(redis), WarmBook(redis)
    media = MediaDesk(database, control, board, warm)
    service = CallService(database, media, desk, CallViewer(queue, board), door, board, warm, settings.rejoin_s)
    flag = RecordingFlag(database, bus)
    guests = Guests(database, media, desk)
    keeper = CallKeeper(
        database, bus, service, media, board, connections, flag, guests, settings.rejoin_s, on_crash, alive_nodes
    )
    help_desk = HelpDesk(database)
    table = routes(RatingBook(database), ResultReader(database), help_desk)
    return CallsRoom(
        service,
        media,
        keeper,
        PauseDesk(database, pauses),
        guests,
        TransferDesk(database, media, desk),
        help_desk,
        TextDesk(database, service.start_media),
        table,
    )


def subscriptions(database: Database, bus: Bus) -> list[Subscription]:
    """Facts handled as jobs, for a worker."""
    flag = RecordingFlag(database, bus)
    return [
        Subscription(RecordingFailed, "calls.recording_failed", flag.recording_changed),
        Subscription(RecordingResumed, "calls.recording_resumed", flag.recording_changed),
        Subscription(RecordingPaused, "calls.recording_paused", flag.recording_changed),
        Subscription(RecordingPauseEnded, "calls.recording_pause_ended", flag.recording_changed),
    ]
