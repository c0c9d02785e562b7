"""Endpoint of "what waits for me"."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.waiting.read import WaitingReader
from qa.waiting.schemas import WaitingView


def routes(reader: WaitingReader) -> RouteTable:
    """One answer for all posts; each sees its own work."""
    table = RouteTable()

    @table.get("/api/my/waiting", Permission.STAFF_SELF)
    async def waiting(request: web.Request) -> WaitingView:
        return await reader.waiting(actor_of(request))

    return table
