"""Handshakes from our own pages, and from others."""

import pytest

from signaling.origin import from_own_page, is_same_origin, session_cookie


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:8300", "127.0.0.1:8300", True),
        ("https://counter.bank", "counter.bank", True),
        ("http://127.0.0.1:8301", "127.0.0.1:8300", False),
        ("https://counter.bank.evil", "counter.bank", False),
        ("https://evil/?counter.bank", "counter.bank", False),
        ("null", "counter.bank", False),
        ("", "", False),
    ],
)
def test_origin(origin: str, host: str, same: bool) -> None:
    assert is_same_origin(origin, {"HTTP_HOST": host}) is same


def test_handshakes_without_origin_need_the_browsers_word() -> None:
    assert from_own_page({"HTTP_HOST": "a", "HTTP_ORIGIN": "http://a"})
    assert from_own_page({"HTTP_HOST": "a", "HTTP_SEC_FETCH_SITE": "same-origin"})
    assert not from_own_page({"HTTP_HOST": "a"})
    assert not from_own_page({"HTTP_HOST": "a", "HTTP_SEC_FETCH_SITE": "cross-site"})
    assert not from_own_page({"HTTP_HOST": "a", "HTTP_ORIGIN": "http://b", "HTTP_SEC_FETCH_SITE": "same-origin"})


@pytest.mark.parametrize(
    ("header", "value"),
    [("ac_session=abc", "abc"), ("x=1; ac_session=abc; y=2", "abc"), ("x=1", None), ("", None), ("\0;;=", None)],
)
def test_cookie(header: str, value: str | None) -> None:
    assert session_cookie({"HTTP_COOKIE": header}) == value
