"""Which seats of a call have media now: pure rules, and the shared board in Redis that all edges look at.

The board is a convenience: when Redis loses it, calls go on and can be hung up; only lost peers go unnoticed until
their next change.
"""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from redis.asyncio import Redis

from core.models.call import CallState, EndReason
from core.ports.call_views import TranscriptionMode
from core.ports.media import PARTIES, PeerChange, PeerState, Profile, Seat

SeatState = Literal["connected", "degraded", "lost"]
KEEP_S = 24 * 3600
_MODES: dict[str, TranscriptionMode] = {"live": "live", "final_only": "final_only", "none": "none"}


@dataclass(frozen=True, slots=True)
class SeatNow:
    """The newest transport of a seat and how it is."""

    peer_id: str
    state: SeatState
    since: datetime


Seats = Mapping[Seat, SeatNow]


def after_change(current: SeatNow | None, change: PeerChange, now: datetime) -> SeatNow | None:
    """The seat after a transport's change, or None when the change means nothing for the seat.

    A transport that was replaced by a rejoin, or never came up, no longer speaks for its seat.
    """
    if change.state is PeerState.CONNECTED:
        new: SeatState = "connected"
    elif current is None or current.peer_id != change.peer_id:
        return None
    else:
        new = "degraded" if change.state is PeerState.DEGRADED else "lost"
    if current is not None and (current.peer_id, current.state) == (change.peer_id, new):
        return None
    return SeatNow(change.peer_id, new, now)


def verdict(
    state: CallState, accepted_at: datetime, seats: Seats, now: datetime, rejoin_s: float
) -> Literal["connect"] | EndReason | None:
    """What a running call's seats ask for: connect it, end it with a reason, or nothing."""
    up = [seat for seat in PARTIES if seat in seats and seats[seat].state != "lost"]
    if len(up) == len(PARTIES):
        return "connect" if state is CallState.ACCEPTED else None
    gone: list[tuple[datetime, Seat]] = []
    for seat in PARTIES:
        if seat in seats and seats[seat].state == "lost":
            gone.append((max(seats[seat].since, accepted_at), seat))
        elif seat not in seats and state is CallState.ACCEPTED:
            gone.append((accepted_at, seat))
    overdue = sorted(pair for pair in gone if (now - pair[0]).total_seconds() >= rejoin_s)
    if not overdue:
        return None
    if not any(seat in seats for seat in PARTIES):
        return EndReason.MEDIA_FAILED
    return EndReason.CUSTOMER_LOST if overdue[0][1] is Seat.CUSTOMER else EndReason.TELLER_LOST


# Two edges hear the same change: the one whose compare-and-set succeeds acts on it.
_SWAP = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class SeatBoard:
    """Seats, opened transports and the mode of transcription of running calls, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._swap = redis.register_script(_SWAP)

    async def apply(self, change: PeerChange, now: datetime) -> SeatNow | None:
        """Write down a transport's change. Returns the seat when it changed and this process was first to say so."""
        key = f"call:board:{change.call_id}"
        for _ in range(5):
            stored = await cast(Awaitable[bytes | None], self._redis.hget(key, change.seat.value)) or b""
            new = after_change(_parse(stored), change, now)
            if new is None:
                return None
            if await self._swap(keys=[key], args=[change.seat.value, stored, _dump(new), KEEP_S]):
                return new
        return None

    async def seats(self, call_id: str) -> dict[Seat, SeatNow]:
        """The seats that ever had media."""
        stored = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(f"call:board:{call_id}"))
        found = {seat: _parse(stored.get(seat.value.encode(), b"")) for seat in Seat}
        return {seat: now for seat, now in found.items() if now is not None}

    async def transcription(self, call_id: str) -> TranscriptionMode:
        """How the call is transcribed right now."""
        stored = await cast(Awaitable[bytes | None], self._redis.hget(f"call:board:{call_id}", "transcription"))
        return _MODES.get((stored or b"none").decode(), "none")

    async def set_transcription(self, call_id: str, mode: str) -> bool:
        """Returns whether this changed it."""
        key = f"call:board:{call_id}"
        stored = await cast(Awaitable[bytes | None], self._redis.hget(key, "transcription")) or b""
        if mode not in _MODES or stored == mode.encode():
            return False
        return bool(await self._swap(keys=[key], args=["transcription", stored, mode, KEEP_S]))

    async def set_picture(self, call_id: str, seat: Seat, profile: Profile, by_hand: bool) -> None:
        """Remember what a party's picture was asked to be, for a node that takes the call over."""
        key = f"call:board:{call_id}"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(key, f"picture:{seat.value}:{'hand' if by_hand else 'asked'}", profile.value)
        pipeline.expire(key, KEEP_S)
        await pipeline.execute()

    async def pictures(self, call_id: str) -> list[tuple[Seat, Profile, bool]]:
        """What was asked for so far: seat, picture, by hand."""
        stored = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(f"call:board:{call_id}"))
        names = {key.decode(): value.decode() for key, value in stored.items() if key.startswith(b"picture:")}
        found = []
        for name, value in names.items():
            _, seat, kind = name.split(":")
            found.append((Seat(seat), Profile(value), kind == "hand"))
        return found

    async def peer_opened(self, call_id: str, peer_id: str, holder: str) -> None:
        """Remember whose transport this is (`Actor.name`)."""
        key = f"call:peers:{call_id}"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(key, peer_id, holder)
        pipeline.expire(key, KEEP_S)
        await pipeline.execute()

    async def peer_holder(self, call_id: str, peer_id: str) -> str | None:
        """Who opened a transport."""
        stored = await cast(Awaitable[bytes | None], self._redis.hget(f"call:peers:{call_id}", peer_id))
        return stored.decode() if stored else None

    async def peers(self, call_id: str) -> dict[str, str]:
        """All transports opened for a call, and who opened them."""
        stored = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(f"call:peers:{call_id}"))
        return {peer.decode(): holder.decode() for peer, holder in stored.items()}

    async def peer_closed(self, call_id: str, peer_id: str) -> bool:
        """Forget a transport. Returns whether it was known."""
        return bool(await self._redis.hdel(f"call:peers:{call_id}", peer_id))

    async def forget(self, call_id: str) -> None:
        """The call has ended."""
        await self._redis.delete(f"call:board:{call_id}", f"call:peers:{call_id}")


def _dump(seat: SeatNow) -> str:
    return json.dumps([seat.peer_id, seat.state, seat.since.isoformat()])


def _parse(stored: bytes) -> SeatNow | None:
    if not stored:
        return None
    peer_id, state, since = json.loads(stored)
    return SeatNow(peer_id, state, datetime.fromisoformat(since))
