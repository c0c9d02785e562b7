"""Settings of one media node."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Literal

VideoCodec = Literal["VP8", "H264"]


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
class Binding:
    """Where transports bind.

    Attributes:
        addresses: Local addresses, each offered as a host candidate.
        advertised_address: Written into offers instead of addresses that are not loopback; None: as they are.
        ports: Ports to choose from; ``range(1)`` (port 0) leaves the choice to the system.
    """

    addresses: tuple[str, ...]
    advertised_address: str | None = None
    ports: range = range(1)


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """What a media node needs to know.

    Attributes:
        node_id: Name of this node, stored on the calls it carries.
        secret: Bearer token of the control API.
        host_addresses: IPv4 addresses offered as ICE host candidates; empty means `default_host_addresses()`.
        advertised_address: Public address to write into offers in place of the non-loopback ones, for a node behind NAT
            whose ports are passed through unchanged.
        port_min / port_max: UDP ports for media; 0 leaves the choice to the system. A peer takes one per address.
        video_codec: The one codec of pictures this node offers; H264 is constrained baseline, level 3.1.
        answer_timeout_s: An offer nobody answers is closed after this.
        connect_timeout_s: ICE and DTLS must be done this soon after the answer.
        degraded_after_s / lost_after_s: Silence on the uplink until a peer counts as degraded, then lost.
        idle_call_s: A call without any transport is forgotten after this.
        max_calls: Calls at once; further ones are refused as ``media.node_full``.
    """

    node_id: str
    secret: str
    host_addresses: tuple[str, ...] = ()
    advertised_address: str | None = None
    port_min: int = 0
    port_max: int = 0
    video_codec: VideoCodec = "VP8"
    answer_timeout_s: float = 60.0
    connect_timeout_s: float = 20.0
    degraded_after_s: float = 3.0
    lost_after_s: float = 8.0
    idle_call_s: float = 600.0
    max_calls: int = 200

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError("the media control secret must have at least 16 characters")
        if (self.port_min, self.port_max) != (0, 0) and not 1024 <= self.port_min <= self.port_max <= 65535:
            raise ValueError("the media port range must lie within 1024 and 65535")
        for address in (*self.host_addresses, *([self.advertised_address] if self.advertised_address else [])):
            ipaddress.ip_address(address)

    @property
    def binding(self) -> Binding:
        """Where the node's transports bind and what they tell browsers."""
        return Binding(
            addresses=self.host_addresses or default_host_addresses(),
            advertised_address=self.advertised_address,
            ports=range(self.port_min, self.port_max + 1) if self.port_min else range(1),
        )
