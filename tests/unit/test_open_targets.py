"""Where webhooks may lead, and how their messages are signed."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.open.messages import signature
from server.open.targets import TargetError, allowed, check_url, networks_from

INSIDE = networks_from("10.20.0.0/16")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_the_house_and_its_neighbours_are_closed(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address), INSIDE)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "10.20.3.4", "::ffff:10.20.3.4"])
def test_the_internet_and_named_networks_are_open(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), INSIDE)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    verdict = allowed(address, INSIDE)
    for written in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert allowed(ipaddress.ip_address(written), INSIDE) == verdict


@given(st.ip_addresses())
def test_without_tls_only_named_networks(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if allowed(address, INSIDE, named_only=True):
        assert allowed(address, INSIDE)
        assert "10.20." in str(address) or isinstance(address, ipaddress.IPv6Address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://bank.example/x", "https://", "https://u:p@bank.example/", "https://127.0.0.1/", "https://[::1]/",
        "https://[fe80::1%25eth0]/", "http://8.8.8.8/", "https://bank.example:99999/", "https://bank.example/#x",
        "//bank.example", "javascript:alert(1)", "https://169.254.169.254/latest/meta-data",
    ],
)  # fmt: skip
def test_refused_addresses(url: str) -> None:
    with pytest.raises(TargetError):
        check_url(url, INSIDE)


def test_http_only_where_networks_are_named() -> None:
    with pytest.raises(TargetError):
        check_url("http://core.bank.local/hook", ())
    assert check_url("http://core.bank.local/hook", INSIDE)
    assert not check_url("https://core.bank.local/hook", INSIDE)


@given(st.text(min_size=1), st.integers(min_value=0, max_value=2**40), st.binary(), st.binary())
def test_a_signature_fits_one_secret_time_and_body(secret: str, at_s: int, body: bytes, other: bytes) -> None:
    made = signature(secret, at_s, body)
    assert made == signature(secret, at_s, body)
    assert made != signature(secret + "x", at_s, body)
    assert made.split(",")[1] != signature(secret, at_s + 1, body).split(",")[1]
    if other != body:
        assert made != signature(secret, at_s, other)
