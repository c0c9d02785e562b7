"""Reach media nodes over HTTP: `MediaControl` for the rooms in other processes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog

from core.errors import (
    BadInputError,
    ConflictError,
    CounterError,
    DeniedError,
    NotFoundError,
    UnavailableError,
)
from core.ports.media import PeerOffer, Profile, Seat, SupervisorMode

log = structlog.get_logger(__name__)

_ERRORS: dict[int, type[CounterError]] = {
    error.http_status: error for error in (BadInputError, DeniedError, NotFoundError, ConflictError, UnavailableError)
}


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A healthy media node.

    Attributes:
        url: Base address of its control API, e.g. ``http://127.0.0.1:7001``.
        load: Anything that grows with the work it has, e.g. the number of calls.
        draining: It keeps the calls it has and takes no new ones.
    """

    node_id: str
    url: str
    load: float
    draining: bool = False


class HttpMediaControl:
    """Implements `core.ports.media.MediaControl` against one or more nodes.

    Args:
        session: HTTP client; owned by the caller.
        secret: Bearer token shared with the nodes.
        nodes: The nodes that are healthy now.
        get_node: The node stored for a call, or None.
        set_node: ``(call_id, node_id, replacing)``: store the call's node if the stored one still is `replacing`
            (None: nothing stored), and return what is stored then. Two parties that join at the same moment thus
            agree on one node.
        deadline_s: For each request.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        secret: str,
        nodes: Callable[[], Awaitable[Sequence[NodeInfo]]],
        get_node: Callable[[str], Awaitable[str | None]],
        set_node: Callable[[str, str, str | None], Awaitable[str]],
        deadline_s: float = 5.0,
    ) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._nodes = nodes
        self._get_node = get_node
        self._set_node = set_node
        self._timeout = aiohttp.ClientTimeout(total=deadline_s)

    async def open_peer(self, call_id: str, seat: Seat) -> PeerOffer:
        """See `MediaControl.open_peer`. Chooses the call's node if it has none or that one is gone."""
        node = await self._node_for(call_id)
        body = await self._request("POST", node, f"/v1/calls/{quote(call_id, safe='')}/peers", {"seat": seat.value})
        try:
            return PeerOffer(call_id, body["peer_id"], body["node_id"], body["sdp_offer"])
        except KeyError:
            raise UnavailableError("the media node answered nonsense", code="media.unavailable") from None

    async def answer(self, call_id: str, peer_id: str, sdp_answer: str) -> None:
        """See `MediaControl.answer`."""
        node = await self._stored_node(call_id)
        if node is None:
            raise NotFoundError("the call has no media node", code="media.peer_not_found")
        path = f"/v1/calls/{quote(call_id, safe='')}/peers/{quote(peer_id, safe='')}/answer"
        await self._request("POST", node, path, {"sdp_answer": sdp_answer})

    async def move_peer(self, lobby_id: str, peer_id: str, call_id: str) -> None:
        """See `MediaControl.move_peer`."""
        lobby = await self._stored_node(lobby_id)
        node = await self._node_for(call_id) if lobby is not None else None
        if node is None or node != lobby:
            raise NotFoundError("another node carries the call", code="media.peer_not_found")
        path = f"/v1/calls/{quote(lobby_id, safe='')}/peers/{quote(peer_id, safe='')}/move"
        await self._request("POST", node, path, {"call_id": call_id})

    async def activate(self, call_id: str, started_ns: int = 0) -> None:
        """See `MediaControl.activate`."""
        node = await self._node_for(call_id)
        await self._request(
            "POST", node, f"/v1/calls/{quote(call_id, safe='')}/activate", {"started_ns": str(started_ns)}
        )

    async def set_mode(self, call_id: str, mode: SupervisorMode) -> None:
        """See `MediaControl.set_mode`."""
        await self._put(call_id, "mode", {"mode": mode.value})

    async def set_hold(self, call_id: str, on: bool) -> None:
        """See `MediaControl.set_hold`."""
        await self._put(call_id, "hold", {"on": "true" if on else "false"})

    async def set_profile(self, call_id: str, seat: Seat, profile: Profile, by_hand: bool = False) -> None:
        """See `MediaControl.set_profile`."""
        body = {"seat": seat.value, "profile": profile.value, "by_hand": "true" if by_hand else "false"}
        await self._put(call_id, "profile", body)

    async def _put(self, call_id: str, what: str, body: dict[str, str]) -> None:
        node = await self._stored_node(call_id)
        if node is None:
            raise NotFoundError("the call has no media node", code="media.call_not_found")
        await self._request("PUT", node, f"/v1/calls/{quote(call_id, safe='')}/{what}", body)

    async def close_peer(self, call_id: str, peer_id: str) -> None:
        """See `MediaControl.close_peer`."""
        node = await self._stored_node(call_id)
        if node is not None:
            path = f"/v1/calls/{quote(call_id, safe='')}/peers/{quote(peer_id, safe='')}"
            await self._request("DELETE", node, path)

    async def close_call(self, call_id: str, reason: str) -> None:
        """See `MediaControl.close_call`."""
        node = await self._stored_node(call_id)
        if node is not None:
            path = f"/v1/calls/{quote(call_id, safe='')}?reason={quote(reason, safe='')}"
            await self._request("DELETE", node, path)

    async def _stored_node(self, call_id: str) -> NodeInfo | None:
        node_id = await self._get_node(call_id)
        return next((node for node in await self._nodes() if node.node_id == node_id), None)

    async def _node_for(self, call_id: str) -> NodeInfo:
        """The call's node; the least loaded healthy one if it has none or its node is lost."""
        nodes = {node.node_id: node for node in await self._nodes()}
        stored = await self._get_node(call_id)
        if stored in nodes:
            return nodes[stored]
        if nodes:
            # Better a node that is about to end than none: the call moves on when it does.
            chosen = min(nodes.values(), key=lambda node: (node.draining, node.load, node.node_id))
            agreed = await self._set_node(call_id, chosen.node_id, stored)
            if agreed in nodes:
                return nodes[agreed]
        raise UnavailableError("no media node is there", code="media.unavailable")

    async def _request(self, method: str, node: NodeInfo, path: str, body: dict[str, str] | None = None) -> Any:
        try:
            async with self._session.request(
                method, node.url + path, json=body, headers=self._headers, timeout=self._timeout
            ) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("media node does not answer", node_id=node.node_id, error=repr(error))
            raise UnavailableError("the media node does not answer", code="media.unavailable") from error
        if response.status == 200 and isinstance(answer, dict):
            return answer
        code = answer.get("code", "media.unavailable") if isinstance(answer, dict) else "media.unavailable"
        kind = _ERRORS.get(response.status, UnavailableError)
        raise kind(f"the media node refused: {code}", code=str(code))
