"""Experts, consulted tellers and supervisors: their places in a call, each written to audit and time line."""

import structlog
from sqlalchemy import exists
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError
from core.events import GuestInvited, GuestJoined, GuestModeChanged
from core.ids import new_id
from core.models.call import Call, TellerPresence, TellerState
from core.models.handover import CallGuest
from core.models.staff import Staff
from core.ports.calls import TellerDesk
from core.ports.guests import Guest, GuestMode, GuestPurpose
from core.ports.media import PeerChange, PeerOffer, PeerState, Seat, SupervisorMode
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission, permissions_of
from server.calls import rows
from server.calls.guest_rows import SEATS, end_guest, gone, lock_guest, open_guests
from server.calls.guest_views import guest_view
from server.calls.media import MediaDesk, text_only
from server.calls.states import RUNNING

log = structlog.get_logger(__name__)

_MODES: dict[SupervisorMode, GuestMode] = {
    SupervisorMode.MONITOR: "monitor",
    SupervisorMode.WHISPER: "whisper",
    SupervisorMode.BARGE: "barge",
}
_MAY_CONSULT = (TellerState.READY, TellerState.BREAK)  # whoever has a customer is not called away


class Guests:
    """Implements `core.ports.guests.GuestDesk`. The only writer of `CallGuest`."""

    def __init__(self, database: Database, media: MediaDesk, desk: TellerDesk) -> None:
        self._database = database
        self._media = media
        self._desk = desk
        self._system = system_actor("calls")

    # --- coming -------------------------------------------------------------------------------------------------

    async def oversee(self, actor: Actor, call_id: str) -> Guest:
        """Take the supervisor's seat, heard by none; see `GuestDesk.oversee`."""
        actor.require(Permission.CALL_OVERSEE)
        staff_id = _staff(actor)
        async with self._database.unit_of_work(actor) as work:
            call = await _running(work, call_id)
            if call.teller_id == staff_id:
                raise ConflictError("nobody oversees their own call", code="call.own")
            guest = await self._supervisor_of(work, call, staff_id)
            if guest is None:
                guest = _new_guest(work, call, staff_id, Seat.SUPERVISOR, "oversee")
                guest.state, guest.joined_at = "joined", guest.invited_at
                work.session.add(guest)
                await work.session.flush()
                work.emit(_joined(guest))
                work.audit("call.oversee", "call", call.id, guest=guest.id, mode=guest.mode)
            return await guest_view(work.session, guest)

    async def _supervisor_of(self, work: UnitOfWork, call: Call, staff_id: str) -> CallGuest | None:
        """The actor's own place, if there is one. One who is there without a connection gives way."""
        for guest in await open_guests(work.session, call.id):
            if guest.seat != Seat.SUPERVISOR:
                continue
            if guest.staff_id == staff_id:
                return guest
            if guest.peer_id is not None:
                raise ConflictError("another supervisor is in this call", code="oversee.taken")
            await end_guest(work, guest, "connection", self._desk)
        return None

    async def invite(self, actor: Actor, call_id: str, staff_id: str, purpose: GuestPurpose, note: str) -> str:
        """The teller asks somebody in; see `GuestDesk.invite`."""
        teller_id = rows.teller_of(actor)
        async with self._database.unit_of_work(actor) as work:
            call = await _running(work, call_id)
            if call.teller_id != teller_id or staff_id == teller_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if any(guest.seat == Seat.EXPERT for guest in await open_guests(work.session, call.id)):
                raise ConflictError("somebody is invited already", code="guest.taken")
            await _require_free(work, staff_id, purpose)
            guest = _new_guest(work, call, staff_id, Seat.EXPERT, purpose)
            guest.invited_by, guest.note = teller_id, note
            if purpose == "consult":
                await self._desk.consulted(work, staff_id, call.id, True)
            work.session.add(guest)
            await work.session.flush()
            invited = GuestInvited(
                at=guest.invited_at,
                call_id=call.id,
                guest_id=guest.id,
                staff_id=staff_id,
                by=teller_id,
                purpose="consult" if purpose == "consult" else "expert",
            )
            work.emit(invited)
            work.audit("call.invite", "call", call.id, guest=guest.id, staff=staff_id, purpose=purpose)
            return guest.id

    async def media(self, actor: Actor, guest_id: str) -> PeerOffer:
        """Open a transport in one's own seat; see `GuestDesk.media`."""
        guest = await self._own(actor, guest_id)
        if guest.seat == Seat.SUPERVISOR:
            await self.set_mode(actor, guest_id, SupervisorMode.MONITOR)
        offer = await self._media.open_guest(guest.call_id, Seat(guest.seat), guest.id)
        async with self._database.unit_of_work(actor) as work:
            await _running(work, guest.call_id)
            guest = await lock_guest(work.session, guest_id)
            guest.peer_id = offer.peer_id
        return offer

    async def answer(self, actor: Actor, guest_id: str, peer_id: str, sdp_answer: str) -> None:
        """Hand over the browser's answer; see `GuestDesk.answer`."""
        guest = await self._own(actor, guest_id)
        await self._media.answer_guest(guest.call_id, guest.id, peer_id, sdp_answer)

    async def peer_changed(self, change: PeerChange) -> None:
        """A guest's transport came up or went."""
        async with self._database.read() as session:
            found = next((g for g in await open_guests(session, change.call_id) if g.peer_id == change.peer_id), None)
        if found is None or change.state not in (PeerState.CONNECTED, PeerState.CLOSED):
            return
        async with self._database.unit_of_work(self._system) as work:
            guest = await lock_guest(work.session, found.id)
            if change.state is PeerState.CONNECTED and guest.state == "invited":
                guest.state, guest.joined_at = "joined", work.clock.now()
                work.emit(_joined(guest))
                work.audit("call.guest_joined", "call", guest.call_id, guest=guest.id, staff=guest.staff_id)
            elif change.state is PeerState.CLOSED and guest.peer_id == change.peer_id:
                guest.peer_id = None
                if guest.seat == Seat.SUPERVISOR:  # whoever comes back is a monitor again
                    await end_guest(work, guest, "connection", self._desk)

    # --- being there --------------------------------------------------------------------------------------------

    async def set_mode(self, actor: Actor, guest_id: str, mode: SupervisorMode) -> Guest:
        """Decide who hears the supervisor; see `GuestDesk.set_mode`."""
        actor.require(Permission.CALL_OVERSEE)
        call_id = (await self._own(actor, guest_id)).call_id
        async with self._database.unit_of_work(actor) as work:
            await _running(work, call_id)
            guest = await lock_guest(work.session, guest_id)
            if guest.seat != Seat.SUPERVISOR or guest.staff_id != _staff(actor):
                raise gone()
            before, guest.mode = guest.mode, _MODES[mode]
            if before != guest.mode:
                changed = GuestModeChanged(
                    at=work.clock.now(),
                    call_id=guest.call_id,
                    guest_id=guest.id,
                    staff_id=guest.staff_id,
                    mode=_MODES[mode],
                )
                work.emit(changed)
                work.audit(f"call.{guest.mode}", "call", guest.call_id, guest=guest.id, before=before, after=guest.mode)
            await work.session.flush()
            await self._media.set_mode(call_id, mode)  # before the commit: what is stored has happened
            return await guest_view(work.session, guest)

    async def leave(self, actor: Actor, guest_id: str) -> None:
        """Leave, decline, or send the guest out; see `GuestDesk.leave`."""
        staff_id = _staff(actor)
        async with self._database.read() as session:
            found = await session.get(CallGuest, guest_id)
        if found is None:
            raise gone()
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, found.call_id)
            if staff_id not in (found.staff_id, call.teller_id):
                raise gone()
            if found.left_at is not None:
                return
            guest = await lock_guest(work.session, guest_id)
            own = "left" if guest.state == "joined" else "declined"
            peer_id = guest.peer_id
            reason = own if staff_id == guest.staff_id else "removed"
            await end_guest(work, guest, reason, self._desk)
        if peer_id is not None:
            await self._media.close_guest(found.call_id, peer_id)

    # --- looking ------------------------------------------------------------------------------------------------

    async def mine(self, actor: Actor) -> list[Guest]:
        """Open invitations and places of the actor."""
        query = select(CallGuest).where(col(CallGuest.staff_id) == _staff(actor), col(CallGuest.left_at).is_(None))
        async with self._database.read() as session:
            found = (await session.scalars(query.order_by(col(CallGuest.invited_at)))).all()
            return [await guest_view(session, guest) for guest in found]

    async def guest(self, guest_id: str) -> tuple[str, Guest] | None:
        """One place and whose it is."""
        async with self._database.read() as session:
            found = await session.get(CallGuest, guest_id)
            return (found.staff_id, await guest_view(session, found)) if found else None

    async def of_call(self, call_id: str) -> list[tuple[str, Guest]]:
        """Open places of a call and whose they are."""
        async with self._database.read() as session:
            found = await open_guests(session, call_id)
            return [(guest.staff_id, await guest_view(session, guest)) for guest in found]

    async def _own(self, actor: Actor, guest_id: str) -> CallGuest:
        async with self._database.read() as session:
            guest = await session.get(CallGuest, guest_id)
            call = await session.get(Call, guest.call_id) if guest is not None else None
        if guest is None or guest.left_at is not None or guest.staff_id != _staff(actor):
            raise gone()
        if call is None or call.state not in RUNNING:
            raise ConflictError("the call is not running", code="call.not_running")
        return guest


async def _running(work: UnitOfWork, call_id: str) -> Call:
    call = await rows.lock_call(work.session, call_id)
    if call.state not in RUNNING:
        raise ConflictError("the call is not running", code="call.not_running")
    if call.channel == "text":
        raise text_only()
    return call


async def _require_free(work: UnitOfWork, staff_id: str, purpose: GuestPurpose) -> None:
    staff = await work.session.get(Staff, staff_id)
    wanted = Permission.CALL_TAKE if purpose == "consult" else Permission.CALL_ASSIST
    if staff is None or not staff.active or wanted not in permissions_of(staff.roles):
        raise NotFoundError("there is no such member of staff", code="staff.not_found")
    presence = await work.session.get(TellerPresence, staff_id)
    elsewhere = exists().where(col(CallGuest.staff_id) == staff_id, col(CallGuest.left_at).is_(None))
    away = presence is not None and presence.state not in _MAY_CONSULT and presence.state != TellerState.OFFLINE
    if purpose == "consult" and (presence is None or presence.state not in _MAY_CONSULT):
        away = True
    if away or (await work.session.scalars(select(elsewhere))).one():
        raise ConflictError("this colleague is busy", code="guest.busy")


def _new_guest(work: UnitOfWork, call: Call, staff_id: str, seat: Seat, purpose: GuestPurpose) -> CallGuest:
    return CallGuest(
        id=new_id("guest"),
        call_id=call.id,
        staff_id=staff_id,
        seat=seat.value,
        purpose=purpose,
        state="invited",
        invited_at=work.clock.now(),
    )


def _joined(guest: CallGuest) -> GuestJoined:
    return GuestJoined(
        at=guest.joined_at or guest.invited_at,
        call_id=guest.call_id,
        guest_id=guest.id,
        staff_id=guest.staff_id,
        seat=SEATS[guest.seat],
        mode="monitor",
    )


def _staff(actor: Actor) -> str:
    if actor.staff_id is None:
        raise DeniedError("only staff may do this")
    return actor.staff_id
