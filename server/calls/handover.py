"""What tellers before wrote when they handed a call on."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.handover import CallTransfer
from core.models.staff import Staff
from core.ports.call_views import HandoverNote


async def handover_notes(session: AsyncSession, call_id: str) -> list[HandoverNote]:
    """Oldest first."""
    query = (
        select(CallTransfer, Staff)
        .join(Staff, col(Staff.id) == col(CallTransfer.from_teller_id))
        .where(col(CallTransfer.call_id) == call_id)
        .order_by(col(CallTransfer.at))
    )
    return [
        HandoverNote.model_validate(
            {
                "kind": row.kind,
                "teller": {"display_name": staff.display_name, "staff_number": staff.staff_number},
                "note": row.note,
                "at": row.at,
            }
        )
        for row, staff in (await session.execute(query)).all()
    ]
