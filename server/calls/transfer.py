"""Handing a call on: to another teller, to a group, back into the queue. The customer stays, the recording goes on."""

from datetime import timedelta
from typing import Literal

import structlog
from redis.exceptions import RedisError
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, CounterError, NotFoundError
from core.events import CallTransferred
from core.ids import new_id
from core.models.business import Business
from core.models.call import Call, CallState
from core.models.handover import CallGuest, CallTransfer
from core.models.queue import SkillGroup
from core.models.staff import Staff
from core.ports.calls import TellerDesk
from core.security.actor import Actor
from core.security.permissions import Permission, permissions_of
from server.calls import rows
from server.calls.guest_rows import end_guest, end_guests, open_guests
from server.calls.hold import end_hold
from server.calls.legs import begin_leg, end_leg
from server.calls.media import MediaDesk
from server.calls.states import RUNNING, move

log = structlog.get_logger(__name__)

TransferKind = Literal["blind", "consult", "return"]
WANTED_S = 45.0  # so long a call handed to a teller by name waits for this teller alone: two rings


class TransferDesk:
    """Implements `core.ports.guests.Transfers`."""

    def __init__(self, database: Database, media: MediaDesk, desk: TellerDesk) -> None:
        self._database = database
        self._media = media
        self._desk = desk

    async def transfer(
        self, actor: Actor, call_id: str, kind: TransferKind, staff_id: str | None, skill_group: str | None, note: str
    ) -> None:
        """Hand the actor's call on; see `Transfers.transfer`."""
        teller_id = rows.teller_of(actor)
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.teller_id != teller_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if call.state not in RUNNING:
                raise ConflictError("the call is not running", code="call.not_running")
            if kind == "consult":
                gone = await self._to_consulted(work, call)
            else:
                gone = await self._to_queue(work, call, kind, staff_id, skill_group)
            done = CallTransfer(
                id=new_id("transfer"),
                call_id=call.id,
                kind=kind,
                from_teller_id=teller_id,
                to_teller_id=call.teller_id or call.wanted_teller_id,
                skill_group=call.skill_group,
                note=note,
                at=work.clock.now(),
            )
            work.session.add(done)
            await work.session.flush()
            work.emit(
                CallTransferred(
                    at=done.at,
                    call_id=call.id,
                    transfer_id=done.id,
                    kind=kind,
                    from_teller_id=teller_id,
                    to_teller_id=done.to_teller_id,
                    skill_group=call.skill_group,
                )
            )
            await self._desk.handed_over(work, call.id, teller_id, call.teller_id)
            work.audit(
                "call.transfer",
                "call",
                call.id,
                kind=kind,
                before=teller_id,
                after=done.to_teller_id,
                skill_group=call.skill_group,
            )
            # Before the commit: nobody is seen by the customer before the offer is accepted.
            if kind != "consult" and call.channel == "video":
                await self._media.silence(call.id, True)
        await self._tidy(call_id, teller_id, gone)

    async def _tidy(self, call_id: str, teller_id: str, gone: list[str]) -> None:
        """Close what the teller and leaving guests had open; what stays open is closed with the call."""
        try:
            await self._media.release(call_id, teller_id)
            for peer_id in gone:
                await self._media.close_guest(call_id, peer_id)
        except (CounterError, RedisError, OSError) as error:
            log.warning("transports of a handed over call stay open", call_id=call_id, error=str(error))

    async def _to_queue(
        self, work: UnitOfWork, call: Call, kind: TransferKind, staff_id: str | None, skill_group: str | None
    ) -> list[str]:
        now = work.clock.now()
        if kind == "blind":
            if staff_id is not None:
                await self._want(work, call, staff_id)
            elif skill_group is not None and await _is_group(work, skill_group):
                call.skill_group = skill_group
            else:
                raise NotFoundError("there is no such group", code="group.not_found")
        gone = [guest.peer_id for guest in await open_guests(work.session, call.id) if guest.peer_id]
        move(call, CallState.QUEUED)
        end_hold(call, now)
        call.teller_id, call.sharing = None, False
        await end_leg(work.session, call.id, "return" if kind == "return" else "transfer", now)
        await end_guests(work, call, "handed_over", self._desk)
        return gone

    async def _want(self, work: UnitOfWork, call: Call, staff_id: str) -> None:
        staff = await work.session.get(Staff, staff_id)
        may = staff is not None and staff.active and Permission.CALL_TAKE in permissions_of(staff.roles)
        if staff is None or not may or staff_id == call.teller_id:
            raise NotFoundError("there is no such teller", code="staff.not_found")
        if not await self._desk.is_ready(work, staff_id):
            raise ConflictError("this colleague is busy", code="guest.busy")
        if call.skill_group not in staff.skill_groups and staff.skill_groups:
            call.skill_group = staff.skill_groups[0]
        call.wanted_teller_id = staff_id
        call.wanted_until = work.clock.now() + timedelta(seconds=WANTED_S)

    async def _to_consulted(self, work: UnitOfWork, call: Call) -> list[str]:
        guests = await open_guests(work.session, call.id)
        consulted = next((g for g in guests if g.purpose == "consult" and g.state == "joined"), None)
        if consulted is None:
            raise ConflictError("nobody is being consulted", code="transfer.nobody_consulted")
        now = work.clock.now()
        gone = [consulted.peer_id] if consulted.peer_id else []
        if call.state == CallState.CONNECTED:
            move(call, CallState.ACCEPTED)  # until the new teller's own picture is there
        if call.holds and call.holds[-1]["to"] is None:
            end_hold(call, now)
            await self._media.silence(call.id, False)
        call.teller_id, call.teller_since, call.sharing = consulted.staff_id, now, False
        await end_leg(work.session, call.id, "transfer", now)
        begin_leg(work.session, call.id, consulted.staff_id, now)
        await self._end_guest(work, consulted)
        return gone

    async def _end_guest(self, work: UnitOfWork, guest: CallGuest) -> None:
        await end_guest(work, guest, "handed_over", self._desk)


async def _is_group(work: UnitOfWork, code: str) -> bool:
    if await work.session.get(SkillGroup, code) is not None:
        return True
    query = select(Business.code).where(col(Business.skill_group) == code).limit(1)
    return (await work.session.scalars(query)).first() is not None
