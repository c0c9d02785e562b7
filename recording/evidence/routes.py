"""Evidence packages and viewings over HTTP."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from recording.catalogue.routes import send_media
from recording.catalogue.service import Catalogue
from recording.evidence.schemas import (
    CallId,
    CallNumber,
    Day,
    EvidenceCallPage,
    EvidenceList,
    EvidenceRequest,
    EvidenceView,
    PageNumber,
    ViewingRequest,
    ViewingView,
    Words,
)
from recording.evidence.service import EvidenceService
from recording.evidence.viewing import ViewingService
from recording.export.routes import send_file


def routes(service: EvidenceService) -> RouteTable:
    """Find a call, ask, look, fetch."""
    table = RouteTable()

    @table.get("/api/evidence/calls", Permission.EVIDENCE_EXPORT)
    async def calls(
        request: web.Request,
        number: CallNumber = None,
        teller: Words = "",
        business: Words = "",
        first: Day = None,
        last: Day = None,
        page: PageNumber = 1,
    ) -> EvidenceCallPage:
        return await service.calls(actor_of(request), number, teller, business, first, last, page)

    @table.post("/api/calls/{call_id}/evidence", Permission.EVIDENCE_EXPORT)
    async def ask(request: web.Request, call_id: CallId, /, body: EvidenceRequest) -> EvidenceView:
        return await service.request(actor_of(request), call_id, body.purpose)

    @table.get("/api/evidence", Permission.EVIDENCE_EXPORT)
    async def mine(request: web.Request) -> EvidenceList:
        return await service.mine(actor_of(request))

    @table.get("/api/evidence/{export_id}", Permission.EVIDENCE_EXPORT)
    async def one(request: web.Request, export_id: CallId, /) -> EvidenceView:
        return await service.access(actor_of(request), export_id)

    @table.get("/api/evidence/{export_id}/file", Permission.EVIDENCE_EXPORT)
    async def file(request: web.Request, export_id: CallId, /) -> web.StreamResponse:
        opened, number = await service.open_file(actor_of(request), export_id)
        return await send_file(request, opened, f"evidence-{number}.zip", "application/zip")

    return table


def viewing_routes(service: ViewingService, catalogue: Catalogue) -> RouteTable:
    """Looking on with a purpose."""
    table = RouteTable()

    @table.post("/api/calls/{call_id}/viewings", Permission.RECORDING_VIEW)
    async def begin(request: web.Request, call_id: CallId, /, body: ViewingRequest) -> ViewingView:
        return await service.begin(actor_of(request), call_id, body.purpose)

    @table.get("/api/viewings/{viewing_id}/files/{file_id}/media", Permission.RECORDING_VIEW)
    async def media(request: web.Request, viewing_id: CallId, file_id: CallId, /) -> web.StreamResponse:
        actor = actor_of(request)
        return await send_media(request, catalogue, actor, await service.open(actor, viewing_id, file_id))

    return table
