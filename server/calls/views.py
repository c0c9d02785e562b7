"""A call as its customer and its teller see it."""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.business import Business
from core.models.call import Call
from core.models.recording import Recording
from core.models.staff import Staff
from core.ports.call_views import (
    CallStateName,
    Channel,
    CustomerCall,
    GuestName,
    HandoverNote,
    OtherParty,
    TellerCall,
    TellerName,
    TranscriptionMode,
)
from core.ports.calls import CallViews, QueuePlace, QueueView
from server.calls.guest_views import guest_names
from server.calls.handover import handover_notes
from server.calls.hold import is_on_hold
from server.calls.seats import SeatBoard
from server.calls.states import RUNNING, WAITING

_STATES: dict[str, CallStateName] = {
    "queued": "queued",
    "offered": "offered",
    "accepted": "accepted",
    "connected": "connected",
    "wrap_up": "wrap_up",
    "closed": "closed",
}


class CallViewer:
    """Builds views from rows, the queue and the seat board."""

    def __init__(self, queue: QueueView, board: SeatBoard) -> None:
        self._queue = queue
        self._board = board

    async def customer(self, session: AsyncSession, call: Call) -> CustomerCall:
        """The customer's view of one call."""
        places: Mapping[str, QueuePlace] = {}
        if call.state in WAITING:
            places = await self._queue.places(session, [call.id])
        teller = await session.get(Staff, call.teller_id) if call.teller_id else None
        return customer_view(call, teller, places.get(call.id), await _guests(session, call))

    async def teller(self, session: AsyncSession, call: Call) -> TellerCall:
        """The teller's view of one call."""
        return await self._teller(session, call, await _guests(session, call))

    async def _teller(self, session: AsyncSession, call: Call, guests: list[GuestName]) -> TellerCall:
        query = (
            select(Business, Recording.state)
            .outerjoin(Recording, col(Recording.call_id) == call.id)
            .where(col(Business.code) == call.business_code)
        )
        business, state = (await session.execute(query)).one()
        first = call.state in RUNNING and call.teller_since == call.accepted_at  # nobody has had it before
        handover = [] if first else await handover_notes(session, call.id)
        mode = await self._board.transcription(call.id)
        return teller_view(call, business, state, mode, guests, handover)

    async def both(self, session: AsyncSession, call: Call) -> CallViews:
        """Both sides' views; the teller's only once there is one."""
        if call.teller_id is None:
            return CallViews(call.visit_id, await self.customer(session, call), None, None)
        guests = await _guests(session, call)
        customer = customer_view(call, await session.get(Staff, call.teller_id), None, guests)
        return CallViews(call.visit_id, customer, call.teller_id, await self._teller(session, call, guests))

    async def line(self, session: AsyncSession) -> Mapping[str, QueuePlace]:
        """Places of all who wait, by visit."""
        return await self._queue.line(session)

    async def open_calls(
        self, session: AsyncSession, visit_ids: Collection[str], line: Mapping[str, QueuePlace]
    ) -> dict[str, CustomerCall]:
        """Views of the waiting and running calls among the visits. Who is not in the line yet is looked for."""
        query = (
            select(Call, Staff)
            .outerjoin(Staff, col(Staff.id) == col(Call.teller_id))
            .where(col(Call.visit_id).in_(visit_ids), col(Call.state).in_(sorted(WAITING | RUNNING)))
        )
        rows = (await session.execute(query)).all()
        waiting = [call for call, _ in rows if call.state in WAITING]
        places = {call.id: line[call.visit_id] for call in waiting if call.visit_id in line}
        new = [call.id for call in waiting if call.id not in places]
        places |= await self._queue.places(session, new) if new else {}
        guests = await guest_names(session, [call for call, _ in rows if call.state in RUNNING])
        return {
            call.visit_id: customer_view(call, teller, places.get(call.id), guests.get(call.id, []))
            for call, teller in rows
        }


async def _guests(session: AsyncSession, call: Call) -> list[GuestName]:
    return (await guest_names(session, [call])).get(call.id, []) if call.state in RUNNING else []


def channel_of(call: Call) -> Channel:
    """The stored text as the pages' type."""
    return "text" if call.channel == "text" else "video"


def customer_view(call: Call, teller: Staff | None, place: QueuePlace | None, guests: list[GuestName]) -> CustomerCall:
    """Only what the customer needs; tellers by name and number."""
    return CustomerCall(
        call_id=call.id,
        number=call.number,
        state=_STATES[call.state],
        position=place.position if place else None,
        wait_low_s=place.low_s if place else None,
        wait_high_s=place.high_s if place else None,
        teller=TellerName(display_name=teller.display_name, staff_number=teller.staff_number) if teller else None,
        recording_paused_until=call.recording_paused_until,
        accepted_at=call.accepted_at,
        connected_at=call.connected_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        recording_ok=call.recording_ok,
        on_hold=is_on_hold(call),
        sharing=call.sharing,
        channel=channel_of(call),
        video_asked=call.video_asked_at is not None,
        others=[
            OtherParty(display_name=guest.display_name, staff_number=guest.staff_number, seat=guest.seat)
            for guest in guests
            if guest.state == "joined" and (guest.seat == "expert" or guest.mode == "barge")
        ],
        help_asked=call.help_asked_at is not None,
    )


def teller_view(
    call: Call,
    business: Business,
    recording_state: str | None,
    transcription: TranscriptionMode,
    guests: list[GuestName],
    handover: list[HandoverNote],
) -> TellerCall:
    """What the teller's console shows of the call itself."""
    return TellerCall(
        call_id=call.id,
        number=call.number,
        business_code=call.business_code,
        business_name_zh=business.name_zh,
        business_name_en=business.name_en,
        language=call.language,
        state=_STATES[call.state],
        queued_at=call.queued_at,
        accepted_at=call.accepted_at,
        connected_at=call.connected_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        recording_ok=call.recording_ok,
        recording_paused_until=call.recording_paused_until,
        recording_state=recording_state,
        on_hold=is_on_hold(call),
        sharing=call.sharing,
        channel=channel_of(call),
        video_asked=call.video_asked_at is not None,
        transcription=transcription,
        guests=[guest for guest in guests if guest.seat == "expert" or guest.mode != "monitor"],
        handover=handover,
        customer_class=call.customer_class,
        class_source=call.class_source,
        help_asked=call.help_asked_at is not None,
    )
