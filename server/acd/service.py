"""Presence and offers: the only writer of both tables."""

from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy import ColumnElement
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError
from core.events import CallAccepted, CallOffered, OfferLapsed
from core.ids import new_id
from core.models.business import Business
from core.models.call import Call, CallOffer, TellerPresence, TellerState
from core.models.staff import Staff
from core.ports.call_views import Offer, Presence, TellerStateName
from core.ports.calls import CallMoves
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission
from server.acd.board import change, lock_offer, lock_presence
from server.acd.config import ring_rules
from server.acd.decide import Pairing

log = structlog.get_logger(__name__)

_STATES: dict[str, TellerStateName] = {
    "offline": "offline",
    "ready": "ready",
    "offered": "offered",
    "in_call": "in_call",
    "wrap_up": "wrap_up",
    "break": "break",
}


class AcdService:
    """Implements `core.ports.calls.TellerService`; `place`, `lapse` and `leave_console` are for the dispatcher."""

    def __init__(self, database: Database, calls: CallMoves, ring_s: float, wrap_up_s: float) -> None:
        self._database = database
        self._calls = calls
        self._ring_s = ring_s
        self._wrap_up_s = wrap_up_s
        self._system = system_actor("acd")

    # --- presence -----------------------------------------------------------------------------------------------

    async def presence(self, staff_id: str) -> Presence:
        """What the teller is doing; offline when never seen."""
        async with self._database.read() as session:
            row = await session.get(TellerPresence, staff_id)
        return self._view(row or _newcomer(staff_id, self._database))

    def _view(self, row: TellerPresence) -> Presence:
        in_wrap_up = row.state == TellerState.WRAP_UP
        return Presence(
            state=_STATES[row.state],
            reason=row.reason,
            since=row.since,
            call_id=row.call_id,
            wrap_up_until=row.since + timedelta(seconds=self._wrap_up_s) if in_wrap_up else None,
            missed_offers=row.missed_offers,
        )

    async def set_presence(self, actor: Actor, state: Literal["ready", "break", "offline"], reason: str) -> Presence:
        """Change it; see `TellerService.set_presence`."""
        teller_id = _teller(actor)
        if state == "ready":
            await self._require_certified(teller_id)
        now = await self.presence(teller_id)
        if now.state == "offered":
            offer = await self.ringing(teller_id)
            if offer is not None:
                await self._end_offer(actor, offer.offer_id, "declined")
        elif now.state == "wrap_up" and now.call_id is not None:
            await self._calls.expire_wrap_up(now.call_id)
        async with self._database.unit_of_work(actor) as work:
            row = await lock_presence(work.session, teller_id)
            if row is None:
                row = _newcomer(teller_id, self._database)
                work.session.add(row)
            if row.state in (TellerState.IN_CALL, TellerState.OFFERED, TellerState.WRAP_UP):
                raise ConflictError("there is a call to deal with first", code="presence.in_call")
            if state == "ready":
                row.missed_offers = 0
            if row.state != state or row.reason != reason:
                before = row.state
                change(work, row, TellerState(state), reason)
                work.audit("presence.set", "staff", teller_id, before=before, after=state, reason=reason)
        return self._view(row)

    async def _require_certified(self, teller_id: str) -> None:
        async with self._database.read() as session:
            staff = await session.get(Staff, teller_id)
        if staff is None or not staff.may_take_calls:  # no call would ring, and nobody would know why
            raise DeniedError("not certified for calls yet", code="presence.not_certified")

    async def leave_console(self, staff_id: str) -> None:
        """The teller's console is gone for good: off duty. Nothing happens to one who is busy with a call."""
        async with self._database.unit_of_work(self._system) as work:
            row = await lock_presence(work.session, staff_id)
            if row is not None and row.state in (TellerState.READY, TellerState.BREAK):
                change(work, row, TellerState.OFFLINE, "connection_lost")

    # --- offers -------------------------------------------------------------------------------------------------

    async def ringing(self, staff_id: str) -> Offer | None:
        """The offer that rings at this teller."""
        return await self._offer(col(CallOffer.teller_id) == staff_id)

    async def offer(self, offer_id: str) -> Offer | None:
        """An offer that still rings."""
        return await self._offer(col(CallOffer.id) == offer_id)

    async def _offer(self, which: ColumnElement[bool]) -> Offer | None:
        query = (
            select(CallOffer, Call, Business)
            .join(Call, col(Call.id) == col(CallOffer.call_id))
            .join(Business, col(Business.code) == col(Call.business_code))
            .where(which, col(CallOffer.outcome).is_(None))
            .order_by(col(CallOffer.offered_at).desc())
            .limit(1)
        )
        async with self._database.read() as session:
            found = (await session.execute(query)).first()
            if found is None:
                return None
            offer, call, business = found
            handover = await self._calls.handover(session, call.id) if call.accepted_at is not None else []
        return Offer(
            offer_id=offer.id,
            call_id=call.id,
            business_code=business.code,
            business_name_zh=business.name_zh,
            business_name_en=business.name_en,
            waited_s=round((offer.offered_at - call.queued_at).total_seconds(), 1),
            expires_at=offer.expires_at,
            handover=handover,
            channel="text" if call.channel == "text" else "video",
            customer_class=call.customer_class,
            class_source=call.class_source,
        )

    async def place(self, pairing: Pairing) -> None:
        """Ring.

        Raises:
            ConflictError: ``call.stale`` or ``teller.stale``: somebody was faster; the next pass decides anew.
        """
        call_id, teller_id = pairing.call.call_id, pairing.teller.teller_id
        async with self._database.unit_of_work(self._system) as work:
            await self._calls.mark_offered(work, call_id, pairing.call.version)
            presence = await lock_presence(work.session, teller_id)
            if presence is None or presence.state != TellerState.READY or (presence.version != pairing.teller.version):
                raise ConflictError("the teller is not ready any more", code="teller.stale")
            now = work.clock.now()
            rules = await ring_rules(work.session, pairing.call.skill_group, self._ring_s)
            expires_at = now + timedelta(seconds=rules.ring_s)
            offer = CallOffer(
                id=new_id("offer"), call_id=call_id, teller_id=teller_id, offered_at=now, expires_at=expires_at
            )
            work.session.add(offer)
            work.emit(
                CallOffered(at=now, call_id=call_id, offer_id=offer.id, teller_id=teller_id, expires_at=expires_at)
            )
            change(work, presence, TellerState.OFFERED, call_id=call_id)

    async def accept(self, actor: Actor, offer_id: str) -> None:
        """Take the offered call; see `TellerService.accept`."""
        teller_id = _teller(actor)
        async with self._database.unit_of_work(actor) as work:
            offer = await work.session.get(CallOffer, offer_id)
            if offer is None or offer.teller_id != teller_id or offer.outcome is not None:
                raise _gone()
            try:  # one instant in the row and in the fact
                now = await self._calls.mark_accepted(work, offer.call_id, teller_id)
            except ConflictError:
                raise _gone() from None
            presence, offer = await _lock_both(work, teller_id, offer_id)
            offer.outcome, offer.ended_at = "accepted", now
            presence.missed_offers = 0
            work.emit(CallAccepted(at=now, call_id=offer.call_id, offer_id=offer_id, teller_id=teller_id))
            change(work, presence, TellerState.IN_CALL, call_id=offer.call_id)
            work.audit("offer.accept", "call", offer.call_id, offer=offer_id)
            call_id = offer.call_id
        log.info("call accepted", call_id=call_id, teller_id=teller_id)

    async def decline(self, actor: Actor, offer_id: str) -> None:
        """Let the next teller have it; see `TellerService.decline`."""
        async with self._database.read() as session:
            offer = await session.get(CallOffer, offer_id)
        if offer is None or offer.teller_id != _teller(actor):
            raise _gone()
        await self._end_offer(actor, offer_id, "declined")

    async def lapse(self, offer_id: str) -> None:
        """The ring time is over. ConflictError ``offer.gone`` when the offer has ended."""
        await self._end_offer(self._system, offer_id, "timeout")

    async def _end_offer(self, actor: Actor, offer_id: str, outcome: Literal["timeout", "declined"]) -> None:
        async with self._database.unit_of_work(actor) as work:
            offer = await work.session.get(CallOffer, offer_id)
            if offer is None:
                raise _gone()
            await self._calls.mark_requeued(work, offer.call_id)
            # From here the call's row is locked; if the offer turns out to have ended, all of this is rolled back.
            presence, offer = await _lock_both(work, offer.teller_id, offer_id)
            now = work.clock.now()
            offer.outcome, offer.ended_at = outcome, now
            if outcome == "timeout":
                presence.missed_offers += 1
            call = await work.session.get_one(Call, offer.call_id)
            rules = await ring_rules(work.session, call.skill_group, self._ring_s)
            if presence.missed_offers >= rules.missed_limit:
                change(work, presence, TellerState.BREAK, "missed_offers")
            else:
                change(work, presence, TellerState.READY)
            work.emit(
                OfferLapsed(
                    at=now, call_id=offer.call_id, offer_id=offer_id, teller_id=offer.teller_id, outcome=outcome
                )
            )
            if outcome == "declined":
                work.audit("offer.decline", "call", offer.call_id, offer=offer_id)


async def _lock_both(work: UnitOfWork, teller_id: str, offer_id: str) -> tuple[TellerPresence, CallOffer]:
    presence = await lock_presence(work.session, teller_id)
    offer = await lock_offer(work.session, offer_id)
    if presence is None or offer is None or offer.outcome is not None:
        raise _gone()
    return presence, offer


def _newcomer(staff_id: str, database: Database) -> TellerPresence:
    return TellerPresence(staff_id=staff_id, state=TellerState.OFFLINE, since=database.clock.now())


def _teller(actor: Actor) -> str:
    actor.require(Permission.CALL_TAKE)
    if actor.staff_id is None:
        raise DeniedError("only a teller may do this")
    return actor.staff_id


def _gone() -> ConflictError:
    return ConflictError("this offer has ended", code="offer.gone")
