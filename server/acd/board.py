"""Rows of presence and offers, changed inside a running transaction."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.events import OfferLapsed, TellerStateChanged
from core.models.call import CallOffer, TellerPresence, TellerSpan, TellerState

CONSULTING = "consulting"  # reason of the break of a teller who is in a colleague's call


async def lock_presence(session: AsyncSession, staff_id: str) -> TellerPresence | None:
    """The teller's newest presence row, locked until the end of the transaction."""
    query = select(TellerPresence).where(col(TellerPresence.staff_id) == staff_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).first()


async def lock_offer(session: AsyncSession, offer_id: str) -> CallOffer | None:
    """An offer's newest row, locked until the end of the transaction."""
    query = select(CallOffer).where(col(CallOffer.id) == offer_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).first()


def change(
    work: UnitOfWork, presence: TellerPresence, state: TellerState, reason: str = "", call_id: str | None = None
) -> None:
    """Move a teller to a state, keep what was before, and announce it."""
    now = work.clock.now()
    if now > presence.since:
        span = TellerSpan(teller_id=presence.staff_id, state=presence.state, began_at=presence.since, ended_at=now)
        work.session.add(span)
    presence.state, presence.reason, presence.call_id = state, reason, call_id
    presence.since = now
    presence.version += 1
    changed = TellerStateChanged(at=presence.since, teller_id=presence.staff_id, state=state.value, reason=reason)
    work.emit(changed)


class TellerBoard:
    """Implements `core.ports.calls.TellerDesk`: what an ending call means for tellers."""

    async def call_over(self, work: UnitOfWork, call_id: str, teller_id: str | None) -> None:
        """Withdraw open offers of the call; the teller who had it goes into wrap-up."""
        open_offers = select(CallOffer).where(col(CallOffer.call_id) == call_id, col(CallOffer.outcome).is_(None))
        for offer in (await work.session.scalars(open_offers)).all():
            presence = await lock_presence(work.session, offer.teller_id)
            offer.outcome, offer.ended_at = "withdrawn", work.clock.now()
            work.emit(
                OfferLapsed(
                    at=offer.ended_at,
                    call_id=call_id,
                    offer_id=offer.id,
                    teller_id=offer.teller_id,
                    outcome="withdrawn",
                )
            )
            if presence is not None and presence.state == TellerState.OFFERED and presence.call_id == call_id:
                change(work, presence, TellerState.READY)
        if teller_id is not None:
            presence = await lock_presence(work.session, teller_id)
            if presence is not None and presence.state == TellerState.IN_CALL and presence.call_id == call_id:
                change(work, presence, TellerState.WRAP_UP, call_id=call_id)
        await work.session.flush()

    async def wrap_up_done(self, work: UnitOfWork, call_id: str, teller_id: str) -> None:
        """The teller is ready again."""
        presence = await lock_presence(work.session, teller_id)
        if presence is not None and presence.state == TellerState.WRAP_UP and presence.call_id == call_id:
            change(work, presence, TellerState.READY)
            await work.session.flush()

    async def is_ready(self, work: UnitOfWork, staff_id: str) -> bool:
        """Whether a teller is ready for a call right now."""
        presence = await lock_presence(work.session, staff_id)
        return presence is not None and presence.state == TellerState.READY

    async def handed_over(self, work: UnitOfWork, call_id: str, from_teller_id: str, to_teller_id: str | None) -> None:
        """The call went on; rows are locked in the order of ids, as two calls may be exchanged."""
        for staff_id in sorted({from_teller_id, to_teller_id or from_teller_id}):
            presence = await lock_presence(work.session, staff_id)
            if presence is None:
                continue
            if staff_id == to_teller_id:
                change(work, presence, TellerState.IN_CALL, call_id=call_id)
            elif presence.state == TellerState.IN_CALL and presence.call_id == call_id:
                change(work, presence, TellerState.READY)
        await work.session.flush()

    async def consulted(self, work: UnitOfWork, staff_id: str, call_id: str, on: bool) -> None:
        """A teller who is consulted is not rung; afterwards ready again."""
        presence = await lock_presence(work.session, staff_id)
        if presence is None:
            return
        if on and presence.state == TellerState.READY:
            change(work, presence, TellerState.BREAK, CONSULTING, call_id)
        elif not on and presence.state == TellerState.BREAK and presence.reason == CONSULTING:
            change(work, presence, TellerState.READY)
        await work.session.flush()
