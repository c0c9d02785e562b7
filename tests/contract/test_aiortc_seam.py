"""What `server.media.seam` relies on inside aiortc, aioice and pylibsrtp. A failure here means: read the seam again."""

import asyncio
import dataclasses
import inspect
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from aioice import ice as aioice_ice
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpSender,
)
from pylibsrtp import Error, Policy, Session

from server.media import sdp
from server.media.config import Binding
from server.media.seam import MAX_QUEUE, SecureTransport, pin_addresses
from server.media.srtp import MAX_PACKET_B, Incoming, Outgoing

LOOPBACK = Binding(("127.0.0.1",))


def test_the_versions_are_the_ones_the_seam_was_written_for() -> None:
    assert {name: version(name) for name in ("aiortc", "aioice", "pylibsrtp")} == {
        "aiortc": "1.16.0",
        "aioice": "0.13.0",
        "pylibsrtp": "1.0.0",
    }


def test_dtls_hands_decrypted_packets_to_the_two_hooks() -> None:
    source = inspect.getsource(RTCDtlsTransport._recv_next)
    assert "await self._handle_rtcp_data(data)" in source
    assert "await self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)" in source
    assert list(inspect.signature(RTCDtlsTransport._handle_rtp_data).parameters) == ["self", "data", "arrival_time_ms"]
    assert list(inspect.signature(RTCDtlsTransport._handle_rtcp_data).parameters) == ["self", "data"]


def test_dtls_role_and_srtp_sessions_are_where_the_seam_looks() -> None:
    transport = RTCDtlsTransport(RTCIceTransport(RTCIceGatherer(iceServers=[])), [RTCCertificate.generateCertificate()])
    assert (transport._rx_srtp, transport._tx_srtp, transport.state) == (None, None, "new")
    transport._set_role("server")
    assert transport._role == "server"
    source = inspect.getsource(RTCDtlsTransport._setup_srtp)
    assert "self._rx_srtp = Session" in source
    assert "self._tx_srtp = Session" in source
    assert 'self.emit("statechange")' in inspect.getsource(RTCDtlsTransport._set_state)


def test_ice_keeps_its_connection_and_nominated_pairs_where_the_seam_looks() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    assert isinstance(gatherer._connection, aioice_ice.Connection)
    assert RTCIceTransport(gatherer)._connection is gatherer._connection
    connection = gatherer._connection
    assert (connection._nominated, connection._protocols) == ({}, [])
    source = inspect.getsource(aioice_ice.Connection)
    assert "self._nominated[pair.component] = pair" in source
    assert source.count("self._nominated = ") + source.count("self._nominated: ") == 1, (
        "the dictionary is never replaced"
    )
    assert "self.get_component_candidates(component=component, addresses=addresses)" in source
    assert "self.receiver.data_received(data, self.local_candidate.component)" in inspect.getsource(
        aioice_ice.StunProtocol.datagram_received
    )


async def test_ice_without_remote_candidates_fails_at_once_only_when_told_there_are_no_more() -> None:
    for told in (True, False):
        connection = aioice_ice.Connection(ice_controlling=True)
        await connection.gather_candidates()
        connection.remote_username, connection.remote_password = "abcd", "p" * 22
        if told:
            await connection.add_remote_candidate(None)
        with pytest.raises(ConnectionError if told else TimeoutError):
            async with asyncio.timeout(0.3):
                await connection.connect()
        await connection.close()


def test_srtp_takes_and_gives_bytes_and_refuses_what_does_not_fit() -> None:
    key = b"k" * 30
    session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    other = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    packet = b"\x80\x64\0\x01\0\0\0\0\0\0\0\x01payload"
    secured = session.protect(packet)
    assert other.unprotect(secured) == packet
    with pytest.raises(Error):  # replayed
        other.unprotect(secured)
    with pytest.raises(Error):  # forged
        other.unprotect(secured[:-1] + b"x")
    with pytest.raises(ValueError, match="too long"):
        session.protect(packet + bytes(1500))
    with pytest.raises(ValueError, match="too long"):
        other.unprotect(bytes(1501))


def test_our_short_way_to_libsrtp_does_what_the_sessions_do() -> None:
    def session(kind: int) -> Session:
        return Session(Policy(key=b"k" * 30, ssrc_type=kind))

    plain, incoming = session(Policy.SSRC_ANY_OUTBOUND), Incoming(session(Policy.SSRC_ANY_INBOUND))
    outgoing = Outgoing(session(Policy.SSRC_ANY_OUTBOUND))
    for number, size_b in enumerate((0, 1, 80, 1200, MAX_PACKET_B - 12)):
        packet = b"\x80\x64" + number.to_bytes(2, "big") + bytes(7) + b"\x01" + bytes(size_b)
        secured = outgoing.rtp(packet)
        if size_b < 1300:
            assert secured == plain.protect(packet)
        assert secured is not None
        assert incoming.rtp(secured[:-1] + bytes((secured[-1] ^ 1,))) is None, "forged"
        if len(secured) <= MAX_PACKET_B:
            assert incoming.rtp(secured) == packet
            assert incoming.rtp(secured) is None, "replayed"
    report = b"\x80\xc9\0\x01\0\0\0\x01"
    secured = outgoing.rtcp(report)
    assert secured == plain.protect_rtcp(report)
    assert secured is not None
    assert incoming.rtcp(secured) == report
    for transform in (incoming.rtp, incoming.rtcp, outgoing.rtp, outgoing.rtcp):
        assert transform(bytes(MAX_PACKET_B + 1)) is None
        assert transform(b"\x80") is None
        assert transform(b"") is None


def test_a_sender_asks_for_key_frames_through_one_method() -> None:
    assert "self._send_keyframe()" in inspect.getsource(RTCRtpSender._handle_rtcp_packet)
    assert "self.__encoder.pack(data)" in inspect.getsource(RTCRtpSender._next_encoded_frame)


async def test_a_client_can_be_pinned_to_loopback() -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio")
    pin_addresses(connection, ["127.0.0.1"])
    await connection.setLocalDescription(await connection.createOffer())
    candidates = [line for line in connection.localDescription.sdp.splitlines() if line.startswith("a=candidate")]
    assert candidates
    assert all(" 127.0.0.1 " in line for line in candidates)
    await connection.close()


class _Packets:
    def __init__(self) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []

    def on_rtp(self, packet: bytes, now_ns: int) -> None:
        self.rtp.append(packet)

    def on_rtcp(self, packet: bytes, now_ns: int) -> None:
        self.rtcp.append(packet)


def _remote(local: sdp.LocalTransport, *, dtls_active: bool) -> sdp.RemoteTransport:
    text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    text += (
        f"a=ice-ufrag:{local.ice_username}\r\na=ice-pwd:{local.ice_password}\r\na=fingerprint:{local.fingerprint}\r\n"
    )
    text += f"a=setup:{'active' if dtls_active else 'passive'}\r\na=rtpmap:111 opus/48000/2\r\n"
    text += "".join(f"a=candidate:{candidate}\r\n" for candidate in local.candidates)
    return sdp.parse_answer(text).transport


async def _pair() -> tuple[list[SecureTransport], list[_Packets], list[int]]:
    certificate = RTCCertificate.generateCertificate()
    packets, ended = [_Packets(), _Packets()], []
    transports = [SecureTransport(certificate, LOOPBACK, receiver, lambda: ended.append(1)) for receiver in packets]
    locals_ = [await transport.open() for transport in transports]
    await asyncio.gather(
        transports[0].connect(_remote(locals_[1], dtls_active=True), 10),
        transports[1].connect(_remote(locals_[0], dtls_active=False), 10),
    )
    return transports, packets, ended


async def _until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


RTP = b"\x80\x64\0\x01\0\0\0\0\0\0\0\x01payload"
RTCP = b"\x80\xc9\0\x01\0\0\0\x01"


async def test_packets_pass_between_two_transports_and_hostile_datagrams_do_not_hurt() -> None:
    (one, two), (_, received), ended = await _pair()
    sender, address = one._nominated[1].protocol.transport, one._nominated[1].remote_addr
    stun = b"\0\x01\0\x04\x21\x12\xa4\x42" + bytes(12) + b"\0\x06\xff\xff"
    for hostile in (
        b"",
        b"\x80",
        b"\x80\x64",
        b"\x80" * 2000,
        b"\x16" * 30,
        b"\xff" * 20,
        stun,
        stun[:19],
        b"\x80\xc9" + bytes(20),
    ):
        sender.sendto(hostile, address)
    one.send_rtp(RTP)
    one.send_rtcp(RTCP)
    await _until(lambda: received.rtp and received.rtcp)
    assert (received.rtp, received.rtcp) == ([RTP], [RTCP])
    assert two.counters["not_authentic"] >= 2
    one.send_rtp(bytes((0x80, 100)) + bytes(2000))
    assert one.counters["not_protected"] == 1

    await one.close()
    await _until(lambda: ended)
    await two.close()
    await one.close()
    assert ended == [1], "the far side noticed, the closing side knew"
    one.send_rtp(RTP)
    assert one.counters["not_connected"] == 1


async def test_a_transport_with_a_wrong_fingerprint_is_refused() -> None:
    certificates = [RTCCertificate.generateCertificate() for _ in range(3)]
    one, two = (SecureTransport(certificate, LOOPBACK, _Packets(), lambda: None) for certificate in certificates[:2])
    locals_ = [await one.open(), await two.open()]
    forged = certificates[2].getFingerprints()[0]
    text = dataclasses.replace(locals_[1], fingerprint=f"{forged.algorithm} {forged.value}")
    results = await asyncio.gather(
        one.connect(_remote(text, dtls_active=True), 5),
        two.connect(_remote(locals_[0], dtls_active=False), 5),
        return_exceptions=True,
    )
    assert isinstance(results[0], ConnectionError)
    one.send_rtp(RTP)
    assert one.counters["not_connected"] == 1
    await one.close()
    await two.close()


async def test_a_transport_closed_while_it_opens_keeps_no_socket() -> None:
    transport = SecureTransport(RTCCertificate.generateCertificate(), LOOPBACK, _Packets(), lambda: None)
    results = await asyncio.gather(transport.open(), transport.close(), return_exceptions=True)
    assert isinstance(results[0], OSError)
    assert transport._connection._protocols == []


async def test_ports_come_from_the_range_and_a_public_address_can_stand_in() -> None:
    certificate = RTCCertificate.generateCertificate()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.9", 0))
        port = probe.getsockname()[1] | 1
    binding = Binding(("127.0.0.9",), "203.0.113.7", range(port, port + 2))
    transports = [SecureTransport(certificate, binding, _Packets(), lambda: None) for _ in range(3)]
    offered = [(await transport.open()).candidates[0].split()[4:6] for transport in transports[:2]]
    assert sorted(offered) == [["127.0.0.9", str(port)], ["127.0.0.9", str(port + 1)]], "loopback is never disguised"
    with pytest.raises(OSError, match="no port"):
        await transports[2].open()
    candidate = RTCIceCandidate(1, "f", "10.0.0.5", port, 1, "udp", "host")
    assert transports[0]._advertised(candidate).ip == "203.0.113.7"
    for transport in transports:
        await transport.close()


async def test_a_flood_before_the_handshake_is_bounded() -> None:
    transport = SecureTransport(RTCCertificate.generateCertificate(), LOOPBACK, _Packets(), lambda: None)
    await transport.open()
    protocol = transport._connection._protocols[0]
    for _ in range(10 * MAX_QUEUE):
        protocol.datagram_received(b"\x16\xfe\xff" + bytes(20), ("127.0.0.1", 9))
    assert transport._connection._queue.qsize() == MAX_QUEUE
    await transport.close()


async def test_the_packet_path_works_on_uvloop() -> None:
    """Runs in a process of its own: a loop of another kind inside this one would confuse the test runner."""
    code = (
        "import asyncio, sys, uvloop\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_aiortc_seam import RTP, _pair, _until\n"
        "async def main():\n"
        "    (one, two), (_, received), ended = await _pair()\n"
        "    one.send_rtp(RTP)\n"
        "    await _until(lambda: received.rtp == [RTP])\n"
        "    await one.close(); await two.close()\n"
        "    print('passed', type(asyncio.get_running_loop()).__module__)\n"
        "uvloop.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert out.decode().split() == ["passed", "uvloop"], err.decode()
