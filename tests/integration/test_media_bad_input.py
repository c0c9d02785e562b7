"""A running call under fire: strangers and its own client send nonsense; nothing raises, the call goes on."""

import asyncio
import random
import socket
from typing import Any

import pytest
from media_fakes import Collector
from pylibsrtp import Error

from core.errors import ConflictError, NotFoundError
from core.ports.media import Seat
from server.media.config import MediaConfig
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode

SHOTS = 400
_STUN = b"\0\x01\0\x08\x21\x12\xa4\x42" + bytes(12) + b"\0\x06\0\x04abcd"
_DTLS = b"\x16\xfe\xfd\0\0\0\0\0\0\0\x01\0\x10" + bytes(16)
_RTP = b"\x90\x64\0\x01\0\0\0\x01\0\0\0\x02\xbe\xde\0\x01\x41\0\x01\0payload"
_RTCP = b"\x81\xce\0\x02\0\0\0\x01\0\0\0\x02"


def mutated(chance: random.Random, seed: bytes) -> bytes:
    """Some bytes changed, cut or appended."""
    data = bytearray(seed)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    data = data[: chance.randrange(1, len(data) + 1)]
    return bytes(data) + (chance.randbytes(chance.choice((0, 3, 1600))) if chance.random() < 0.5 else b"")


async def test_no_datagram_and_no_packet_of_a_client_disturbs_the_call() -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    collector, chance = Collector(), random.Random(11)
    config = MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",))
    node = MediaNode(config, collector.make_sinks, collector.on_change, collector.on_failure)
    await node.start()
    clients = {Seat.CUSTOMER: HeadlessPeer(), Seat.TELLER: HeadlessPeer()}
    offers = {}
    for seat, client in clients.items():
        offer = offers[seat] = await node.open_peer("call_1", seat)
        await node.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
    async with asyncio.timeout(60):
        for client in clients.values():
            await client.connected.wait()
        await node.activate("call_1")
        await clients[Seat.TELLER].first_video.wait()

        room = node.room("call_1")
        assert room is not None
        customer = room.live(Seat.CUSTOMER)
        assert customer is not None
        port = next(line.split()[5] for line in offers[Seat.CUSTOMER].sdp_offer.splitlines() if "candidate:" in line)
        dtls = clients[Seat.CUSTOMER]._connection.getTransceivers()[0].sender.transport
        kept: list[bytes] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for shot in range(SHOTS):
                stranger.sendto(mutated(chance, chance.choice((_STUN, _DTLS, _RTP, _RTCP))), ("127.0.0.1", int(port)))
                # The same as authentic packets: wrong SSRC, wrong payload type, torn extensions, torn reports.
                try:
                    secured = dtls._tx_srtp.protect(b"\x90\x64" + mutated(chance, _RTP[2:]).ljust(18, b"\0")[:1200])
                    report = dtls._tx_srtp.protect_rtcp(mutated(chance, _RTCP).ljust(8, b"\0")[:1200])
                except (Error, ValueError):
                    continue
                for data in (secured, report, *kept[-1:]):  # the last one is a replay
                    await dtls.transport._send(data)
                kept.append(secured)
                if shot % 20 == 0:
                    await asyncio.sleep(0.01)
        frames = clients[Seat.TELLER].received.video_frames
        while clients[Seat.TELLER].received.video_frames < frames + 15:
            await asyncio.sleep(0.02)
    dropped = node.stats()["dropped"]
    assert dropped["not_authentic"] >= 1, dropped
    assert {"unknown_ssrc", "malformed_rtp", "malformed_rtcp"} & set(dropped), dropped
    # A second client with the first one's offer, and one with an offer of nobody.
    second = HeadlessPeer()
    answer = await second.answer(offers[Seat.CUSTOMER].sdp_offer)
    with pytest.raises(ConflictError) as taken:
        await node.answer("call_1", offers[Seat.CUSTOMER].peer_id, answer)
    with pytest.raises(NotFoundError):
        await node.answer("call_1", "peer_unknown", answer)
    assert taken.value.code == "media.already_answered"
    assert room.live(Seat.CUSTOMER) is customer
    for client in (*clients.values(), second):
        await client.close()
    await node.close()
    assert faults == []
    assert collector.failures == []
