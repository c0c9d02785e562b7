"""Endpoints of tickets."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.tickets.schemas import (
    ComplaintRequest,
    Id,
    OwnTicket,
    TicketAnswerRequest,
    TicketCloseRequest,
    TicketDetail,
    TicketMoveRequest,
    TicketNoteRequest,
    TicketOpenRequest,
    TicketRow,
)
from server.tickets.service import SHOWN, TicketService

Limit = Annotated[int, Field(ge=1, le=10_000)]


def routes(service: TicketService) -> RouteTable:
    """Customers complain and read answers; departments work."""
    table = RouteTable()

    @table.post("/api/visit/complaints", Permission.VISIT_OWN)
    async def complain(request: web.Request, body: ComplaintRequest) -> OwnTicket:
        return await service.complain(actor_of(request), body.story)

    @table.get("/api/visit/complaints", Permission.VISIT_OWN)
    async def complaints(request: web.Request) -> list[OwnTicket]:
        return await service.own(actor_of(request))

    @table.post("/api/tickets", Permission.TICKET_OPEN)
    async def open_ticket(request: web.Request, body: TicketOpenRequest) -> OwnTicket:
        return await service.open_for_customer(actor_of(request), body)

    @table.get("/api/my-tickets", Permission.TICKET_OPEN)
    async def my_tickets(request: web.Request) -> list[OwnTicket]:
        return await service.own(actor_of(request))

    @table.get("/api/tickets", Permission.TICKET_WORK)
    async def tickets(
        request: web.Request, state: Literal["open", "answered", "closed"] | None = None, limit: Limit = SHOWN
    ) -> list[TicketRow]:
        return await service.tickets(actor_of(request), state, limit)

    @table.get("/api/tickets/{ticket_id}", Permission.TICKET_WORK)
    async def look(request: web.Request, ticket_id: Id, /) -> TicketDetail:
        return await service.look(actor_of(request), ticket_id)

    @table.post("/api/tickets/{ticket_id}/notes", Permission.TICKET_WORK)
    async def note(request: web.Request, ticket_id: Id, /, body: TicketNoteRequest) -> TicketDetail:
        return await service.note(actor_of(request), ticket_id, body.text)

    @table.post("/api/tickets/{ticket_id}/move", Permission.TICKET_WORK)
    async def move(request: web.Request, ticket_id: Id, /, body: TicketMoveRequest) -> TicketRow:
        return await service.move(actor_of(request), ticket_id, body)

    @table.post("/api/tickets/{ticket_id}/answer", Permission.TICKET_WORK)
    async def answer(request: web.Request, ticket_id: Id, /, body: TicketAnswerRequest) -> TicketDetail:
        return await service.answer(actor_of(request), ticket_id, body)

    @table.post("/api/tickets/{ticket_id}/close", Permission.TICKET_WORK)
    async def close(request: web.Request, ticket_id: Id, /, body: TicketCloseRequest) -> TicketDetail:
        return await service.close(actor_of(request), ticket_id, body.version)

    return table
