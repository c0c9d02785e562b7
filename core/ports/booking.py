"""What server.booking asks of other rooms, and what others ask of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.models.booking import Appointment
from core.models.call import EndReason
from core.security.actor import Actor


@dataclass(frozen=True, slots=True)
class Slots:
    """Times that can be booked, whoever has booked them: how many each holds, and the times themselves."""

    capacity: int
    spans: Sequence[tuple[datetime, datetime]]


class SlotCalendar(Protocol):
    """Opening hours cut into slots (server.acd)."""

    async def slots(self, session: AsyncSession, business_code: str, now: datetime, days: int) -> Slots:
        """Slots that begin after `now`, over so many days. NotFoundError ``business.not_found``."""
        ...

    async def may_come(self, session: AsyncSession, skill_group: str, rank_at: datetime) -> bool:
        """Whether somebody with this place in the queue would be served about now."""
        ...


class QueueLeaving(Protocol):
    """Leaving the queue (server.calls)."""

    async def leave(self, actor: Actor, reason: EndReason) -> None:
        """Leave it for a reason. ConflictError ``call.none``, ``call.running``."""
        ...


class AppointmentPlaces(Protocol):
    """Times at the counter, for who books on behalf of customers (server.booking)."""

    async def free(self, business_code: str) -> Sequence[tuple[datetime, datetime, int]]:
        """Times of the coming week with places left: from, to, how many. NotFoundError ``business.not_found``."""
        ...

    async def place(
        self, work: UnitOfWork, business_code: str, starts_at: datetime, phone: str, language: str
    ) -> Appointment:
        """Take one. ConflictError ``slot.gone``. Bookings wait for each other until the unit of work ends."""
        ...

    async def give_back(self, work: UnitOfWork, code: str) -> Appointment:
        """Cancel one. NotFoundError ``appointment.not_found``; ConflictError ``appointment.over``."""
        ...
