"""Browsers that reach the media node through a relay only: a real coturn, UDP, TCP and TLS."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from bare_page import BarePage, chromium_with
from media_fakes import Collector
from turn_relay import SECRET, TurnRelay

from core.clock import SystemClock
from core.ports.media import Seat
from core.security.actor import customer_actor
from server.media.config import MediaConfig
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode
from signaling.turn import Relays

VISITOR = customer_actor("visit_1")


@pytest.fixture(scope="module")
def relay() -> Iterator[TurnRelay]:
    with TurnRelay() as running:
        yield running


@pytest.fixture
async def node() -> AsyncIterator[MediaNode]:
    seen = Collector()
    made = MediaNode(
        MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",)), seen.make_sinks, seen.on_change, seen.on_failure
    )
    await made.start()
    yield made
    await made.close()


def configuration(secret: str, url: str, lifetime_s: float = 3600) -> dict[str, object]:
    """What a page makes of `media.join`'s answer."""
    servers = Relays(SystemClock(), (url,), secret, lifetime_s, "relay").servers_for(VISITOR)
    return {"iceServers": [server.model_dump() for server in servers], "iceTransportPolicy": "relay"}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_call_through_the_relay(relay: TurnRelay, node: MediaNode, transport: str) -> None:
    teller = HeadlessPeer()
    async with chromium_with(f"--ignore-certificate-errors-spki-list={relay.key_digest}") as browser:
        page = await BarePage.open(browser)
        opened = await node.open_peer("call_1", Seat.CUSTOMER)
        answer = await page.answer(opened.sdp_offer, **configuration(SECRET, relay.urls[transport]))
        kinds = {candidate.split(" typ ")[1].split()[0] for candidate in await page.candidates()}
        assert kinds == {"relay"}, relay.log()[-4000:]
        await node.answer("call_1", opened.peer_id, answer)
        other = await node.open_peer("call_1", Seat.TELLER)
        await node.answer("call_1", other.peer_id, await teller.answer(other.sdp_offer))
        await node.activate("call_1")
        async with asyncio.timeout(20):
            await teller.connected.wait()
            await teller.first_video.wait()
        await page.wait_frames(10)
        used = await page.selected_candidate()
        assert (used["candidateType"], used["relayProtocol"]) == ("relay", transport)
    await teller.close()
    assert ":visit_1>" in relay.log(), "the relay's log names the visit"


async def test_a_wrong_secret_and_an_old_credential_open_nothing(relay: TurnRelay, node: MediaNode) -> None:
    async with chromium_with() as browser:
        opened = await node.open_peer("call_1", Seat.CUSTOMER)
        for secret, lifetime_s in (("another secret", 3600), (SECRET, -5)):
            page = await BarePage.open(browser)
            await page.answer(opened.sdp_offer, **configuration(secret, relay.urls["udp"], lifetime_s))
            assert await page.candidates() == []
