"""The object store over the wire: a real S3 server, and one in front of it that fails, breaks off or is away."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from s3_server import BUCKET, running_s3, variables

import core.store
from core.errors import NotFoundError, UnavailableError
from core.store import Store, open_store

PART_B = 5 << 20
Answer = Callable[[web.Request, int], Awaitable[web.StreamResponse | None]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_s3() as url:
        yield url


class Proxy:
    """Between us and the server; `answer` may answer in its place."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.answer: Answer | None = None
        self.asked: list[str] = []
        self.url = ""

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        body = await request.read()
        if self.answer is not None and (given := await self.answer(request, len(self.asked))) is not None:
            return given
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method, self.server + request.raw_path, data=io.BytesIO(body), headers=request.headers
            ) as got,
        ):
            content = await got.read()
            kept = {name: value for name, value in got.headers.items() if name not in ("Transfer-Encoding", "Server")}
            if request.method != "HEAD":
                kept["Content-Length"] = str(len(content))
            return web.Response(status=got.status, body=content, headers=kept)


@pytest.fixture
async def proxy(server: str) -> AsyncIterator[Proxy]:
    between = Proxy(server)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", between.pass_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    between.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield between
    await runner.cleanup()


@pytest.fixture
def store(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    """As an operator configures it; each test under a prefix of its own. Patience is cut short."""
    for name, value in variables(proxy.url).items():
        monkeypatch.setenv(name, value)
    short = {"init_backoff": timedelta(milliseconds=10), "max_backoff": timedelta(milliseconds=50), "base": 2}
    monkeypatch.setattr(
        core.store, "_RETRY", {"max_retries": 2, "retry_timeout": timedelta(seconds=5), "backoff": short}
    )
    return open_store(f"s3://{BUCKET}/{request.node.name}", Path())


async def test_what_goes_in_comes_out(store: Store, proxy: Proxy, tmp_path: Path) -> None:
    await store.put("calls/甲 1.json", b"{}")
    assert await store.get("calls/甲 1.json") == b"{}"
    large = tmp_path / "large"
    content = hashlib.sha256(b"seed").digest() * (PART_B * 2 // 32) + b"the rest"
    await asyncio.to_thread(large.write_bytes, content)
    await store.put("calls/large", large)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1_000_000):
            yield content[start : start + 1_000_000]

    await store.put("calls/pieces", pieces())
    assert sum("partNumber" in each for each in proxy.asked) >= 6, "large objects go up in parts"
    for key in ("calls/large", "calls/pieces"):
        digest = hashlib.sha256()
        async for piece in store.stream(key):
            digest.update(piece)
        assert digest.digest() == hashlib.sha256(content).digest()
        assert await store.size_b(key) == len(content)
    assert await store.get_range("calls/large", PART_B - 3, PART_B + 3) == content[PART_B - 3 : PART_B + 3]
    assert await store.keys("calls") == ["calls/large", "calls/pieces", "calls/甲 1.json"]
    await store.delete("calls/large")
    await store.delete("calls/large")
    for asking in (store.get("calls/large"), store.size_b("calls/large"), store.get_range("calls/large", 0, 1)):
        with pytest.raises(NotFoundError) as gone:
            await asking
        assert gone.value.code == "store.not_found"


async def test_a_store_that_stumbles_is_asked_again(store: Store, proxy: Proxy) -> None:
    stumbled: set[str] = set()

    async def overloaded(request: web.Request, _: int) -> web.StreamResponse | None:
        step = f"{request.method} {request.query.get('partNumber')}"
        if step in stumbled:
            return None
        stumbled.add(step)
        return web.Response(status=503, text="SlowDown")

    proxy.answer = overloaded
    content = bytes(range(256)) * ((PART_B * 2) // 256)

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    await store.put("big", pieces())
    assert await store.get("big") == content
    assert {"PUT 1", "PUT 2", "POST None", "GET None"} <= stumbled


async def test_a_store_that_stays_away_is_told(store: Store, proxy: Proxy) -> None:
    await store.put("there", b"x")

    async def broken(request: web.Request, _: int) -> web.StreamResponse:
        return web.Response(status=500)

    async def denied(request: web.Request, _: int) -> web.StreamResponse:
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")

    async def cut(request: web.Request, _: int) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    for answer in (broken, denied, cut):
        proxy.answer = answer
        before = len(proxy.asked)
        with pytest.raises(UnavailableError) as refused:
            await store.put("there", b"y")
        assert (refused.value.code, refused.value.retryable) == ("store.write_failed", True)
        assert len(proxy.asked) - before == (1 if answer is denied else 3)
        for asking in (store.get("there"), store.keys(""), store.size_b("there")):
            with pytest.raises(UnavailableError) as unread:
                await asking
            assert unread.value.code == "store.read_failed"
    proxy.answer = None
    assert await store.get("there") == b"x", "a failed write leaves the old object"


async def test_an_upload_that_breaks_off_leaves_nothing(store: Store, proxy: Proxy) -> None:
    async def third_part_fails(request: web.Request, _: int) -> web.StreamResponse | None:
        return web.Response(status=500) if request.query.get("partNumber") == "3" else None

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(PART_B)

    proxy.answer = third_part_fails
    with pytest.raises(UnavailableError):
        await store.put("half", pieces())
    proxy.answer = None
    assert await store.keys("") == []

    async def breaking() -> AsyncIterator[Any]:
        yield bytes(PART_B)
        raise NotFoundError("the source is gone", code="store.not_found")

    with pytest.raises((NotFoundError, UnavailableError)):
        await store.put("half", breaking())
    assert await store.keys("") == []
