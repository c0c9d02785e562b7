"""The booking room put together, for the composition root."""

import asyncio
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.errors import CounterError
from core.http import RouteTable
from core.tasks import OnCrash, TaskOwner
from server.booking.appointments import AppointmentBook
from server.booking.callbacks import CallbackBook
from server.booking.day import DayBook
from server.booking.routes import routes

log = structlog.get_logger(__name__)

LOOK_S = 15.0


@dataclass(frozen=True, slots=True)
class BookingRoom:
    """What the room offers: `routes` for HTTP; looks at what is due while it runs."""

    appointments: AppointmentBook
    callbacks: CallbackBook
    routes: RouteTable
    owner: TaskOwner

    async def start(self) -> None:
        """Begin to look."""
        self.owner.start("look", self._look())

    async def close(self) -> None:
        """Stop looking."""
        await self.owner.close()

    async def _look(self) -> None:
        while True:
            try:
                await self.appointments.look()
                await self.callbacks.look()
            except (RedisError, SQLAlchemyError, OSError, CounterError) as error:  # looked at again
                log.warning("due bookings not looked at", error=str(error))
            await asyncio.sleep(LOOK_S)


def build(
    appointments: AppointmentBook, callbacks: CallbackBook, days: DayBook, on_crash: OnCrash | None = None
) -> BookingRoom:
    """Put the room together for an edge."""
    return BookingRoom(appointments, callbacks, routes(appointments, callbacks, days), TaskOwner("booking", on_crash))
