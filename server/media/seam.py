"""The seam to aiortc and aioice: the only file that uses names they do not promise to keep (`srtp.py` has pylibsrtp's).

Exact pins and `tests/contract/test_aiortc_seam.py` guard every such name; an upgrade that breaks one fails there first.
Measured per packet on the way in or out: bypassing aioice's queue saves a fifth of the server's time.
"""

import asyncio
import ipaddress
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpSender,
)
from aiortc.sdp import candidate_to_sdp

from server.media.config import Binding
from server.media.sdp import LocalTransport, RemoteTransport
from server.media.srtp import Incoming, Outgoing
from server.media.udp import BurstSender

MAX_QUEUE = 256
"""Datagrams kept for the handshake; a flood beyond it is dropped."""


RECEIVE_BUFFER_B = 512 * 1024
"""Room for a key frame burst while the loop is busy elsewhere."""

CLOSE_DEADLINE_S = 5.0

log = structlog.get_logger(__name__)


class PacketReceiver(Protocol):
    """Who gets the decrypted packets of a transport."""

    def on_rtp(self, packet: bytes, now_ns: int) -> None:
        """One RTP packet; `now_ns` is the monotonic time of arrival."""
        ...

    def on_rtcp(self, packet: bytes, now_ns: int) -> None:
        """One compound RTCP packet."""
        ...


class _HostConnection(Connection):
    """An ICE agent that binds where it is told instead of on every interface, and bounds its queue."""

    binding = Binding(())

    async def get_component_candidates(self, component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        candidates = []
        for address in self.binding.addresses:
            protocol = await self._bind(address)
            if protocol is None:
                continue
            host, port = protocol.transport.get_extra_info("sockname")[:2]
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", host),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=host,
                port=port,
                type="host",
            )
            self._protocols.append(protocol)
            candidates.append(protocol.local_candidate)
        return candidates

    async def _bind(self, address: str) -> StunProtocol | None:
        """A socket on a free port of the range, tried from a random place; None when there is none."""
        loop = asyncio.get_running_loop()
        ports = self.binding.ports
        first = random.randrange(len(ports))
        for step in range(len(ports)):
            port = ports[(first + step) % len(ports)]
            try:
                transport, protocol = await loop.create_datagram_endpoint(
                    lambda: StunProtocol(self), local_addr=(address, port)
                )
            except OSError:
                continue
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_B)
            return protocol
        return None

    def data_received(self, data: bytes, component: int) -> None:
        # Only DTLS and SRTP (RFC 7983): aiortc's reader dies from an empty datagram, which anybody can send.
        if data and (20 <= data[0] <= 63 or 128 <= data[0] <= 191) and self._queue.qsize() < MAX_QUEUE:
            super().data_received(data, component)


class _PassThroughDtls(RTCDtlsTransport):
    """Hands decrypted packets on as bytes. aiortc's own receivers would start a decoder for each stream."""

    receiver: PacketReceiver

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.receiver.on_rtp(data, time.monotonic_ns())

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self.receiver.on_rtcp(data, time.monotonic_ns())


class SecureTransport:
    """One ICE and DTLS-SRTP path to one browser.

    Args:
        certificate: Shared by all transports of the process; making one costs more than a call set-up.
        binding: Where to bind and what to offer.
        receiver: Gets the decrypted packets.
        on_closed: Called once when a connected transport ends without `close` (browser gone, consent expired).

    Attributes:
        counters: Dropped packets by reason.
    """

    def __init__(
        self,
        certificate: RTCCertificate,
        binding: Binding,
        receiver: PacketReceiver,
        on_closed: Callable[[], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._certificate = certificate
        self._receiver = receiver
        self._on_closed = on_closed
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._connection = _HostConnection(ice_controlling=True)
        self._connection.binding = binding
        self._gatherer._connection = self._connection
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = _PassThroughDtls(self._ice, [certificate])
        self._dtls.receiver = receiver
        self._dtls.on("statechange", self._state_changed)
        self._nominated: dict[int, CandidatePair] = self._connection._nominated
        self._pair: CandidatePair | None = None
        self._sender: BurstSender | None = None
        self._tx: Outgoing | None = None
        self._rx: Incoming | None = None
        self._closing = False

    async def open(self) -> LocalTransport:
        """Bind the sockets and return what the offer needs.

        Raises:
            OSError: No address could be bound.
        """
        await self._gatherer.gather()
        if self._closing:  # closed meanwhile: nobody else would release these sockets
            await self._connection.close()
            raise OSError("the transport was closed while it opened")
        for protocol in self._connection._protocols:
            self._hook(protocol)
        candidates = self._gatherer.getLocalCandidates()
        if not candidates:
            raise OSError(f"no port of {self._connection.binding} can be bound")
        parameters = self._gatherer.getLocalParameters()
        fingerprint = next(item for item in self._certificate.getFingerprints() if item.algorithm == "sha-256")
        return LocalTransport(
            ice_username=str(parameters.usernameFragment),
            ice_password=str(parameters.password),
            fingerprint=f"{fingerprint.algorithm} {fingerprint.value}",
            candidates=tuple(candidate_to_sdp(self._advertised(candidate)) for candidate in candidates),
        )

    async def connect(self, remote: RemoteTransport, timeout_s: float) -> None:
        """Find a path and shake hands.

        Raises:
            ConnectionError: It did not work out, or not in time.
        """
        self._dtls._set_role("server" if remote.dtls_active else "client")
        try:
            async with asyncio.timeout(timeout_s):
                for candidate in remote.candidates:
                    await self._ice.addRemoteCandidate(candidate)
                # Without candidates aioice would give up at once. Not signalling their end makes it wait for the
                # browser's own checks, which reveal its address; our deadline ends the wait.
                if remote.candidates:
                    await self._ice.addRemoteCandidate(None)
                await self._ice.start(
                    RTCIceParameters(usernameFragment=remote.ice_username, password=remote.ice_password)
                )
                if self._ice.state != "completed":
                    raise ConnectionError("no ICE candidate pair works")
                await self._dtls.start(RTCDtlsParameters(fingerprints=list(remote.fingerprints)))
        except TimeoutError:
            raise ConnectionError("the transport did not connect in time") from None
        if self._dtls.state != "connected":
            raise ConnectionError("the DTLS handshake failed")
        if self._dtls._rx_srtp is not None and self._dtls._tx_srtp is not None:
            self._rx, self._tx = Incoming(self._dtls._rx_srtp), Outgoing(self._dtls._tx_srtp)

    def send_rtp(self, packet: bytes, more: bool = False) -> None:
        """Encrypt and send one RTP packet. Dropped and counted when the transport cannot take it.

        Args:
            more: Others follow at once; this one may wait for them, but not for long.
        """
        if self._tx is not None:
            self._send(self._tx.rtp(packet), more)
        else:
            self.counters["not_connected"] += 1

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound RTCP packet."""
        if self._tx is not None:
            self._send(self._tx.rtcp(packet))
        else:
            self.counters["not_connected"] += 1

    async def close(self) -> None:
        """Say goodbye and release the sockets. Idempotent."""
        self._end()
        try:
            async with asyncio.timeout(CLOSE_DEADLINE_S):
                await self._dtls.stop()
                await self._ice.stop()
        except TimeoutError:
            log.warning("transport did not close in time")

    def _advertised(self, candidate: RTCIceCandidate) -> RTCIceCandidate:
        address = self._connection.binding.advertised_address
        if address is None or ipaddress.ip_address(candidate.ip).is_loopback:
            return candidate
        return replace(candidate, ip=address)

    def _state_changed(self) -> None:
        if self._dtls.state == "closed" and not self._closing:
            self._end()
            self._on_closed()

    def _end(self) -> None:
        """Nothing is sent or taken from now on."""
        self._closing = True
        self._tx = self._rx = None
        if self._sender is not None:
            self._sender.close()

    def _send(self, secured: bytes | None, more: bool = False) -> None:
        pair = self._nominated.get(1)
        sender = self._sender
        if secured is None or pair is None:
            self.counters["not_protected" if pair is not None else "not_connected"] += 1
            return
        if sender is None or pair is not self._pair:  # ICE may nominate another pair at any time
            if sender is not None:
                sender.close()
            self._pair = pair
            sender = self._sender = BurstSender(pair.protocol.transport, pair.remote_addr, self.counters)
        sender.send(secured, more)

    def _hook(self, protocol: StunProtocol) -> None:
        """Take SRTP off the socket before aioice tries to read it as STUN and queues it."""
        original = protocol.datagram_received

        def datagram_received(data: Any, addr: tuple[Any, ...]) -> None:
            rx = self._rx
            if rx is not None and len(data) > 11 and 127 < data[0] < 192:
                self._receive(rx, data)
                return
            try:
                original(data, addr)
            except (struct.error, LookupError, ValueError, AssertionError, TypeError):
                self.counters["malformed_stun"] += 1

        protocol.datagram_received = datagram_received  # type: ignore[method-assign]

    def _receive(self, rx: Incoming, data: bytes) -> None:
        is_rtcp = 191 < data[1] < 224  # RFC 5761 section 4
        packet = rx.rtcp(data) if is_rtcp else rx.rtp(data)
        if packet is None:
            self.counters["not_authentic"] += 1
        elif is_rtcp:
            self._receiver.on_rtcp(packet, time.monotonic_ns())
        else:
            self._receiver.on_rtp(packet, time.monotonic_ns())


def pin_addresses(connection: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Let a client connection offer exactly these addresses (aioice leaves loopback out)."""
    for transceiver in connection.getTransceivers():
        ice = transceiver.sender.transport.transport._connection
        original = ice.get_component_candidates

        async def candidates(original: Any = original, **arguments: Any) -> list[Candidate]:
            found: list[Candidate] = await original(**{**arguments, "addresses": list(addresses)})
            return found

        ice.get_component_candidates = candidates  # type: ignore[assignment]


def on_keyframe_request(sender: RTCRtpSender, callback: Callable[[], None]) -> None:
    """Be told of PLI and FIR, for a client that sends encoded frames and has no encoder to ask."""
    sender._send_keyframe = callback  # type: ignore[method-assign]
