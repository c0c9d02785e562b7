"""Where a webhook may lead: out to the internet, or into networks the bank has named. Never into the house itself."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from core.errors import BadInputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class TargetError(BadInputError):
    """This address is none a webhook may have."""

    code = "webhook.target_denied"


def networks_from(text: str) -> tuple[Network, ...]:
    """Comma separated networks, e.g. ``10.20.0.0/16``. ValueError when one is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def allowed(address: Address, networks: Sequence[Network], named_only: bool = False) -> bool:
    """Whether a message may be sent there.

    Args:
        networks: What the bank has named. named_only: Public addresses are not allowed (no TLS).
    """
    address = _inner(address)
    if any(address in network for network in networks):
        return True
    return not named_only and address.is_global and not address.is_multicast


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does: it is what would be reached."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_url(url: str, networks: Sequence[Network]) -> bool:
    """Refuse what can be refused without asking for the name. Returns whether only named networks are allowed.

    Raises:
        TargetError: no web address, with a user name in it, or with an address that is not allowed.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise TargetError("this is no web address") from None
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.password or parts.fragment:
        raise TargetError("it must be an https address without a user name")
    if port == 0:
        raise TargetError("this is no port")
    named_only = parts.scheme == "http"
    if named_only and not networks:
        raise TargetError("it must be an https address")
    try:
        literal = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return named_only
    if not allowed(literal, networks, named_only):
        raise TargetError("this address is not open to webhooks")
    return named_only


class GuardedResolver(AbstractResolver):
    """Asks for names and gives only addresses that are allowed: what is checked is what is connected to."""

    def __init__(self, networks: Sequence[Network], named_only: bool) -> None:
        self._networks = networks
        self._named_only = named_only
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host. OSError when none is allowed."""
        found: list[Any] = await self._inner.resolve(host, port, family)
        good = [
            each
            for each in found
            if allowed(ipaddress.ip_address(each["host"].partition("%")[0]), self._networks, self._named_only)
        ]
        if not good:
            raise TargetDeniedOSError(f"{host} leads to no address that is open to webhooks")
        return good

    async def close(self) -> None:
        """Nothing is kept open."""
        await self._inner.close()


class TargetDeniedOSError(OSError):
    """As aiohttp wants it from a resolver."""
