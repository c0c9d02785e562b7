"""Reading and locking calls; who may reach which."""

from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.errors import DeniedError, NotFoundError
from core.models.business import Business
from core.models.call import Call, CallState
from core.models.oversight import Emergency
from core.models.visit import Consent, Visit
from core.security.actor import Actor
from core.security.permissions import Permission
from server.calls.states import WAITING

# Put together once: with hundreds who join at the same time, that costs as much as asking.
_LOCKED_VISIT = select(Visit).where(col(Visit.id) == bindparam("visit_id")).with_for_update()
_NEWEST_CALL = (
    select(Call).where(col(Call.visit_id) == bindparam("visit_id")).order_by(col(Call.number).desc()).limit(1)
)
_CONSENTED = (
    select(Consent.granted)
    .where(col(Consent.visit_id) == bindparam("visit_id"), col(Consent.purpose) == "recording")
    .order_by(col(Consent.at).desc(), col(Consent.id).desc())
    .limit(1)
    .scalar_subquery()
)
_STOPPED = col(Emergency.ended_at).is_(None) & col(Emergency.drill).is_(False) & col(Emergency.stop_entry).is_(True)
_ENTRANCE = (
    select(Business, _CONSENTED, Emergency)
    .outerjoin(Emergency, _STOPPED)
    .where(col(Business.code) == bindparam("business_code"))
    .limit(1)
)


def visit_of(actor: Actor) -> str:
    """The visit of a customer. DeniedError for anybody else."""
    if actor.visit_id is None:
        raise DeniedError("only a customer on a visit may do this")
    return actor.visit_id


def teller_of(actor: Actor) -> str:
    """The id of a member of staff who may take calls. DeniedError for anybody else."""
    actor.require(Permission.CALL_TAKE)
    if actor.staff_id is None:
        raise DeniedError("only a teller may do this")
    return actor.staff_id


async def lock_call(session: AsyncSession, call_id: str) -> Call:
    """The call's newest row, locked until the end of the transaction. NotFoundError ``call.not_found``."""
    query = select(Call).where(col(Call.id) == call_id).with_for_update().execution_options(populate_existing=True)
    call = (await session.scalars(query)).first()
    if call is None:
        raise _not_found()
    return call


async def lock_visit(session: AsyncSession, visit_id: str) -> Visit:
    """The visit, locked so that two joins come one after the other. NotFoundError ``visit.not_found``."""
    visit = (await session.scalars(_LOCKED_VISIT, {"visit_id": visit_id})).first()
    if visit is None:
        raise NotFoundError("there is no such visit", code="visit.not_found")
    return visit


async def newest_call(session: AsyncSession, visit_id: str) -> Call | None:
    """The visit's newest call."""
    return (await session.scalars(_NEWEST_CALL, {"visit_id": visit_id})).first()


async def access_call(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    """A call the actor takes part in: the visit's own, or the teller's own.

    Raises:
        NotFoundError: ``call.not_found``, also for other people's calls.
    """
    call = await session.get(Call, call_id)
    if call is None or not _takes_part(actor, call):
        raise _not_found()
    return call


async def access_call_result(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    """A call whose result the actor may see: the visit's own, or any for the QA desk.

    Raises:
        NotFoundError: ``call.not_found``.
    """
    call = await session.get(Call, call_id)
    if call is None or not (actor.may(Permission.QA_VIEW) or _takes_part(actor, call)):
        raise _not_found()
    return call


def _takes_part(actor: Actor, call: Call) -> bool:
    if actor.visit_id is not None:
        return call.visit_id == actor.visit_id
    return actor.staff_id is not None and call.teller_id == actor.staff_id


def _not_found() -> NotFoundError:
    return NotFoundError("there is no such call", code="call.not_found")


@dataclass(frozen=True, slots=True)
class Entrance:
    """What decides whether a visit may join the queue.

    Attributes:
        consented: The newest word on being recorded is a yes.
        emergency: One that stops entry, if there is any.
    """

    business: Business
    consented: bool
    emergency: Emergency | None


async def entrance(session: AsyncSession, visit: Visit) -> Entrance:
    """Read in one go, as everybody who joins asks for it."""
    given = {"visit_id": visit.id, "business_code": visit.business_code}
    business, granted, emergency = (await session.execute(_ENTRANCE, given)).one()
    return Entrance(business, bool(granted), emergency)


async def waiting_visits(session: AsyncSession) -> dict[str, str]:
    """Visits of all calls that wait, by call. Two columns, as thousands may wait."""
    query = select(Call.id, Call.visit_id).where(col(Call.state).in_([state.value for state in WAITING]))
    return {row.id: row.visit_id for row in (await session.execute(query)).all()}


async def calls_in(session: AsyncSession, states: frozenset[CallState]) -> list[Call]:
    """All calls in these states."""
    query = select(Call).where(col(Call.state).in_([state.value for state in states]))
    return list((await session.scalars(query)).all())
