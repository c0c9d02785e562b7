"""A media node that only remembers what it was asked."""

import asyncio

from core.errors import UnavailableError
from core.ports.media import PeerOffer, Profile, Seat, SupervisorMode


class FakeMediaControl:
    """Implements `core.ports.media.MediaControl`.

    Attributes:
        log: What was asked, in order: ``("activate", call_id)`` …
        zeros: Time zero given with each call's newest `activate`.
        broken: Names of requests that fail as if no node were there.
    """

    def __init__(self) -> None:
        self.log: list[tuple[str, ...]] = []
        self.broken: set[str] = set()
        self.zeros: dict[str, int] = {}
        self._peers = 0
        self._changed = asyncio.Condition()

    async def open_peer(self, call_id: str, seat: Seat) -> PeerOffer:
        await self._asked("open_peer", call_id, seat.value)
        self._peers += 1
        return PeerOffer(call_id, f"peer_{self._peers}", "node-1", "v=0")

    async def answer(self, call_id: str, peer_id: str, sdp_answer: str) -> None:
        await self._asked("answer", call_id, peer_id, sdp_answer)

    async def move_peer(self, lobby_id: str, peer_id: str, call_id: str) -> None:
        await self._asked("move_peer", lobby_id, peer_id, call_id)

    async def activate(self, call_id: str, started_ns: int = 0) -> None:
        self.zeros[call_id] = started_ns
        await self._asked("activate", call_id)

    async def set_mode(self, call_id: str, mode: SupervisorMode) -> None:
        await self._asked("set_mode", call_id, mode.value)

    async def set_hold(self, call_id: str, on: bool) -> None:
        await self._asked("set_hold", call_id, "on" if on else "off")

    async def set_profile(self, call_id: str, seat: Seat, profile: Profile, by_hand: bool = False) -> None:
        await self._asked("set_profile", call_id, seat.value, profile.value, *(["by hand"] if by_hand else []))

    async def close_peer(self, call_id: str, peer_id: str) -> None:
        await self._asked("close_peer", call_id, peer_id)

    async def close_call(self, call_id: str, reason: str) -> None:
        await self._asked("close_call", call_id, reason)

    async def _asked(self, name: str, *arguments: str) -> None:
        async with self._changed:
            self.log.append((name, *arguments))
            self._changed.notify_all()
        if name in self.broken:
            raise UnavailableError("no media node is there", code="media.unavailable")

    async def wait_for(self, *entry: str) -> None:
        """Return once this was asked."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: entry in self.log)
