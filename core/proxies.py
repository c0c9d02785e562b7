"""Whose request it is behind a reverse proxy. Pure, and a middleware that applies it.

A proxy appends the address it was asked from to ``X-Forwarded-For``. Only what configured proxies have appended counts:
the list is read from its end until an address that is none of them. What a client writes there itself is never read.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def networks_of(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks such as ``10.0.0.7`` and ``10.1.0.0/16``. ValueError for anything else."""
    return tuple(ipaddress.ip_network(name) for name in names)


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The nearest address that is no proxy of ours.

    Args:
        peer: Who is connected. forwarded_for: Addresses of the header, oldest first.
    """
    nearest = peer
    for hop in reversed(forwarded_for):
        if not _is_trusted(nearest, trusted) or _address(hop) is None:
            break
        nearest = hop.strip()
    return nearest


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None


def _is_trusted(text: str | None, trusted: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address.version == network.version and address in network for network in trusted)


def behind_proxies(trusted: Sequence[Network]) -> Middleware:
    """A middleware: requests carry the client's address and scheme as the configured proxies say."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_trusted(request.remote, trusted):
            return await handler(request)
        hops = [hop for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
        remote = client_address(request.remote, hops, trusted)
        scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
        return await handler(request.clone(remote=remote, scheme=scheme))  # type: ignore[arg-type]

    return middleware
