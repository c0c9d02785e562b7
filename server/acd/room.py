"""The acd room put together, for the composition root."""

from dataclasses import dataclass

from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.http import RouteTable
from core.ports.calls import CallMoves, Connections
from core.settings import Settings
from core.tasks import OnCrash
from server.acd.colleagues import ColleagueBook
from server.acd.dispatcher import Dispatcher
from server.acd.door import QueueDoor
from server.acd.lease import Lease
from server.acd.notices import NoticeBoard
from server.acd.oversee import Oversight
from server.acd.routes import routes
from server.acd.service import AcdService
from server.acd.setup import RoutingSetup


@dataclass(frozen=True, slots=True)
class AcdRoom:
    """What the room offers: `tellers` and `notices` for sockets, `oversight` for supervisors, `routes` for HTTP."""

    tellers: AcdService
    oversight: Oversight
    dispatcher: Dispatcher
    notices: NoticeBoard
    routes: RouteTable

    async def start(self) -> None:
        """Begin to dispatch."""
        await self.dispatcher.start()

    async def close(self) -> None:
        """Stop dispatching and give the lease back."""
        await self.dispatcher.close()


def build(
    database: Database,
    bus: Bus,
    redis: Redis,
    calls: CallMoves,
    connections: Connections,
    settings: Settings,
    door: QueueDoor,
    on_crash: OnCrash | None = None,
) -> AcdRoom:
    """Put the room together for an edge. `on_crash` hears of a task that died from an unexpected error."""
    service = AcdService(database, calls, settings.ring_s, settings.wrap_up_s)
    lease = Lease(redis, database.clock, "dispatcher")
    dispatcher = Dispatcher(database, bus, lease, service, calls, connections, settings.wrap_up_s, on_crash)
    notices = NoticeBoard(database)
    table = routes(database, door, notices, ColleagueBook(database, connections), RoutingSetup(database))
    return AcdRoom(service, Oversight(database, service), dispatcher, notices, table)
