"""A call as an expert or a supervisor in it sees it."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.business import Business
from core.models.call import Call
from core.models.handover import CallGuest
from core.models.staff import Staff
from core.ports.call_views import GuestName, TellerName
from core.ports.guests import Guest, GuestCall
from server.calls.hold import is_on_hold


async def guest_view(session: AsyncSession, guest: CallGuest) -> Guest:
    """One's own place, with the call."""
    call = await session.get_one(Call, guest.call_id)
    business = await session.get_one(Business, call.business_code)
    return Guest.model_validate(
        {
            "guest_id": guest.id,
            "seat": guest.seat,
            "purpose": guest.purpose,
            "mode": guest.mode,
            "state": guest.state,
            "note": guest.note,
            "invited_by": await name_of(session, guest.invited_by),
            "invited_at": guest.invited_at,
            "left_reason": guest.left_reason,
            "call": GuestCall.model_validate(
                {
                    "call_id": call.id,
                    "number": call.number,
                    "business_code": business.code,
                    "business_name_zh": business.name_zh,
                    "business_name_en": business.name_en,
                    "language": call.language,
                    "state": call.state,
                    "teller": await name_of(session, call.teller_id),
                    "accepted_at": call.accepted_at,
                    "connected_at": call.connected_at,
                    "ended_at": call.ended_at,
                    "on_hold": is_on_hold(call),
                    "sharing": call.sharing,
                    "recording_ok": call.recording_ok,
                }
            ),
        }
    )


async def guest_names(session: AsyncSession, calls: Collection[Call]) -> dict[str, list[GuestName]]:
    """Who is in these calls or asked into them, by call."""
    if not calls:
        return {}
    query = (
        select(CallGuest, Staff)
        .join(Staff, col(Staff.id) == col(CallGuest.staff_id))
        .where(col(CallGuest.call_id).in_([call.id for call in calls]), col(CallGuest.left_at).is_(None))
        .order_by(col(CallGuest.invited_at))
    )
    names: dict[str, list[GuestName]] = {}
    for guest, staff in (await session.execute(query)).all():
        name = {
            "guest_id": guest.id,
            "display_name": staff.display_name,
            "staff_number": staff.staff_number,
            "seat": guest.seat,
            "purpose": guest.purpose,
            "mode": guest.mode,
            "state": guest.state,
        }
        names.setdefault(guest.call_id, []).append(GuestName.model_validate(name))
    return names


async def name_of(session: AsyncSession, staff_id: str | None) -> TellerName | None:
    """How a colleague is shown."""
    staff = await session.get(Staff, staff_id) if staff_id else None
    return TellerName(display_name=staff.display_name, staff_number=staff.staff_number) if staff else None
