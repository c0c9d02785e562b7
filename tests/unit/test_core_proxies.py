"""Whose request it is: only configured proxies are believed."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from core.proxies import behind_proxies, client_address, networks_of

PROXIES = networks_of(["10.0.0.0/8", "2001:db8::1"])


@pytest.mark.parametrize(
    ("peer", "hops", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),  # not through a proxy: the header is a client's own
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [" 198.51.100.1 ", "10.9.9.9"], "198.51.100.1"),  # two proxies in a row
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),  # the first entry is forged
        ("2001:db8::1", ["2001:db8:5::5"], "2001:db8:5::5"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_nearest_address_that_is_no_proxy(peer: str | None, hops: list[str], client: str | None) -> None:
    assert client_address(peer, hops, PROXIES) == client


@given(st.lists(st.one_of(st.ip_addresses().map(str), st.text(max_size=20))), st.ip_addresses(v=4).map(str))
def test_nothing_a_client_writes_changes_who_it_is(forged: list[str], client: str) -> None:
    if client.startswith("10."):
        return
    assert client_address(client, forged, PROXIES) == client
    assert client_address("10.0.0.1", [*forged, client], PROXIES) == client


def test_only_addresses_and_networks_can_be_configured() -> None:
    with pytest.raises(ValueError, match="proxy"):
        networks_of(["proxy.bank.example"])


@pytest.mark.parametrize(("trusted", "seen"), [(["127.0.0.1"], ["198.51.100.1", True]), ([], ["127.0.0.1", False])])
async def test_requests_carry_it(trusted: list[str], seen: list[object]) -> None:
    async def who(request: web.Request) -> web.Response:
        return web.json_response([request.remote, request.secure])

    app = web.Application(middlewares=[behind_proxies(networks_of(trusted))])
    app.router.add_get("/who/{any}", who)
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.1", "X-Forwarded-Proto": "https"}
    async with TestClient(TestServer(app)) as client, client.get("/who/x", headers=headers) as answer:
        assert await answer.json() == seen
