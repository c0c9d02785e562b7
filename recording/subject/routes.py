"""Customers' requests over HTTP."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from recording.export.routes import send_file
from recording.retention.schemas import RowId
from recording.subject.schemas import SubjectAskRequest, SubjectRequestList
from recording.subject.service import SubjectDesk


def routes(desk: SubjectDesk) -> RouteTable:
    """Take down, look, fetch."""
    table = RouteTable()

    @table.get("/api/subjects/requests", Permission.SUBJECT_SERVE)
    async def requests(request: web.Request) -> SubjectRequestList:
        return await desk.list(actor_of(request))

    @table.post("/api/subjects/requests", Permission.SUBJECT_SERVE)
    async def ask(request: web.Request, body: SubjectAskRequest) -> SubjectRequestList:
        await desk.ask(actor_of(request), body)
        return await desk.list(actor_of(request))

    @table.get("/api/subjects/requests/{request_id}/file", Permission.SUBJECT_SERVE)
    async def file(request: web.Request, request_id: RowId, /) -> web.StreamResponse:
        opened = await desk.open_file(actor_of(request), request_id)
        return await send_file(request, opened, "personal-data.zip", "application/zip")

    return table
