"""From where a customer came, as a class: the address itself is personal data and is not kept."""

import ipaddress
from enum import StrEnum


class AddressClass(StrEnum):
    """Classes of client addresses."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"


def address_class(address: str | None) -> AddressClass:
    """Class of a client's address as the server sees it."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return AddressClass.UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback:
        return AddressClass.LOOPBACK
    return AddressClass.PUBLIC if parsed.is_global else AddressClass.PRIVATE
