"""Rows of guests, changed inside a running transaction."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.events import GuestLeft
from core.models.call import Call
from core.models.handover import CallGuest
from core.ports.calls import TellerDesk
from core.ports.guests import GuestSeat

SEATS: dict[str, GuestSeat] = {"expert": "expert", "supervisor": "supervisor"}


async def open_guests(session: AsyncSession, call_id: str) -> list[CallGuest]:
    """Guests of a call who are invited or there."""
    query = select(CallGuest).where(col(CallGuest.call_id) == call_id, col(CallGuest.left_at).is_(None))
    return list((await session.scalars(query.order_by(col(CallGuest.invited_at)))).all())


async def lock_guest(session: AsyncSession, guest_id: str) -> CallGuest:
    """A place that is not left yet, locked. NotFoundError ``guest.gone``."""
    query = select(CallGuest).where(col(CallGuest.id) == guest_id, col(CallGuest.left_at).is_(None))
    found = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).first()
    if found is None:
        raise gone()
    return found


def gone() -> NotFoundError:
    """The refusal for places that are over, and for other people's."""
    return NotFoundError("this place in the call is over", code="guest.gone")


async def end_guest(work: UnitOfWork, guest: CallGuest, reason: str, desk: TellerDesk) -> None:
    """The guest is out, or never came; a teller who was consulted may be rung again."""
    guest.state, guest.left_at, guest.left_reason, guest.peer_id = "left", work.clock.now(), reason, None
    work.emit(
        GuestLeft(
            at=guest.left_at,
            call_id=guest.call_id,
            guest_id=guest.id,
            staff_id=guest.staff_id,
            seat=SEATS[guest.seat],
            reason=reason,
        )
    )
    work.audit("call.guest_left", "call", guest.call_id, guest=guest.id, seat=guest.seat, reason=reason)
    if guest.purpose == "consult":
        await desk.consulted(work, guest.staff_id, guest.call_id, False)


async def end_guests(work: UnitOfWork, call: Call, reason: str, desk: TellerDesk) -> None:
    """Everybody beside the two parties is out."""
    for guest in await open_guests(work.session, call.id):
        await end_guest(work, guest, reason, desk)
