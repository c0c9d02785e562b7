"""Bursts of datagrams: every packet arrives whole and in order, with and without the kernel's help."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.media import udp
from server.media.udp import BurstSender


class Ears(asyncio.DatagramProtocol):
    """Hears nothing; the socket is only lent."""


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    """A socket that gets what is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        made.setblocking(False)
        yield made


@pytest.fixture
async def transport() -> AsyncIterator[asyncio.DatagramTransport]:
    """A transport as aioice has it."""
    made, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ears, local_addr=("127.0.0.1", 0))
    yield made
    made.close()


def heard(ear: socket.socket) -> list[bytes]:
    """All that has come."""
    found = []
    try:
        while True:
            found.append(ear.recv(2000))
    except BlockingIOError:
        return found


@pytest.mark.parametrize("segments", [True, False])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([1, 60, 700, 1150, 1150, 1150, 1200]), max_size=80))
async def test_a_burst_arrives_whole_and_in_order(
    transport: asyncio.DatagramTransport, ear: socket.socket, sizes: list[int], *, segments: bool
) -> None:
    counters = Counter[str]()
    sender = BurstSender(transport, ear.getsockname(), counters)
    sender._segments = segments and udp.CAN_SEGMENT
    packets = [number.to_bytes(1, "big") * size_b for number, size_b in enumerate(sizes)]
    for packet in packets:
        sender.send(packet, True)
    assert heard(ear) == [], "they leave together at the end of the turn"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard(ear) == packets
    sender.close()
    assert not counters


async def test_the_last_packet_of_a_picture_and_a_lone_one_leave_at_once(
    transport: asyncio.DatagramTransport, ear: socket.socket
) -> None:
    sender = BurstSender(transport, ear.getsockname(), Counter())
    sender.send(b"sound", False)
    assert heard(ear) == [b"sound"]
    for packet, more in ((b"pic1", True), (b"pic2", True), (b"pic3", False)):
        sender.send(packet, more)
    assert heard(ear) == [b"pic1", b"pic2", b"pic3"]
    sender.close()


async def test_what_the_system_refuses_is_counted_and_a_device_without_segments_gets_packets_one_by_one(
    transport: asyncio.DatagramTransport, ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = Counter[str]()
    sender = BurstSender(transport, ear.getsockname(), counters)

    class Refusing:
        """The sender's socket on such a device."""

        def sendmsg(self, *_: object) -> None:
            raise OSError("no segments here")

        def sendto(self, packet: bytes, address: tuple[str, int]) -> None:
            if packet == b"b":
                raise OSError("network is unreachable")
            if packet == b"c":
                raise BlockingIOError
            ear_end.sendto(packet, address)

        def close(self) -> None:
            """Nothing to close."""

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear_end:
        sender._socket.close()
        monkeypatch.setattr(sender, "_socket", Refusing())
        monkeypatch.setattr(sender, "_segments", True)
        for packet in (b"a", b"b", b"c", b"d"):
            sender.send(packet, True)
        sender.flush()
    await asyncio.sleep(0)
    assert sorted(heard(ear)) == [b"a", b"c", b"d"]
    assert counters == {"not_sent": 1}
    assert not sender._segments


async def test_close_sends_what_waits_and_is_the_end(transport: asyncio.DatagramTransport, ear: socket.socket) -> None:
    sender = BurstSender(transport, ear.getsockname(), Counter())
    sender.send(b"goodbye", True)
    sender.close()
    sender.close()
    sender.send(b"too late", True)
    sender.send(b"too late", False)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard(ear) == [b"goodbye"]
    assert not transport.is_closing(), "the transport is not ours"
