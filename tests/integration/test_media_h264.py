"""A house that chose H264: browsers and the headless client send and show it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bare_page import BarePage, chromium_with
from media_fakes import Collector

from core.ports.media import Seat
from server.media import rtp, sdp
from server.media.config import MediaConfig
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode

IDR_NAL, SPS_NAL, STAP_A, FU_A = 5, 7, 24, 28


@pytest.fixture
def seen() -> Collector:
    return Collector()


@pytest.fixture
async def node(seen: Collector) -> AsyncIterator[MediaNode]:
    config = MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",), video_codec="H264")
    made = MediaNode(config, seen.make_sinks, seen.on_change, seen.on_failure)
    await made.start()
    yield made
    await made.close()


def nal_types(packet: bytes) -> set[int]:
    """What an RTP packet of H264 holds (RFC 6184 section 5.4): types of its units."""
    payload = packet[rtp.payload_start(packet) :]
    kind = payload[0] & 0x1F
    if kind == FU_A:
        return {payload[1] & 0x1F}
    if kind != STAP_A:
        return {kind}
    found, at = set(), 1
    while at + 2 < len(payload):
        found.add(payload[at + 2] & 0x1F)
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return found


async def test_two_browsers_see_each_other_in_h264(node: MediaNode, seen: Collector) -> None:
    async with chromium_with() as browser:
        pages = [await BarePage.open(browser) for _ in range(2)]
        for page, seat in zip(pages, (Seat.CUSTOMER, Seat.TELLER), strict=True):
            opened = await node.open_peer("call_1", seat)
            await node.answer("call_1", opened.peer_id, await page.answer(opened.sdp_offer))
        await node.activate("call_1")
        for page in pages:
            await page.wait_frames(15)
            codecs = {each["id"]: each["mimeType"] for each in await page.stats("codec")}
            streams = [*await page.stats("inbound-rtp"), *await page.stats("outbound-rtp")]
            used = {codecs[each["codecId"]] for each in streams if each["kind"] == "video" and "codecId" in each}
            assert used == {"video/H264"}
        # Nobody asked for anything else, and what a recorder gets begins with the picture's parameters.
        for sink in seen.sinks:
            assert (sink.stream.video_codec, sink.stream.video_payload_type) == ("H264", sdp.VIDEO)
            kinds = set().union(*(nal_types(packet) for kind, packet, _ in sink.packets if kind == "video"))
            assert {IDR_NAL, SPS_NAL} <= kinds


async def test_a_headless_client_follows_the_offer(node: MediaNode) -> None:
    clients = [HeadlessPeer(), HeadlessPeer()]
    for client, seat in zip(clients, (Seat.CUSTOMER, Seat.TELLER), strict=True):
        opened = await node.open_peer("call_1", seat)
        assert "H264/90000" in opened.sdp_offer
        assert "VP8" not in opened.sdp_offer
        await node.answer("call_1", opened.peer_id, await client.answer(opened.sdp_offer))
    await node.activate("call_1")
    async with asyncio.timeout(20):
        for client in clients:
            await client.first_video.wait()
    for client in clients:
        await client.close()
