"""The wallboard room put together, for the composition root."""

from dataclasses import dataclass

from core.bus import Bus
from core.db import Database
from core.http import RouteTable
from core.ports.wallboard import QueueClearing, TellerOversight
from core.tasks import OnCrash
from server.wallboard.emergency import EmergencySwitch
from server.wallboard.help import HelpDesk, OvertimeWatch
from server.wallboard.live import LiveBoard
from server.wallboard.oversight_routes import oversight_routes
from server.wallboard.routes import routes
from server.wallboard.service import WallboardService


@dataclass(frozen=True, slots=True)
class WallboardRoom:
    """What the room offers: `live` for sockets, `tables` for HTTP."""

    live: LiveBoard
    watch: OvertimeWatch
    tables: list[RouteTable]

    async def start(self) -> None:
        """Build the board and keep it alive."""
        await self.live.start()
        await self.watch.start()

    async def close(self) -> None:
        """Stop."""
        await self.watch.close()
        await self.live.close()


def build(
    database: Database,
    bus: Bus,
    timezone: str,
    queue: QueueClearing,
    tellers: TellerOversight,
    on_crash: OnCrash | None = None,
) -> WallboardRoom:
    """Put the room together for an edge."""
    live = LiveBoard(database, bus, timezone, on_crash)
    desk = HelpDesk(database)
    tables = [
        routes(WallboardService(database)),
        oversight_routes(desk, EmergencySwitch(database, queue), tellers),
    ]
    return WallboardRoom(live, OvertimeWatch(live, desk, database, on_crash), tables)
