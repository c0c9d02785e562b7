"""Which calls an inspector may open."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DeniedError, NotFoundError
from core.models.call import Call
from core.security.actor import Actor
from core.security.permissions import Permission


async def access_qa_call(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    """A finished call that was answered, for inspection.

    Raises:
        DeniedError: no inspector, or ``qa.own_call``: nobody inspects own work (岗位分离).
        NotFoundError: ``call.not_found``; also for calls that still run or were never answered.
    """
    actor.require(Permission.QA_VIEW)
    call = await session.get(Call, call_id)
    if call is None or call.ended_at is None or call.accepted_at is None:
        raise NotFoundError("there is no such finished call", code="call.not_found")
    if actor.staff_id is not None and actor.staff_id == call.teller_id:
        raise DeniedError("nobody inspects own work", code="qa.own_call")
    return call
