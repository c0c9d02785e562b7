"""One room's endpoints behind the real guard, served on a free port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from core.http import Authenticate, RouteTable, SignedIn, error_middleware, mount
from core.security.actor import Actor

Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def serving(tables: list[RouteTable], authenticate: Authenticate) -> AsyncIterator[Client]:
    """A client of a server with these endpoints. It keeps cookies also for 127.0.0.1."""
    app = web.Application(middlewares=[error_middleware])
    mount(app, tables, authenticate)
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def always(actor: Actor | None) -> Authenticate:
    """An authentication that takes everybody for this actor (or for nobody)."""

    async def authenticate(request: web.Request) -> SignedIn | None:
        return SignedIn(actor) if actor else None

    return authenticate
