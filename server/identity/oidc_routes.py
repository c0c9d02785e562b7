"""Endpoints of the sign-in at the bank's provider. They answer browsers, so refusals lead back to the sign-in page."""

from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import StringConstraints

from core.errors import CounterError
from core.http import RouteTable
from core.security.permissions import Permission
from server.identity.oidc import LASTS_S, ProviderSignIn
from server.identity.routes import is_https, set_session_cookie
from server.identity.schemas import ProviderView

COOKIE, PATH = "ac_oidc", "/api/auth/oidc"

Following = Annotated[str, StringConstraints(max_length=500)]
Given = Annotated[str, StringConstraints(max_length=4096)]


def routes(sign_in: ProviderSignIn | None, public_url: str = "") -> RouteTable:
    """Whether there is a provider; the way there and back.

    Args:
        public_url: Where browsers reach the house; empty: where they asked.
    """
    table = RouteTable()

    @table.get("/api/auth/provider", Permission.PUBLIC)
    async def provider(request: web.Request) -> ProviderView:
        return ProviderView(name=sign_in.name if sign_in else None)

    if sign_in is None:
        return table

    @table.get(f"{PATH}/begin", Permission.PUBLIC, produces="text/html")
    async def begin(request: web.Request, next: Following = "/home") -> web.Response:
        back = f"{public_url.rstrip('/') or request.url.origin()}{PATH}/callback"
        try:
            url, browser = await sign_in.begin(own_page(next), back, request.remote)
        except CounterError as error:
            return _to("/login", refused=error.code)
        response = web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
        # Lax: the provider sends the browser back from another site.
        response.set_cookie(
            COOKIE, browser, max_age=LASTS_S, httponly=True, samesite="Lax", path=PATH, secure=is_https(request)
        )
        return response

    @table.get(f"{PATH}/callback", Permission.PUBLIC, produces="text/html")
    async def callback(request: web.Request, state: Given = "", code: Given = "", error: Given = "") -> web.Response:
        try:
            if error or not state or not code:
                return _to("/login", refused="oidc.refused")
            session, following = await sign_in.end(state, code, request.cookies.get(COOKIE, ""), request.remote)
        except CounterError as refusal:
            return _to("/login", refused=refusal.code)
        response = _to(following)
        set_session_cookie(request, response, session.cookie)
        response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Lax", secure=is_https(request))
        return response

    return table


def own_page(following: str) -> str:
    """A path within the staff pages; anything else leads home (no open redirect)."""
    plain = following.startswith("/") and not following.startswith(("//", "/\\")) and following.isprintable()
    return following if plain and "\\" not in following else "/home"


def _to(page: str, **query: str) -> web.Response:
    location = f"/staff{page}" + (f"?{urlencode(query)}" if query else "")
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})
