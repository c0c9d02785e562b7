"""Settings of one media node."""

import socket
from dataclasses import dataclass


def primary_address() -> str | None:
    """Address of the interface with the default route, or None without a network.

    No packet is sent: connecting a UDP socket only asks the kernel for a route. 192.0.2.1 is TEST-NET-1 (RFC 5737).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


def default_host_addresses() -> tuple[str, ...]:
    """Loopback and, when there is a network, the primary address: enough for a laptop and its neighbours."""
    primary = primary_address()
    return ("127.0.0.1",) if primary in (None, "127.0.0.1") else ("127.0.0.1", str(primary))


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """What a media node needs to know.

    Attributes:
        node_id: Name of this node, stored on the calls it carries.
        secret: Bearer token of the control API.
        host_addresses: IPv4 addresses offered as ICE host candidates; empty means `default_host_addresses()`.
        answer_timeout_s: An offer nobody answers is closed after this.
        connect_timeout_s: ICE and DTLS must be done this soon after the answer.
        degraded_after_s / lost_after_s: Silence on the uplink until a peer counts as degraded, then lost.
        idle_call_s: A call without any transport is forgotten after this.
        max_calls: Calls at once; further ones are refused as ``media.node_full``.
    """

    node_id: str
    secret: str
    host_addresses: tuple[str, ...] = ()
    answer_timeout_s: float = 60.0
    connect_timeout_s: float = 20.0
    degraded_after_s: float = 3.0
    lost_after_s: float = 8.0
    idle_call_s: float = 600.0
    max_calls: int = 200

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError("the media control secret must have at least 16 characters")
