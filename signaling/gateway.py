"""The Socket.IO server: who may connect, and the one path every message takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from socketio.exceptions import ConnectionRefusedError as Refused
from sqlalchemy.exc import SQLAlchemyError

from core.errors import BadInputError, CounterError, DeniedError, NotSignedInError, RateLimitedError, UnavailableError
from core.http import bad_input_from, unstorable
from core.security.actor import Actor, customer_actor
from core.security.tokens import read_visit_token, sha256_hex
from signaling.connections import RedisConnections
from signaling.messages import CUSTOMER, STAFF
from signaling.origin import from_own_page, is_same_origin, session_cookie
from signaling.rooms import Rooms, permission_room, staff_room, visit_room
from signaling.table import MessageTable, Socket

log = structlog.get_logger(__name__)

AuthenticateStaff = Callable[[str | None], Awaitable[Actor | None]]
OnConnect = Callable[[Socket], Awaitable[None]]

PATH = "/socket.io/"
MAX_MESSAGE_B = 300_000  # an SDP of 64 Ki characters, each at worst four bytes, and the frame around it
PING_S = 10  # with the timeout of the same length a dead connection is noticed after at most 20 s


class Gateway:
    """Owns the server, its sockets and what they may say.

    Attributes:
        sockets: Connected pages of this edge, by sid.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        rooms: Rooms,
        tables: dict[str, MessageTable],
        connections: RedisConnections,
        token_key: str,
        authenticate_staff: AuthenticateStaff,
        on_staff: OnConnect,
    ) -> None:
        """`on_staff` is told of every console that connects, before its first message."""
        self.sockets: dict[str, Socket] = {}
        self._server = server
        self._rooms = rooms
        self._tables = tables
        self._connections = connections
        self._token_key = token_key
        self._authenticate_staff = authenticate_staff
        self._on_staff = on_staff
        for namespace, connect in ((CUSTOMER, self._connect_customer), (STAFF, self._connect_staff)):
            self._declare(namespace, connect)

    def attach(self, app: web.Application) -> None:
        """Serve under `PATH`; every message guards itself, so the path is exempt from `core.http.assert_declared`."""
        self._server.attach(app, socketio_path=PATH.strip("/"))

    def _declare(self, namespace: str, connect: Callable[[str, dict[str, Any], Any], Awaitable[Socket]]) -> None:
        async def connected(sid: str, environ: Any, auth: Any = None) -> dict[str, Any] | None:
            if sid in self.sockets or not isinstance(environ, dict):
                return _refusal(_unknown("connect"))  # a client's own message of that name
            try:
                socket = await connect(sid, environ, auth)
            except CounterError as error:
                raise Refused(error.code, error.as_dict()) from None
            except (RedisError, SQLAlchemyError, OSError) as error:
                log.error("connect failed", namespace=namespace, error=str(error))
                raise Refused("service.unavailable", UnavailableError("please try again").as_dict()) from None
            self.sockets[sid] = socket
            return None

        async def disconnected(sid: str, *_: Any) -> dict[str, Any] | None:
            if self._server.manager.is_connected(sid, namespace):
                return _refusal(_unknown("disconnect"))
            await self._gone(sid)
            return None

        async def received(name: str, sid: str, *payloads: Any) -> dict[str, Any]:
            return await self.dispatch(sid, namespace, name, payloads)

        self._server.on("connect", connected, namespace=namespace)
        self._server.on("disconnect", disconnected, namespace=namespace)
        self._server.on("*", received, namespace=namespace)

    async def _connect_customer(self, sid: str, environ: dict[str, Any], auth: Any) -> Socket:
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str):
            raise NotSignedInError("please begin a visit", code="visit.token_invalid")
        visit_id = read_visit_token(self._token_key, token)
        await self._connections.connected("visit", visit_id, sid)
        await self._rooms.enter(sid, CUSTOMER, visit_room(visit_id))
        return Socket(sid, CUSTOMER, customer_actor(visit_id))

    async def _connect_staff(self, sid: str, environ: dict[str, Any], auth: Any) -> Socket:
        if not from_own_page(environ):
            raise DeniedError("staff connect from our own pages only", code="auth.origin")
        cookie = session_cookie(environ)
        actor = await self._authenticate_staff(cookie)
        if actor is None or actor.staff_id is None or cookie is None:
            raise NotSignedInError("please sign in")
        if actor.withheld is not None:
            raise DeniedError("the sign-in is not complete", code=actor.withheld)
        socket = Socket(sid, STAFF, actor, cookie, sha256_hex(cookie)[:16])
        await self._connections.connected("staff", actor.staff_id, sid)
        await self._rooms.enter(sid, STAFF, staff_room(actor.staff_id))
        for permission in actor.permissions:
            await self._rooms.enter(sid, STAFF, permission_room(permission))
        await self._on_staff(socket)
        return socket

    async def _gone(self, sid: str) -> None:
        socket = self.sockets.pop(sid, None)
        if socket is None:
            return
        try:
            if socket.actor.visit_id is not None:
                await self._connections.disconnected("visit", socket.actor.visit_id, sid)
            elif socket.actor.staff_id is not None:
                await self._connections.disconnected("staff", socket.actor.staff_id, sid)
        except RedisError as error:  # the key runs out by itself
            log.warning("lost socket not noted", sid=sid, error=str(error))

    async def drop(self, socket: Socket) -> None:
        """Disconnect a page."""
        await self._server.disconnect(socket.sid, namespace=socket.namespace)

    async def dispatch(self, sid: str, namespace: str, name: str, payloads: tuple[Any, ...]) -> dict[str, Any]:
        """One message to its acknowledgement. Never raises: a failure is an answer, too."""
        try:
            return {"ok": True, **(await self._answer(sid, namespace, name, payloads)).model_dump(mode="json")}
        except CounterError as error:
            return _refusal(error)
        except Exception as error:
            log.error("message failed", namespace=namespace, name=name, exc_info=error)
            failed = CounterError("something failed on our side")
            return _refusal(failed) | {"error": failed.as_dict() | {"retryable": True}}

    async def _answer(self, sid: str, namespace: str, name: str, payloads: tuple[Any, ...]) -> BaseModel:
        socket = self.sockets.get(sid)
        if socket is None:
            raise NotSignedInError("please connect again")
        if not socket.spend(time.monotonic()):
            raise RateLimitedError("too many messages")
        found = self._tables[namespace].find(name)
        if found is None:
            raise _unknown(name)
        message, handler = found
        if socket.cookie is not None:
            await self._renew(socket)
        if message.permission is None:
            raise DeniedError("not permitted")
        socket.actor.require(message.permission)
        if len(payloads) > 1:
            raise BadInputError("a message has one payload")
        try:
            if unstorable(payloads):
                raise BadInputError("the message holds characters that are no text")
            body = message.request.model_validate(payloads[0] if payloads else {})
        except RecursionError:
            raise BadInputError("the message is nested too deeply") from None
        except ValidationError as error:
            raise bad_input_from(error) from None
        with structlog.contextvars.bound_contextvars(call_id=getattr(body, "call_id", None)):
            return await handler(socket, body)

    async def _renew(self, socket: Socket) -> None:
        """The session may have ended, or its roles changed, since the socket connected."""
        actor = await self._authenticate_staff(socket.cookie)
        if actor is None:
            raise NotSignedInError("please sign in again")
        socket.actor = actor

    async def keep_session(self, socket: Socket) -> None:
        """Being on duty is using the session; one that has ended loses its socket."""
        try:
            kept = await self._authenticate_staff(socket.cookie) is not None
        except NotSignedInError:
            kept = False
        if not kept:
            await self.drop(socket)

    async def refresh(self) -> None:
        """Tell the other edges that our sockets are still there."""
        await self._connections.refresh(
            ("visit", socket.actor.visit_id, socket.sid)
            if socket.actor.visit_id is not None
            else ("staff", socket.actor.staff_id or "", socket.sid)
            for socket in list(self.sockets.values())
        )

    async def close(self) -> None:
        """Disconnect every page (they come back to another edge, or when this one is there again) and stop."""
        async with asyncio.timeout(5):
            if self._server.eio.sockets:
                await self._server.eio.disconnect()
            await self._server.shutdown()


def make_server() -> socketio.AsyncServer:
    """A server that answers pages of its own origin only."""
    return socketio.AsyncServer(
        async_mode="aiohttp",
        namespaces=[CUSTOMER, STAFF],
        cors_allowed_origins=is_same_origin,
        max_http_buffer_size=MAX_MESSAGE_B,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        logger=False,
        engineio_logger=False,
    )


def _unknown(name: str) -> BadInputError:
    return BadInputError("there is no such message", name=str(name)[:64])


def _refusal(error: CounterError) -> dict[str, Any]:
    return {"ok": False, "error": error.as_dict()}
