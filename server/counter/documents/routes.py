"""Endpoints: handing documents in (the body is the file) and looking at them."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import StringConstraints

from core.http import Done, RouteTable, actor_of
from core.http_files import file_answer, file_body
from core.security.permissions import Permission
from server.counter.documents.early import EarlyPapersDesk
from server.counter.documents.service import DocumentService, Source
from server.counter.schemas import DocumentView, EarlyDocumentView, EarlyPapers, TakeRequest

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Number = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def document_routes(service: DocumentService) -> RouteTable:
    """The same for customer and teller, each with its permission."""
    table = RouteTable()
    sides: tuple[tuple[Literal["visit", "staff"], Permission], ...] = (
        ("visit", Permission.VISIT_OWN),
        ("staff", Permission.CALL_TAKE),
    )
    for side, permission in sides:

        @table.post(f"/api/{side}/cases/{{case_id}}/documents", permission, consumes="*/*")
        async def hand_in(
            request: web.Request, case_id: Id, /, step: Key, code: Key, source: Source = "file"
        ) -> DocumentView:
            content = await file_body(request)
            document_id = await service.hand_in(
                actor_of(request), case_id, step, code, source, content, request.content_type
            )
            return DocumentView(document_id=document_id)

        @table.get(f"/api/{side}/documents/{{document_id}}", permission)
        async def whole(request: web.Request, document_id: Id, /) -> web.Response:
            return file_answer(*await service.open(actor_of(request), document_id, small=False))

        @table.get(f"/api/{side}/documents/{{document_id}}/thumbnail", permission)
        async def small(request: web.Request, document_id: Id, /) -> web.Response:
            return file_answer(*await service.open(actor_of(request), document_id, small=True))

    return table


def early_routes(desk: EarlyPapersDesk) -> RouteTable:
    """Files handed in with a booked time."""
    table = RouteTable()

    @table.get("/api/appointments/{number}/documents", Permission.PUBLIC)
    async def papers(request: web.Request, number: Number, /) -> EarlyPapers:
        """What the business asks for, and what is there; the files themselves are for the teller only."""
        return await desk.papers(number, request.remote)

    @table.post("/api/appointments/{number}/documents/{code}", Permission.PUBLIC, consumes="*/*")
    async def hand_in(request: web.Request, number: Number, code: Key, /) -> EarlyDocumentView:
        return await desk.hand_in(number, code, await file_body(request), request.content_type, request.remote)

    @table.post("/api/appointments/{number}/documents/{early_id}/remove", Permission.PUBLIC)
    async def remove(request: web.Request, number: Number, early_id: Id, /) -> Done:
        await desk.remove(number, early_id, request.remote)
        return Done()

    @table.get("/api/calls/{call_id}/early-documents", Permission.CALL_TAKE)
    async def of_call(request: web.Request, call_id: Id, /) -> list[EarlyDocumentView]:
        return await desk.of_call(actor_of(request), call_id)

    @table.get("/api/early-documents/{early_id}", Permission.CALL_TAKE)
    async def whole(request: web.Request, early_id: Id, /) -> web.Response:
        return file_answer(*await desk.open(actor_of(request), early_id, small=False))

    @table.get("/api/early-documents/{early_id}/thumbnail", Permission.CALL_TAKE)
    async def small(request: web.Request, early_id: Id, /) -> web.Response:
        return file_answer(*await desk.open(actor_of(request), early_id, small=True))

    @table.post("/api/early-documents/{early_id}/take", Permission.CALL_TAKE)
    async def take(request: web.Request, early_id: Id, /, body: TakeRequest) -> DocumentView:
        """Into the case, as if it had been handed in now."""
        return DocumentView(document_id=await desk.take(actor_of(request), early_id, body.case_id, body.step))

    return table
