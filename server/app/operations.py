"""Composition of the operations room, and what every process tells of itself."""

import asyncio
import shutil
from importlib.metadata import version
from typing import Any

import structlog

from core.http import RouteTable
from core.settings import Settings
from server.app.connections import Connections
from server.operations.nodes import NodeDesk
from server.operations.routes import routes
from server.operations.rules import Limits
from server.operations.watch import Watch

log = structlog.get_logger(__name__)

LOOK_AT_DISK_S = 10.0
LATE_S = 2 * 3600.0  # a backup may take this long after its time


def operation_routes(connections: Connections) -> RouteTable:
    """For the edge."""
    return routes(NodeDesk(connections.database, connections.redis))


def watch(connections: Connections) -> Watch:
    """For edges and workers."""
    settings = connections.settings
    limits = Limits(
        disk_b=settings.alarm_disk_free_gb * 1e9,
        jobs_s=settings.alarm_jobs_s,
        speech_s=settings.alarm_speech_s,
        backup_s=24 * 3600.0 + LATE_S,
    )
    expected = connections.clock.now() if settings.backup_target is not None else None
    return Watch(connections.database, connections.redis, limits, expected)


class OwnFacts:
    """What a process says of itself with every beat: release and disk."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir
        self._facts: dict[str, Any] = {"release": version("aircounter")}

    def __call__(self) -> dict[str, Any]:
        """The facts as they were last seen."""
        return self._facts

    async def run(self) -> None:
        """Look at the disk until cancelled: in a thread, because a shared folder may hang."""
        while True:
            try:
                usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
            except OSError as error:
                log.error("the disk of the data folder cannot be looked at", error=str(error))
            else:
                self._facts |= {"disk_free_b": usage.free, "disk_b": usage.total}
            await asyncio.sleep(LOOK_AT_DISK_S)
