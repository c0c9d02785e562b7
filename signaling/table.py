"""Which handler answers which message. What is not declared, or has no permission, does not start."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from core.security.actor import Actor
from core.security.permissions import Permission
from signaling.messages.base import Message

RATE_HZ = 20.0  # messages a socket may send in the long run
BURST = 60.0


@dataclass(slots=True)
class Socket:
    """One connected page.

    Attributes:
        actor: Who it is; renewed with every message of staff.
        cookie: Session cookie of staff. session: Its short name, as in `core.events.StaffSessionEnded`.
    """

    sid: str
    namespace: str
    actor: Actor
    cookie: str | None = None
    session: str | None = None
    _tokens: float = BURST
    _counted_s: float = field(default_factory=time.monotonic)

    def spend(self, now_s: float) -> bool:
        """Whether one more message is within the socket's rate."""
        self._tokens = min(BURST, self._tokens + (now_s - self._counted_s) * RATE_HZ)
        self._counted_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


Handler = Callable[[Socket, Any], Awaitable[BaseModel]]


class MessageTable:
    """Handlers of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._handlers: dict[str, tuple[Message, Handler]] = {}

    def on(self, message: Message) -> Callable[[Handler], Handler]:
        """Declare the handler of a message."""

        def declare(handler: Handler) -> Handler:
            if message.name in self._handlers:
                raise RuntimeError(f"{self.namespace} {message.name} has two handlers")
            self._handlers[message.name] = (message, handler)
            return handler

        return declare

    def find(self, name: str) -> tuple[Message, Handler] | None:
        """The declared message and its handler."""
        return self._handlers.get(name)

    def assert_declared(self, messages: tuple[Message, ...]) -> None:
        """Refuse to start unless exactly the protocol's messages are handled, each with a permission."""
        expected = {message.name for message in messages}
        odd = expected ^ set(self._handlers)
        if odd:
            raise RuntimeError(f"{self.namespace}: handled and documented messages differ: {sorted(odd)}")
        for message, _ in self._handlers.values():
            if message.permission is None or message.permission is Permission.PUBLIC:
                raise RuntimeError(f"{self.namespace} {message.name} declares no permission")
