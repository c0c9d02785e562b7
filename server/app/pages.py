"""Serves the built web client, with the headers that keep a bank's pages safe."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from core.errors import UnavailableError
from core.security.permissions import Permission

WEB_DIR = Path(__file__).resolve().parents[2] / "web_client" / "dist"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: every answer carries the same protective headers."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def add_pages(app: web.Application, web_dir: Path = WEB_DIR) -> None:
    """Mount ``/`` (customer), ``/verify`` (of a voucher), ``/prefill`` (before a visit), ``/staff`` and assets."""
    app.on_response_prepare.append(add_security_headers)
    app.router.add_get("/", _page(web_dir / "customer.html"))
    app.router.add_get("/verify", _page(web_dir / "customer.html"))
    app.router.add_get("/prefill", _page(web_dir / "customer.html"))
    app.router.add_get("/staff", _page(web_dir / "staff.html"))
    app.router.add_get("/staff/{path:.*}", _page(web_dir / "staff.html"))
    app.router.add_get("/assets/{path:.*}", _asset(web_dir / "assets"))


def _page(file: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    if not file.exists():
        raise UnavailableError("the web client is not built; run ./dev setup", code="web.not_built")

    async def page(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

    page.declared_permission = Permission.PUBLIC  # type: ignore[attr-defined]
    return page


def _asset(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    # The build is complete when the server starts, so only these files are ever served: no path can lead elsewhere.
    files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}

    async def asset(request: web.Request) -> web.StreamResponse:
        file = files.get(request.match_info["path"])
        if file is None:
            raise web.HTTPNotFound
        # File names carry a digest of their content, so they may be kept for good.
        return web.FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    asset.declared_permission = Permission.PUBLIC  # type: ignore[attr-defined]
    return asset
