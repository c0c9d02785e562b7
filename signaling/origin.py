"""Whether a handshake comes from our own pages."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

SESSION_COOKIE = "ac_session"


def is_same_origin(origin: str, environ: Mapping[str, Any]) -> bool:
    """Whether an Origin header names the host that was asked.

    Only the host and port are compared: behind a proxy that ends TLS the schemes differ.
    """
    return bool(origin) and urlsplit(origin).netloc == environ.get("HTTP_HOST")


def from_own_page(environ: Mapping[str, Any]) -> bool:
    """Whether the handshake was made by one of our pages.

    Browsers send Origin with every WebSocket handshake, but not with a same-origin GET (the polling transport);
    those carry Sec-Fetch-Site instead, which pages cannot forge.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        return is_same_origin(str(origin), environ)
    return environ.get("HTTP_SEC_FETCH_SITE") == "same-origin"


def session_cookie(environ: Mapping[str, Any]) -> str | None:
    """The staff session cookie of a handshake."""
    try:
        cookies = SimpleCookie(str(environ.get("HTTP_COOKIE", "")))
    except CookieError:
        return None
    morsel = cookies.get(SESSION_COOKIE)
    return morsel.value if morsel else None
