"""Endpoints of the demo's helper."""

from typing import Literal

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.demo.aids import DemoAids, demo_card
from server.counter.demo.schemas import DemoHelp


def demo_routes(aids: DemoAids) -> RouteTable:
    """For the customer's page."""
    table = RouteTable()

    @table.get("/api/visit/demo", Permission.VISIT_OWN)
    async def help_(request: web.Request) -> DemoHelp:
        return await aids.help(actor_of(request))

    @table.get("/api/visit/demo/cards/{person}/{side}", Permission.VISIT_OWN)
    async def card(request: web.Request, person: str, side: Literal["front", "back"], /) -> web.Response:
        aids.require_on()
        return web.Response(body=demo_card(person, side), content_type="image/jpeg")

    return table
