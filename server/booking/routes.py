"""HTTP endpoints of appointments and callbacks."""

import io
from datetime import date
from typing import Annotated

import segno
from aiohttp import web
from pydantic import StringConstraints

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.booking.appointments import AppointmentBook
from server.booking.callbacks import CallbackBook
from server.booking.day import DayBook
from server.booking.schemas import (
    AppointmentCode,
    AppointmentRequest,
    AppointmentView,
    BookingDay,
    CallbackRequest,
    CheckInRequest,
    MoveRequest,
    ReturnRequest,
    SlotView,
)

Business = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]


def routes(appointments: AppointmentBook, callbacks: CallbackBook, book: DayBook) -> RouteTable:
    """Everything the room answers."""
    table = RouteTable()

    @table.get("/api/queues/{code}/slots", Permission.PUBLIC)
    async def slots(request: web.Request, code: Business, /) -> list[SlotView]:
        """Times of the coming week that are free."""
        return await appointments.slots(code)

    @table.post("/api/appointments", Permission.PUBLIC)
    async def make(request: web.Request, /, body: AppointmentRequest) -> AppointmentView:
        return await appointments.book(body, request.remote)

    @table.get("/api/appointments/{code}", Permission.PUBLIC)
    async def find(request: web.Request, code: AppointmentCode, /) -> AppointmentView:
        return await appointments.find(code, request.remote)

    @table.get("/api/appointments/{code}/qr.svg", Permission.PUBLIC, produces="image/svg+xml")
    async def qr(request: web.Request, code: AppointmentCode, /) -> web.Response:
        """A QR code with the link that checks in."""
        found = await appointments.find(code, request.remote)
        link = f"{request.scheme}://{request.host}/?business={found.business_code}&appointment={found.code}"
        picture = io.BytesIO()
        segno.make_qr(link).save(picture, kind="svg", scale=6, xmldecl=False)
        return web.Response(body=picture.getvalue(), content_type="image/svg+xml")

    @table.post("/api/appointments/{code}/cancel", Permission.PUBLIC)
    async def cancel(request: web.Request, code: AppointmentCode, /) -> AppointmentView:
        return await appointments.cancel(code, request.remote)

    @table.post("/api/appointments/{code}/move", Permission.PUBLIC)
    async def move(request: web.Request, code: AppointmentCode, /, body: MoveRequest) -> AppointmentView:
        """Another time under the same number."""
        return await appointments.move(code, body.starts_at, request.remote)

    @table.get("/api/bookings", Permission.BOOKING_VIEW)
    async def of_day(request: web.Request, day: date | None = None) -> BookingDay:
        """A day's bookings and callbacks; without `day` today's."""
        return await book.day(day)

    @table.post("/api/visit/check-in", Permission.VISIT_OWN)
    async def check_in(request: web.Request, /, body: CheckInRequest) -> AppointmentView:
        return await appointments.check_in(actor_of(request), body.code)

    @table.post("/api/visit/callback", Permission.VISIT_OWN)
    async def call_back(request: web.Request, /, body: CallbackRequest) -> Done:
        await callbacks.ask(actor_of(request), body.phone)
        return Done()

    @table.post("/api/visit/return", Permission.VISIT_OWN)
    async def come_back(request: web.Request, /, body: ReturnRequest) -> Done:
        await callbacks.come_back(actor_of(request), body.code)
        return Done()

    return table
