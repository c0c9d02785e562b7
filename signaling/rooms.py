"""Groups of sockets on this edge, and sending to them.

Every edge hears every fact on the bus and sends to its own sockets only, so no message crosses the network twice.
"""

from typing import Any

import socketio
import structlog
from pydantic import BaseModel

from signaling.messages import CUSTOMER, STAFF
from signaling.messages.base import Push

log = structlog.get_logger(__name__)


def visit_room(visit_id: str) -> str:
    """All pages of a visit."""
    return f"visit:{visit_id}"


def staff_room(staff_id: str) -> str:
    """All consoles of a member of staff."""
    return f"staff:{staff_id}"


def teller_room(call_id: str) -> str:
    """Consoles of the teller who has the call."""
    return f"call:{call_id}:teller"


def captions_room(call_id: str) -> str:
    """The customer's pages that want captions."""
    return f"call:{call_id}:captions"


def permission_room(permission: str) -> str:
    """Everybody of staff who holds a permission."""
    return f"permission:{permission}"


class Rooms:
    """Rooms of the Socket.IO server."""

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server

    async def enter(self, sid: str, namespace: str, room: str) -> None:
        """Add a socket to a room. Nothing happens when it has just gone."""
        try:
            await self._server.enter_room(sid, room, namespace=namespace)
        except (KeyError, ValueError):
            log.debug("socket went before it entered a room", sid=sid, room=room)

    async def leave(self, sid: str, namespace: str, room: str) -> None:
        """Remove a socket from a room."""
        await self._server.leave_room(sid, room, namespace=namespace)

    async def close(self, namespace: str, room: str) -> None:
        """Empty a room."""
        await self._server.close_room(room, namespace=namespace)

    async def to_customers(self, room: str, push: Push, payload: BaseModel | dict[str, Any]) -> None:
        """Send to pages of customers."""
        await self._server.emit(push.name, push.dump(payload), room=room, namespace=CUSTOMER)

    async def to_all_customers(self, push: Push, payload: BaseModel | dict[str, Any]) -> None:
        """Send to every customer's page of this edge."""
        await self._server.emit(push.name, push.dump(payload), namespace=CUSTOMER)

    async def to_staff(self, rooms: str | list[str], push: Push, payload: BaseModel | dict[str, Any]) -> None:
        """Send to consoles; once to a socket that is in several of the rooms."""
        await self._server.emit(push.name, push.dump(payload), room=rooms, namespace=STAFF)
