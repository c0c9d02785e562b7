"""Whose calls may be looked at whole: for packages and for viewings."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.errors import ConflictError, DeniedError, NotFoundError
from core.models.call import Call
from core.models.handover import CallLeg
from core.models.recording import Recording, RecordingState
from core.security.actor import Actor
from core.security.permissions import Permission


async def access_evidence_call(
    session: AsyncSession, actor: Actor, call_id: str, permission: Permission
) -> tuple[Call, Recording | None]:
    """A finished call for people who may see all of it, and its recording.

    Raises:
        DeniedError: no permission, or ``evidence.own_call``: nobody proves own work. NotFoundError: ``call.not_found``.
        ConflictError: ``evidence.not_ready``: its recording is still being made.
    """
    actor.require(permission)
    call = await session.get(Call, call_id)
    if call is None or call.ended_at is None:
        raise NotFoundError("there is no such finished call", code="call.not_found")
    took_part = select(CallLeg.id).where(col(CallLeg.call_id) == call_id, col(CallLeg.teller_id) == actor.staff_id)
    if call.teller_id == actor.staff_id or (await session.scalars(took_part)).first() is not None:
        raise DeniedError("nobody proves own work", code="evidence.own_call")
    recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).first()
    if recording is not None and recording.state in (RecordingState.CAPTURING, RecordingState.CAPTURED):
        raise ConflictError("the recording is still being made", code="evidence.not_ready")
    return call, recording
