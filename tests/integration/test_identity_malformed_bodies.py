"""Whatever is sent as a body, the answer is a coded refusal and never a failure."""

import io

import pytest
from http_app import always, serving

from core.http import Done, RouteTable
from core.security.permissions import Permission
from server.identity.schemas import LoginRequest

JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", JSON, 400, "input.invalid"),
        (b"\xff\xfe", JSON, 400, "input.invalid"),
        (b"{}", "application/json; charset=klingon", 400, "input.invalid"),
        (b"[" * 100_000, JSON, 400, "input.invalid"),
        (b'{"a":' + b"9" * 5000 + b"}", JSON, 400, "input.invalid"),
        (b'{"username": "\\ud800", "password": "x"}', JSON, 400, "input.invalid"),
        (b"{", "text/plain", 400, "input.invalid"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400, "input.invalid"),
        (b"x" * 3_000_000, JSON, 413, "input.too_large"),
    ],
)
async def test_malformed_bodies(body: bytes, content_type: str, status: int, code: str) -> None:
    table = RouteTable()

    @table.post("/x", Permission.PUBLIC)
    async def never_reached(request: object, body: LoginRequest) -> Done:
        raise AssertionError("malformed input reached the handler")

    async with serving([table], always(None)) as client:
        response = await client.post("/x", data=io.BytesIO(body), headers={"Content-Type": content_type})
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_endpoints_without_a_body_ignore_one() -> None:
    table = RouteTable()

    @table.post("/x", Permission.PUBLIC)
    async def poke(request: object) -> Done:
        return Done()

    async with serving([table], always(None)) as client:
        assert (await client.post("/x", data=b"\xff")).status == 200
        assert (await client.post("/x")).status == 200
