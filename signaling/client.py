"""A client of our own socket protocol, for the demo call and for tests: the same messages a page sends."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import socketio
from socketio.exceptions import ConnectionError as SocketConnectionError

from core.errors import CounterError, UnavailableError

ACK_S = 15.0

_GONE = (
    socketio.exceptions.TimeoutError,
    socketio.exceptions.DisconnectedError,
    socketio.exceptions.BadNamespaceError,
)


class SignalingClient:
    """One connection to one namespace.

    Args:
        namespace: ``/customer`` or ``/staff``.
        auth: Connect payload, e.g. ``{"token": …}``. headers: e.g. the staff cookie and Origin.
    """

    def __init__(
        self, namespace: str, auth: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self._namespace = namespace
        self._auth = auth
        self._headers = headers or {}
        self._socket = socketio.AsyncClient(reconnection=False)
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._socket.on("*", self._received, namespace=namespace)
        self._socket.on("connect_error", self._refused, namespace=namespace)
        self._refusal: dict[str, Any] = {}

    def on(self, event: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Call `handler` with the payload of every such message."""
        self._handlers[event] = handler

    async def connect(self, url: str) -> Self:
        """Connect.

        Raises:
            UnavailableError: ``signaling.unreachable`` – nobody there, or the connection was refused.
        """
        try:
            await self._socket.connect(
                url,
                headers=self._headers,
                auth=self._auth,
                namespaces=[self._namespace],
                transports=["websocket"],
                wait_timeout=int(ACK_S),
            )
        except SocketConnectionError as error:
            why = self._refusal.get("message", error)
            raise UnavailableError(
                f"cannot connect to {url}{self._namespace}: {why}", code="signaling.unreachable"
            ) from error
        return self

    async def request(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send a message and return its acknowledgement.

        Raises:
            CounterError: The server refused; carries the server's code.
        """
        try:
            answer = await self._socket.call(event, payload, namespace=self._namespace, timeout=int(ACK_S))
        except (*_GONE, TimeoutError) as error:
            raise UnavailableError(f"no answer to {event}", code="signaling.no_answer") from error
        if not isinstance(answer, dict) or not answer.get("ok"):
            problem = answer.get("error", {}) if isinstance(answer, dict) else {}
            raise CounterError(f"{event}: {problem.get('message', 'refused')}", code=problem.get("code", "internal"))
        return answer

    async def close(self) -> None:
        """Disconnect."""
        async with asyncio.timeout(5):
            await self._socket.disconnect()

    async def _refused(self, answer: Any = None) -> None:
        self._refusal = answer if isinstance(answer, dict) else {}

    async def _received(self, event: str, payload: Any = None) -> None:
        handler = self._handlers.get(event)
        if handler is not None:
            handler(payload if isinstance(payload, dict) else {})
