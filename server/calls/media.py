"""Transports of a call's seats: who may open one, whose they are, and closing those nobody needs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, NotFoundError, UnavailableError
from core.models.call import Call, CallOffer, CallState
from core.models.recording import Recording
from core.models.visit import Visit
from core.ports.media import MediaControl, PeerOffer, Profile, Seat, SupervisorMode
from core.security.actor import Actor
from server.calls.hold import hold, is_on_hold, limit_picture, share
from server.calls.rows import newest_call, teller_of, visit_of
from server.calls.seats import SeatBoard
from server.calls.states import ENDED, RUNNING
from server.calls.warm import WarmBook, lobby_of

DEADLINE_S = 6.0  # a little longer than the media client's own, so that its coded error arrives


class MediaDesk:
    """Implements `core.ports.calls.CallMedia`; also starts and ends media for the call service."""

    def __init__(self, database: Database, control: MediaControl, board: SeatBoard, warm: WarmBook) -> None:
        self._database = database
        self._control = control
        self._board = board
        self._warm = warm

    async def join_customer(self, actor: Actor) -> PeerOffer:
        """Open a transport in the customer's seat, of the call there is or the one there will be."""
        visit_id = visit_of(actor)
        call_id = await self._customer_call(visit_id)
        if call_id is not None:
            await self._refuse_text(call_id)
        return await self._open(call_id or await self._reserve(visit_id), Seat.CUSTOMER, actor)

    async def join_teller(self, actor: Actor, call_id: str) -> PeerOffer:
        """Open a transport in the teller's seat: while the offer rings here, and during the call."""
        await self._require_teller(actor, call_id)
        await self._refuse_text(call_id)
        offer = await self._open(call_id, Seat.TELLER, actor)
        await self._still_required(actor, call_id, offer.peer_id)
        return offer

    async def join_lobby(self, actor: Actor) -> PeerOffer:
        """Open a teller's transport that waits for the next call; see `CallMedia.join_lobby`."""
        return await self._open(lobby_of(teller_of(actor)), Seat.TELLER, actor)

    async def enter(self, actor: Actor, call_id: str, peer_id: str) -> None:
        """Bring the transport that waited into a call; see `CallMedia.enter`."""
        lobby_id = lobby_of(teller_of(actor))
        await self._require_teller(actor, call_id)
        await self._refuse_text(call_id)
        if not await self._board.peer_closed(lobby_id, peer_id):
            raise _no_transport()
        await self._board.peer_opened(call_id, peer_id, actor.name)
        async with _deadline():
            await self._control.move_peer(lobby_id, peer_id, call_id)
        await self._still_required(actor, call_id, peer_id)

    async def answer(self, actor: Actor, peer_id: str, sdp_answer: str, call_id: str | None = None) -> None:
        """Hand over the browser's answer for a transport that this actor opened."""
        call_id = call_id or await self._own_room(actor)
        if call_id is None or await self._board.peer_holder(call_id, peer_id) != actor.name:
            raise _no_transport()
        async with _deadline():
            await self._control.answer(call_id, peer_id, sdp_answer)

    async def hold(self, actor: Actor, call_id: str, on: bool) -> None:
        """Put the teller's call on hold or take it up again; see `CallMedia.hold`."""

        async def switch() -> None:
            async with _deadline():
                await self._control.set_hold(call_id, on)

        await hold(self._database, actor, call_id, on, switch)

    async def set_profile(self, actor: Actor, call_id: str, seat: Seat, profile: Profile) -> None:
        """Ask for another picture of a party in the teller's call; see `CallMedia.set_profile`."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
        if call is None or call.teller_id != teller_of(actor):
            raise NotFoundError("there is no such call", code="call.not_found")
        if call.state not in RUNNING:
            raise ConflictError("the call is not running", code="call.not_running")
        async with _deadline():
            await self._control.set_profile(call_id, seat, profile)
        await self._board.set_picture(call_id, seat, profile, by_hand=False)

    async def limit_picture(self, actor: Actor, seat: Seat, profile: Profile, call_id: str | None = None) -> None:
        """Send less picture, as people decided; see `CallMedia.limit_picture`."""
        call_id = call_id or await self._customer_call(visit_of(actor))

        async def switch(call: str) -> None:
            async with _deadline():
                await self._control.set_profile(call, seat, profile, by_hand=True)
            await self._board.set_picture(call, seat, profile, by_hand=True)

        await limit_picture(self._database, actor, call_id, seat, profile, switch)

    async def share(self, actor: Actor, call_id: str, on: bool) -> None:
        """The teller's screen is shown or not; see `CallMedia.share`."""
        await share(self._database, actor, call_id, on)

    async def open_guest(self, call_id: str, seat: Seat, guest_id: str) -> PeerOffer:
        """Open a transport in an expert's or a supervisor's seat."""
        async with _deadline():
            offer = await self._control.open_peer(call_id, seat)
        await self._board.peer_opened(call_id, offer.peer_id, f"guest:{guest_id}")
        return offer

    async def answer_guest(self, call_id: str, guest_id: str, peer_id: str, sdp_answer: str) -> None:
        """Hand over a guest's answer. NotFoundError ``media.peer_not_found`` when the transport is not the guest's."""
        if await self._board.peer_holder(call_id, peer_id) != f"guest:{guest_id}":
            raise NotFoundError("there is no such transport", code="media.peer_not_found")
        async with _deadline():
            await self._control.answer(call_id, peer_id, sdp_answer)

    async def close_guest(self, call_id: str, peer_id: str) -> None:
        """Close a guest's transport."""
        await self._close_peer(call_id, peer_id)

    async def set_mode(self, call_id: str, mode: SupervisorMode) -> None:
        """Decide who hears the supervisor."""
        async with _deadline():
            await self._control.set_mode(call_id, mode)

    async def silence(self, call_id: str, on: bool) -> None:
        """Let the customer hear and see nothing of the counter while the call goes from hand to hand."""
        async with _deadline():
            await self._control.set_hold(call_id, on)

    async def activate(self, call_id: str, teller_id: str, again: bool = False) -> None:
        """Let media flow between the customer and this teller, and record.

        Args:
            again: The call was handed on and is silent until now.

        Raises:
            UnavailableError: ``media.unavailable``.
        """
        for peer_id, holder in (await self._board.peers(call_id)).items():
            if holder.startswith("staff:") and holder != f"staff:{teller_id}":
                await self._close_peer(call_id, peer_id)  # warmed up for an offer that went elsewhere
        async with _deadline():
            await self._control.activate(call_id)
            if again:
                await self._control.set_hold(call_id, False)
                # What the teller before has chosen for the own camera does not bind this one.
                await self._control.set_profile(call_id, Seat.TELLER, Profile.HD, by_hand=True)
                await self._board.set_picture(call_id, Seat.TELLER, Profile.HD, by_hand=True)

    async def resume(self, call_id: str) -> None:
        """A party has come (back): let a running call go on as it was, also on a node that knows nothing of it yet.

        Raises:
            UnavailableError: ``media.unavailable``.
        """
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            zero = select(Recording.started_at).where(col(Recording.call_id) == call_id)
            started_at = (await session.scalars(zero)).first()
        if call is None or call.state != CallState.CONNECTED:
            return
        async with _deadline():
            await self._control.activate(call_id, round(started_at.timestamp() * 1e6) * 1000 if started_at else 0)
            if is_on_hold(call):
                await self._control.set_hold(call_id, True)
            for seat, profile, by_hand in await self._board.pictures(call_id):
                await self._control.set_profile(call_id, seat, profile, by_hand)

    async def release(self, call_id: str, teller_id: str) -> None:
        """Close what a teller opened while an offer rang that came to nothing."""
        for peer_id, holder in (await self._board.peers(call_id)).items():
            if holder == f"staff:{teller_id}":
                await self._close_peer(call_id, peer_id)

    async def close(self, call_id: str, reason: str) -> None:
        """Close all transports of an ended call.

        Raises:
            UnavailableError: ``media.unavailable``.
        """
        async with _deadline():
            await self._control.close_call(call_id, reason)
        await self._board.forget(call_id)

    async def close_unused(self) -> None:
        """Close transports of customers who have not joined the queue in time."""
        for call_id in await self._warm.pop_due():
            async with self._database.read() as session:
                joined = await session.get(Call, call_id)
            if joined is None:
                await self.close(call_id, "not_joined")

    async def _customer_call(self, visit_id: str) -> str | None:
        async with self._database.read() as session:
            call = await newest_call(session, visit_id)
        return None if call is None or call.state in ENDED else call.id

    async def _reserve(self, visit_id: str) -> str:
        async with self._database.read() as session:
            if await session.get(Visit, visit_id) is None:
                raise NotFoundError("there is no such visit", code="visit.not_found")
        return await self._warm.reserve(visit_id)

    async def _own_room(self, actor: Actor) -> str | None:
        """Where a transport is that was opened without naming a call."""
        if actor.visit_id is None:
            return lobby_of(teller_of(actor))
        return await self._customer_call(actor.visit_id) or await self._warm.reserved(actor.visit_id)

    async def _still_required(self, actor: Actor, call_id: str, peer_id: str) -> None:
        try:  # the offer may have lapsed meanwhile: then this transport must not stay in the seat
            await self._require_teller(actor, call_id)
        except NotFoundError:
            await self._close_peer(call_id, peer_id)
            raise

    async def _require_teller(self, actor: Actor, call_id: str) -> None:
        teller_id = teller_of(actor)
        rings_here = select(CallOffer.id).where(
            col(CallOffer.call_id) == call_id,
            col(CallOffer.teller_id) == teller_id,
            col(CallOffer.outcome).is_(None),
        )
        runs_here = select(Call.id).where(
            col(Call.id) == call_id, col(Call.teller_id) == teller_id, col(Call.state).in_(sorted(RUNNING))
        )
        async with self._database.read() as session:
            if not (await session.scalars(select(rings_here.exists() | runs_here.exists()))).one():
                raise NotFoundError("there is no such call", code="call.not_found")

    async def _refuse_text(self, call_id: str) -> None:
        async with self._database.read() as session:
            channel = (await session.scalars(select(Call.channel).where(col(Call.id) == call_id))).first()
        if channel == "text":
            raise text_only()

    async def _open(self, call_id: str, seat: Seat, actor: Actor) -> PeerOffer:
        async with _deadline():
            offer = await self._control.open_peer(call_id, seat)
        await self._board.peer_opened(call_id, offer.peer_id, actor.name)
        return offer

    async def _close_peer(self, call_id: str, peer_id: str) -> None:
        if await self._board.peer_closed(call_id, peer_id):
            async with _deadline():
                await self._control.close_peer(call_id, peer_id)


def _no_transport() -> NotFoundError:
    return NotFoundError("there is no such transport", code="media.peer_not_found")


def text_only() -> ConflictError:
    """What needs media is refused while both sides only write."""
    return ConflictError("this call is in writing", code="call.text_only")


@asynccontextmanager
async def _deadline() -> AsyncIterator[None]:
    """Turns a media node's silence into the coded error."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield
    except TimeoutError:
        raise UnavailableError("the media node does not answer", code="media.unavailable") from None
