"""Exports over HTTP."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.models.recording import RecordingExport
from core.security.permissions import Permission
from recording.export.schemas import ExportRequest, ExportView, NewestExport
from recording.export.service import ExportFile, ExportService


def routes(service: ExportService) -> RouteTable:
    """Ask, look, fetch."""
    table = RouteTable()

    @table.post("/api/recordings/{call_id}/export", Permission.RECORDING_EXPORT)
    async def request_export(request: web.Request, call_id: str, /, body: ExportRequest) -> ExportView:
        return _view(await service.request(actor_of(request), call_id, body.purpose))

    @table.get("/api/recordings/{call_id}/export", Permission.RECORDING_EXPORT)
    async def newest_export(request: web.Request, call_id: str, /) -> NewestExport:
        row = await service.newest(actor_of(request), call_id)
        return NewestExport(export=None if row is None else _view(row))

    @table.get("/api/recording-exports/{export_id}", Permission.RECORDING_EXPORT)
    async def export(request: web.Request, export_id: str, /) -> ExportView:
        return _view(await service.access(actor_of(request), export_id))

    @table.get("/api/recording-exports/{export_id}/file", Permission.RECORDING_EXPORT)
    async def file(request: web.Request, export_id: str, /) -> web.StreamResponse:
        opened = await service.open_file(actor_of(request), export_id)
        return await send_file(request, opened, f"{export_id}.mp4", "video/mp4")

    return table


async def send_file(request: web.Request, opened: ExportFile, name: str, content_type: str) -> web.StreamResponse:
    """A sealed file to save, decrypted piece by piece on its way."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    response = web.StreamResponse(headers=headers)
    response.content_type, response.content_length = content_type, opened.size_b
    await response.prepare(request)
    for start in range(0, opened.size_b, opened.step_b):
        await response.write(await opened.read(start))
    await response.write_eof()
    return response


def _view(row: RecordingExport) -> ExportView:
    url = f"/api/recording-exports/{row.id}/file" if row.state == "ready" else None
    return ExportView.model_validate({**row.model_dump(), "export_id": row.id, "url": url})
