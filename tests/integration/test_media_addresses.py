"""A node told which ports to use and which address to announce."""

import asyncio
import contextlib
import socket

import pytest
from media_fakes import Collector

from core.errors import UnavailableError
from core.ports.media import Seat
from core.settings import Settings
from server.app.media_node import media_config
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode

SECRET = "a secret of the tests"


def free_range(size: int) -> int:
    """The first of so many neighbouring UDP ports nobody uses now."""
    for first in range(41_000, 60_000, size):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + size):
                probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                probe.bind(("0.0.0.0", port))
            return first
    raise AssertionError("no free ports")


def candidates(sdp: str) -> set[tuple[str, int]]:
    lines = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return {(words[4], int(words[5])) for words in lines}


async def test_candidates_stay_in_the_range_and_show_the_advertised_address(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_range(4)
    monkeypatch.setenv("AIRCOUNTER_MEDIA_HOSTS", "0.0.0.0")
    monkeypatch.setenv("AIRCOUNTER_MEDIA_PORT_MIN", str(first))
    monkeypatch.setenv("AIRCOUNTER_MEDIA_PORT_MAX", str(first + 3))
    monkeypatch.setenv("AIRCOUNTER_MEDIA_ADVERTISED_ADDRESS", "127.0.0.1")
    seen = Collector()
    node = MediaNode(media_config(Settings(), SECRET), seen.make_sinks, seen.on_change, seen.on_failure)
    await node.start()
    client = HeadlessPeer()
    try:
        offers = [await node.open_peer(f"call_{number}", Seat.CUSTOMER) for number in range(4)]
        offered = [candidates(offer.sdp_offer) for offer in offers]
        assert all(len(each) == 1 for each in offered)
        assert set.union(*offered) == {("127.0.0.1", port) for port in range(first, first + 4)}
        with pytest.raises(UnavailableError) as refused:
            await node.open_peer("call_5", Seat.CUSTOMER)
        assert refused.value.code == "media.no_address"
        # The announced address leads to the node: the client knows no other.
        await node.answer("call_0", offers[0].peer_id, await client.answer(offers[0].sdp_offer))
        async with asyncio.timeout(20):
            await client.connected.wait()
    finally:
        await client.close()
        await node.close()


def test_without_settings_the_system_chooses() -> None:
    config = media_config(Settings(), SECRET)
    assert (config.port_min, config.port_max, config.advertised_address) == (0, 0, None)
    with pytest.raises(ValueError, match="range"):
        Settings(media_port_min=50_000)
