"""The node's control API over HTTP, for the other processes of the counter. Loopback or internal addresses only."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

import structlog
from aiohttp import web

from core.errors import BadInputError, CounterError, DeniedError
from core.ports.media import Profile, Seat, SupervisorMode
from server.media.node import MediaNode

log = structlog.get_logger(__name__)

MAX_BODY_B = 128 * 1024
"""An SDP answer is at most 64 KiB; JSON escapes line ends."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(node: MediaNode, extra: Sequence[web.RouteDef] = ()) -> web.Application:
    """The control application. Every request needs the node's secret as bearer token.

    Args:
        extra: Requests that other rooms in this process answer.
    """
    api = _Api(node)
    app = web.Application(middlewares=[_coded_errors, _bearer(node.config.secret)], client_max_size=MAX_BODY_B)
    app.add_routes(
        [
            web.get("/v1/health", api.health),
            web.post("/v1/calls/{call_id}/peers", api.open_peer),
            web.post("/v1/calls/{call_id}/peers/{peer_id}/answer", api.answer),
            web.post("/v1/calls/{call_id}/peers/{peer_id}/move", api.move_peer),
            web.delete("/v1/calls/{call_id}/peers/{peer_id}", api.close_peer),
            web.post("/v1/calls/{call_id}/activate", api.activate),
            web.put("/v1/calls/{call_id}/mode", api.set_mode),
            web.put("/v1/calls/{call_id}/hold", api.set_hold),
            web.put("/v1/calls/{call_id}/profile", api.set_profile),
            web.delete("/v1/calls/{call_id}", api.close_call),
        ]
    )
    app.add_routes(extra)
    return app


async def serve(node: MediaNode, host: str, port: int, extra: Sequence[web.RouteDef] = ()) -> tuple[web.AppRunner, int]:
    """Start the control API. Returns the runner (to clean up) and the port, which 0 leaves to the system.

    Raises:
        OSError: The address is in use.
    """
    runner = web.AppRunner(build_app(node, extra), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, runner.addresses[0][1]


def _bearer(secret: str) -> Any:
    expected = f"Bearer {secret}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise DeniedError("the media control token is wrong", code="media.denied")
        return await handler(request)

    return check


@web.middleware
async def _coded_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except CounterError as error:
        return web.json_response(error.as_dict(), status=error.http_status)


class _Api:
    def __init__(self, node: MediaNode) -> None:
        self._node = node

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response(self._node.stats())

    async def open_peer(self, request: web.Request) -> web.Response:
        name = (await _body(request, "seat"))["seat"]
        try:
            seat = Seat(name)
        except ValueError:
            raise BadInputError("there is no such seat", code="media.bad_seat") from None
        return web.json_response(asdict(await self._node.open_peer(request.match_info["call_id"], seat)))

    async def answer(self, request: web.Request) -> web.Response:
        text = (await _body(request, "sdp_answer"))["sdp_answer"]
        await self._node.answer(request.match_info["call_id"], request.match_info["peer_id"], text)
        return web.json_response({})

    async def move_peer(self, request: web.Request) -> web.Response:
        call_id = (await _body(request, "call_id"))["call_id"]
        await self._node.move_peer(request.match_info["call_id"], request.match_info["peer_id"], call_id)
        return web.json_response({})

    async def close_peer(self, request: web.Request) -> web.Response:
        await self._node.close_peer(request.match_info["call_id"], request.match_info["peer_id"])
        return web.json_response({})

    async def activate(self, request: web.Request) -> web.Response:
        started_ns = (await _body(request, "started_ns"))["started_ns"]
        if not (started_ns.isascii() and started_ns.isdecimal() and len(started_ns) < 20):
            raise BadInputError("this is no time", code="media.bad_request")
        await self._node.activate(request.match_info["call_id"], int(started_ns))
        return web.json_response({})

    async def set_mode(self, request: web.Request) -> web.Response:
        name = (await _body(request, "mode"))["mode"]
        try:
            mode = SupervisorMode(name)
        except ValueError:
            raise BadInputError("there is no such mode", code="media.bad_request") from None
        await self._node.set_mode(request.match_info["call_id"], mode)
        return web.json_response({})

    async def set_hold(self, request: web.Request) -> web.Response:
        await self._node.set_hold(request.match_info["call_id"], await _switch(request))
        return web.json_response({})

    async def set_profile(self, request: web.Request) -> web.Response:
        body = await _body(request, "seat", "profile")
        try:
            seat, profile = Seat(body["seat"]), Profile(body["profile"])
        except ValueError:
            raise BadInputError("there is no such seat or picture", code="media.bad_request") from None
        await self._node.set_profile(
            request.match_info["call_id"], seat, profile, await _switch(request, "by_hand", "false")
        )
        return web.json_response({})

    async def close_call(self, request: web.Request) -> web.Response:
        await self._node.close_call(request.match_info["call_id"], request.query.get("reason", "closed"))
        return web.json_response({})


async def _body(request: web.Request, *names: str) -> dict[str, str]:
    """The JSON body's named strings.

    Raises:
        BadInputError: ``media.bad_request``.
    """
    try:
        async with asyncio.timeout(5):
            body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, TimeoutError):
        raise BadInputError("the body is not JSON", code="media.bad_request") from None
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in names):
        raise BadInputError(f"the body must have the strings {', '.join(names)}", code="media.bad_request")
    return {name: body[name] for name in names}


async def _switch(request: web.Request, name: str = "on", default: str | None = None) -> bool:
    """A switch in the body, as ``"true"`` or ``"false"``; with `default` it may be left out."""
    await _body(request)
    value = (await request.json()).get(name, default)
    if value not in ("true", "false"):
        raise BadInputError(f'"{name}" must be "true" or "false"', code="media.bad_request")
    return bool(value == "true")
