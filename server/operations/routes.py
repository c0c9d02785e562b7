"""Endpoints of processes."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.operations.nodes import NodeDesk
from server.operations.schemas import DrainRequest, ProcessView

Name = Annotated[str, StringConstraints(max_length=100, pattern=r"^[\w.\-]+$")]


def routes(desk: NodeDesk) -> RouteTable:
    """Processes; draining a media node."""
    table = RouteTable()

    @table.get("/api/processes", Permission.NODE_DRAIN)
    async def processes(request: web.Request) -> list[ProcessView]:
        return await desk.processes(actor_of(request))

    @table.post("/api/nodes/{name}/drain", Permission.NODE_DRAIN)
    async def drain(request: web.Request, name: Name, /, body: DrainRequest) -> Done:
        await desk.drain(actor_of(request), name, body.on)
        return Done()

    return table
