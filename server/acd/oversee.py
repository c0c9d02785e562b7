"""What supervisors may do to presence and offers. Implements `core.ports.wallboard.TellerOversight`."""

from typing import Literal

from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.models.call import Call, CallState, TellerPresence, TellerState
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from server.acd.board import change, lock_presence
from server.acd.decide import Pairing, ReadyTeller, WaitingCall
from server.acd.service import AcdService

FORCED = "forced"
"""Reason of a state a supervisor has set."""


class Oversight:
    """Forces states and reassigns waiting calls; each in the audit log with who did it."""

    def __init__(self, database: Database, service: AcdService) -> None:
        self._database = database
        self._service = service

    async def force_state(self, actor: Actor, teller_id: str, state: Literal["ready", "break", "offline"]) -> None:
        """Move a teller who has no call to a state; see `TellerOversight.force_state`."""
        actor.require(Permission.CALL_OVERSEE)
        async with self._database.unit_of_work(actor) as work:
            presence = await lock_presence(work.session, teller_id)
            if presence is None:
                raise NotFoundError("this teller has never been on duty", code="teller.not_found")
            if presence.state in (TellerState.OFFERED, TellerState.IN_CALL, TellerState.WRAP_UP):
                raise ConflictError("there is a call to deal with first", code="presence.in_call")
            before = presence.state
            if state == "ready":
                presence.missed_offers = 0
            change(work, presence, TellerState(state), FORCED)
            work.audit("presence.force", "staff", teller_id, before=before, after=state)

    async def reassign(self, actor: Actor, call_id: str, teller_id: str) -> None:
        """Ring one ready teller for one waiting call; see `TellerOversight.reassign`."""
        actor.require(Permission.CALL_OVERSEE)
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            if call is None or call.state != CallState.QUEUED:
                raise NotFoundError("this call does not wait", code="call.not_found")
            query = select(TellerPresence, Staff).join(Staff, col(Staff.id) == col(TellerPresence.staff_id))
            found = (await session.execute(query.where(col(Staff.id) == teller_id))).first()
        if found is None or Role.TELLER not in found[1].roles or not found[1].may_take_calls:
            raise NotFoundError("there is no such teller", code="teller.not_found")
        presence, staff = found
        if call.skill_group not in staff.skill_groups:
            raise ConflictError("this teller does not do this business", code="teller.no_skill")
        waiting = WaitingCall(call.id, call.skill_group, call.queued_at, call.queued_at, call.version)
        ready = ReadyTeller(teller_id, frozenset(staff.skill_groups), presence.since, presence.version)
        await self._service.place(Pairing(waiting, ready))
        async with self._database.unit_of_work(actor) as work:
            work.audit("call.reassign", "call", call_id, teller=teller_id)
