"""Staff accounts behind real HTTP: sign-in, own account and administration over one database."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pyotp
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from oidc_provider import CLIENT_ID, SECRET
from redis.asyncio import Redis

from core.db import Database
from core.http import RouteTable, SignedIn, error_middleware, mount
from core.rate_limit import RateLimiter
from core.security.permissions import Permission
from core.security.sealing import Sealer
from server.identity.account_routes import own_routes, staff_routes
from server.identity.accounts import StaffAccounts
from server.identity.oidc import ProviderSignIn
from server.identity.oidc_routes import routes as oidc_routes
from server.identity.own import OwnAccount
from server.identity.provider import Provider, ProviderSettings
from server.identity.routes import routes, session_cookie
from server.identity.rules import AccountRules
from server.identity.seed import DEMO_PASSWORD
from server.identity.service import IdentityService
from server.identity.sessions import SessionLimits
from server.identity.staff_book import StaffBook

SEALER = Sealer(bytes(range(32)))


@dataclass
class Person:
    """A browser with its own cookies. Sends the CSRF token it was told."""

    client: TestClient[web.Request, web.Application]
    csrf: str = ""
    staff_id: str = ""

    async def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """Status, and the answer or the code of the refusal."""
        headers = {"X-CSRF-Token": self.csrf}
        async with self.client.request(method, path, json=body or None, headers=headers) as response:
            told = await response.json()
        if response.status != 200:
            return response.status, told["error"]["code"]
        if "csrf_token" in told:
            self.csrf, self.staff_id = told["csrf_token"], told["staff"]["id"]
        return 200, told

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        """Send."""
        return await self.ask("POST", path, **body)

    async def get(self, path: str) -> tuple[int, Any]:
        """Fetch."""
        return await self.ask("GET", path)

    async def login(self, username: str, password: str = DEMO_PASSWORD) -> tuple[int, Any]:
        """Sign in, the first step."""
        return await self.post("/api/auth/login", username=username, password=password)


@dataclass
class House:
    """A server and as many browsers as wanted."""

    server: TestServer
    service: IdentityService
    accounts: StaffAccounts
    opened: list[TestClient[web.Request, web.Application]]

    async def browser(self) -> Person:
        """A fresh browser."""
        client = TestClient(TestServer(self.server.app), cookie_jar=CookieJar(unsafe=True))
        client._server = self.server
        self.opened.append(client)
        return Person(client)


def code_of(secret: str, at: float) -> str:
    """What the authenticator app shows at a Unix time."""
    return str(pyotp.TOTP(secret).at(int(at)))


def plain(code: str) -> str:
    """A recovery code without its dashes."""
    return re.sub("-", "", code)


@asynccontextmanager
async def identity_house(
    database: Database, redis: Redis, rules: AccountRules | None = None, issuer: str | None = None
) -> AsyncIterator[House]:
    """Accounts served on a free port, with ``POST /work`` for tellers beside them; `issuer`: with that provider."""
    limiter = RateLimiter(redis)
    service = IdentityService(database, limiter, SessionLimits(600, 12 * 3600), SEALER, rules, logins_per_minute=1000)
    accounts = StaffAccounts(database, rules)
    work = RouteTable()

    @work.post("/work", Permission.CALL_TAKE)
    async def do_work(request: web.Request) -> dict[str, bool]:
        return {"done": True}

    async def authenticate(request: web.Request) -> SignedIn | None:
        return await service.authenticate_cookie(session_cookie(request))

    app = web.Application(middlewares=[error_middleware])
    own = OwnAccount(database, limiter, SEALER, rules)
    sign_in = None
    if issuer is not None:
        settings = ProviderSettings(issuer, CLIENT_ID, SECRET, "preferred_username")
        sign_in = ProviderSignIn(database, redis, limiter, Provider(settings), issuer, "Bank ID")
    mount(
        app,
        [
            routes(service),
            oidc_routes(sign_in),
            own_routes(own),
            staff_routes(accounts, StaffBook(database, accounts)),
            work,
        ],
        authenticate,
    )
    server = TestServer(app)
    await server.start_server()
    house = House(server, service, accounts, [])
    try:
        yield house
    finally:
        for client in house.opened:
            await client.session.close()
        await server.close()
