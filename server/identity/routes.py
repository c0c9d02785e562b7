"""Sign-in endpoints and the session cookie."""

from aiohttp import web

from core.errors import DeniedError, NotSignedInError
from core.http import Done, RouteTable, actor_of
from core.models.staff import Staff
from core.security.permissions import Permission
from server.identity.rules import Awaits
from server.identity.schemas import CodeRequest, LoginRequest, LoginView, StaffView
from server.identity.service import IdentityService, NewSession

SESSION_COOKIE = "ac_session"


def session_cookie(request: web.Request) -> str | None:
    """The session cookie's value as sent by the browser."""
    return request.cookies.get(SESSION_COOKIE)


def routes(service: IdentityService) -> RouteTable:
    """Login in one or two steps, logout, me."""
    table = RouteTable()

    @table.post("/api/auth/login", Permission.PUBLIC, answer=LoginView)
    async def login(request: web.Request, body: LoginRequest) -> web.Response:
        _same_site_only(request)
        return signed_in(request, await service.login(body.username, body.password, request.remote))

    @table.post("/api/auth/second-step", Permission.SESSION_OWN, answer=LoginView)
    async def complete(request: web.Request, body: CodeRequest) -> web.Response:
        cookie = session_cookie(request) or ""
        return signed_in(request, await service.complete(actor_of(request), cookie, body.code, request.remote))

    @table.post("/api/auth/logout", Permission.SESSION_OWN, answer=Done)
    async def logout(request: web.Request) -> web.Response:
        await service.logout(actor_of(request), session_cookie(request) or "")
        return signed_out(request)

    @table.get("/api/auth/me", Permission.SESSION_OWN)
    async def me(request: web.Request) -> LoginView:
        session = await service.current(session_cookie(request))
        if session is None:  # ended between the guard and here
            raise NotSignedInError("please sign in")
        return view_of(session.staff, session.row.csrf_token, session.awaits)

    def view_of(staff: Staff, csrf_token: str, awaits: Awaits | None) -> LoginView:
        shown = StaffView.model_validate(staff, from_attributes=True)
        return LoginView(staff=shown, csrf_token=csrf_token, awaits=awaits, idle_s=service.idle_s)

    def signed_in(request: web.Request, session: NewSession) -> web.Response:
        response = _json(view_of(session.staff, session.csrf_token, session.awaits))
        set_session_cookie(request, response, session.cookie)
        return response

    return table


def set_session_cookie(request: web.Request, response: web.Response, cookie: str) -> None:
    """The cookie of a new session."""
    response.set_cookie(SESSION_COOKIE, cookie, httponly=True, samesite="Strict", path="/", secure=is_https(request))


def signed_out(request: web.Request) -> web.Response:
    """The answer that takes the cookie away."""
    response = _json(Done())
    response.del_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="Strict", secure=is_https(request))
    return response


def _json(view: LoginView | Done) -> web.Response:
    return web.Response(
        text=view.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def is_https(request: web.Request) -> bool:
    """Whether the browser spoke TLS, here or with a proxy."""
    # The header may be forged by the client, who could then only make the own cookie stricter; so also where a proxy
    # was not configured the cookie gets its flag.
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"


def _same_site_only(request: web.Request) -> None:
    """Nobody may sign a visitor in from another site (login CSRF). Browsers send this header, programs need not."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise DeniedError("sign in on our own pages", code="auth.cross_site")
