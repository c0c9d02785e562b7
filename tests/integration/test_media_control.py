"""The control API between processes: real HTTP, real node."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from media_fakes import Collector

from core.errors import BadInputError, DeniedError, NotFoundError, UnavailableError
from core.ports.media import MediaControl, PeerState, Profile, Seat
from server.media.config import MediaConfig
from server.media.control_client import HttpMediaControl, NodeInfo
from server.media.control_server import serve
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode

SECRET = "a secret of the tests"


class Nodes:
    """A registry of nodes and of the nodes stored for calls, as the calls room keeps them."""

    def __init__(self) -> None:
        self.infos: list[NodeInfo] = []
        self.stored: dict[str, str] = {}

    async def list(self) -> list[NodeInfo]:
        return self.infos

    async def get(self, call_id: str) -> str | None:
        await asyncio.sleep(0)
        return self.stored.get(call_id)

    async def set(self, call_id: str, node_id: str, replacing: str | None) -> str:
        if self.stored.get(call_id) == replacing:
            self.stored[call_id] = node_id
        return self.stored[call_id]


class Site:
    """Two nodes behind HTTP and a client for them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.collector = Collector()
        self.nodes = Nodes()
        self.running: dict[str, MediaNode] = {}
        self.closers: list[aiohttp.web.AppRunner] = []
        self.control: MediaControl = self.client(SECRET)

    def client(self, secret: str, deadline_s: float = 5.0) -> HttpMediaControl:
        return HttpMediaControl(self.session, secret, self.nodes.list, self.nodes.get, self.nodes.set, deadline_s)

    async def add(self, node_id: str, load: float) -> None:
        node = MediaNode(
            MediaConfig(node_id, SECRET, ("127.0.0.1",)),
            self.collector.make_sinks,
            self.collector.on_change,
            self.collector.on_failure,
        )
        await node.start()
        runner, port = await serve(node, "127.0.0.1", 0)
        self.running[node_id] = node
        self.closers.append(runner)
        self.nodes.infos.append(NodeInfo(node_id, f"http://127.0.0.1:{port}", load))

    async def close(self) -> None:
        for runner in self.closers:
            await runner.cleanup()
        for node in self.running.values():
            await node.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        made = Site(session)
        await made.add("node_busy", 9)
        await made.add("node_idle", 1)
        yield made
        await made.close()


async def test_a_call_is_set_up_and_ended_over_http(site: Site) -> None:
    client = HeadlessPeer()
    offer = await site.control.open_peer("call_1", Seat.CUSTOMER)
    assert offer.node_id == "node_idle"
    await site.control.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
    await site.control.activate("call_1")
    async with asyncio.timeout(10):
        await client.connected.wait()
        while not site.collector.sinks:
            await asyncio.sleep(0.02)
    await site.control.close_peer("call_1", offer.peer_id)
    assert site.collector.sinks[0].closed == "closed"
    await site.control.close_call("call_1", "hangup & gone")
    await site.control.close_call("call_1", "again")
    assert site.running["node_idle"].load == 0
    await client.close()
    assert [change.state for change in site.collector.changes] == [PeerState.CONNECTED, PeerState.CLOSED]


async def test_both_parties_meet_on_one_node_even_if_they_come_at_once(site: Site) -> None:
    offers = await asyncio.gather(*(site.control.open_peer("call_1", seat) for seat in Seat))
    site.nodes.infos.reverse()
    offers.append(await site.control.open_peer("call_1", Seat.TELLER))
    assert len({offer.node_id for offer in offers}) == 1


async def test_a_call_moves_when_its_node_is_lost(site: Site) -> None:
    await site.control.open_peer("call_1", Seat.CUSTOMER)
    site.nodes.infos = [info for info in site.nodes.infos if info.node_id != "node_idle"]
    offer = await site.control.open_peer("call_1", Seat.CUSTOMER)
    assert (offer.node_id, site.nodes.stored["call_1"]) == ("node_busy", "node_busy")


async def test_a_call_that_moved_keeps_its_time_zero(site: Site) -> None:
    await site.control.open_peer("call_1", Seat.CUSTOMER)
    await site.control.activate("call_1", 1_790_000_000_000_000_000)
    client = HeadlessPeer()
    offer = await site.control.open_peer("call_1", Seat.CUSTOMER)
    await site.control.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
    async with asyncio.timeout(10):
        while not site.collector.sinks:
            await asyncio.sleep(0.02)
    assert site.collector.sinks[0].stream.started_ns == 1_790_000_000_000_000_000
    await client.close()
    url = f"{site.nodes.infos[1].url}/v1/calls/call_1/activate"
    async with site.session.post(
        url, json={"started_ns": "-1"}, headers={"Authorization": f"Bearer {SECRET}"}
    ) as response:
        assert (response.status, (await response.json())["code"]) == (400, "media.bad_request")


async def test_a_wrong_token_is_denied_everywhere(site: Site) -> None:
    with pytest.raises(DeniedError) as caught:
        await site.client("another secret of 16").open_peer("call_1", Seat.CUSTOMER)
    assert caught.value.code == "media.denied"
    url = site.nodes.infos[0].url
    for method, path in (
        ("GET", "/v1/health"),
        ("POST", "/v1/calls/call_1/peers"),
        ("POST", "/v1/calls/call_1/peers/p/answer"),
        ("DELETE", "/v1/calls/call_1/peers/p"),
        ("POST", "/v1/calls/call_1/activate"),
        ("DELETE", "/v1/calls/call_1"),
        ("GET", "/nothing"),
    ):
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {SECRET}x"}):
            async with site.session.request(method, url + path, headers=headers) as response:
                assert response.status == 403
    assert all(node.load == 0 for node in site.running.values())


async def test_refusals_keep_their_codes_over_http(site: Site) -> None:
    with pytest.raises(NotFoundError) as missing:
        await site.control.answer("call_1", "peer_1", "")
    assert missing.value.code == "media.peer_not_found"
    offer = await site.control.open_peer("call_1", Seat.CUSTOMER)
    with pytest.raises(BadInputError) as bad:
        await site.control.answer("call_1", offer.peer_id, "nonsense")
    assert bad.value.code == "media.bad_sdp"
    with pytest.raises(NotFoundError):
        await site.control.answer("call_1", "peer/../x", "")


@pytest.mark.parametrize("body", ["", "[]", "{", '{"seat": 1}', '{"seat": "ghost"}', '{"seat": "customer\\u0000"}'])
async def test_malformed_requests_are_refused(site: Site, body: str) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    url = f"{site.nodes.infos[0].url}/v1/calls/call_1/peers"
    async with site.session.post(url, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["code"] in ("media.bad_request", "media.bad_seat")
    assert all(node.load == 0 for node in site.running.values())


async def test_a_sharp_picture_is_asked_for_over_http(site: Site) -> None:
    with pytest.raises(NotFoundError) as unknown:
        await site.control.set_profile("call_1", Seat.CUSTOMER, Profile.HD)
    assert unknown.value.code == "media.call_not_found"
    await site.control.open_peer("call_1", Seat.CUSTOMER)
    await site.control.set_profile("call_1", Seat.CUSTOMER, Profile.HD)
    room = site.running["node_idle"].room("call_1")
    assert room is not None
    assert room.wished(Seat.CUSTOMER) is Profile.HD
    assert room.wished(Seat.TELLER) is Profile.VGA
    url = f"{site.nodes.infos[1].url}/v1/calls/call_1/profile"
    body = {"seat": "customer", "profile": "8k"}
    async with site.session.put(url, json=body, headers={"Authorization": f"Bearer {SECRET}"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "media.bad_request")


async def test_no_node_and_a_dead_node_are_unavailable(site: Site) -> None:
    site.nodes.infos = [NodeInfo("node_dead", "http://127.0.0.1:9", 0)]
    with pytest.raises(UnavailableError) as dead:
        await site.control.open_peer("call_1", Seat.CUSTOMER)
    site.nodes.infos = []
    with pytest.raises(UnavailableError) as none:
        await site.control.open_peer("call_2", Seat.CUSTOMER)
    assert {dead.value.code, none.value.code} == {"media.unavailable"}
    assert dead.value.retryable


async def test_a_node_that_hangs_is_unavailable_in_time(site: Site) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site.nodes.infos = [NodeInfo("node_hangs", f"http://127.0.0.1:{port}", 0)]
    async with asyncio.timeout(2):
        with pytest.raises(UnavailableError):
            await site.client(SECRET, deadline_s=0.2).open_peer("call_1", Seat.CUSTOMER)
    server.close()
    await server.wait_closed()
