"""Playback over HTTP."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.actor import Actor
from core.security.permissions import Permission
from recording.catalogue.ranges import ByteRange, UnsatisfiableRangeError, requested_range
from recording.catalogue.service import Catalogue, PlainFile


def routes(service: Catalogue) -> RouteTable:
    """Endpoints of the recording room."""
    table = RouteTable()

    @table.get("/api/recordings/{file_id}/media", Permission.RECORDING_PLAY, produces="video/*")
    async def media(request: web.Request, file_id: str, /) -> web.StreamResponse:
        actor = actor_of(request)
        return await send_media(request, service, actor, await service.access_recording_file(actor, file_id))

    @table.get("/api/recordings/{file_id}/thumbnails/{number}", Permission.RECORDING_PLAY, produces="image/jpeg")
    async def thumbnail(request: web.Request, file_id: str, number: int, /) -> web.StreamResponse:
        jpeg = await service.access_thumbnail(actor_of(request), file_id, number)
        headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    return table


async def send_media(request: web.Request, service: Catalogue, actor: Actor, file: PlainFile) -> web.StreamResponse:
    """A recording to play, whole or the range that was asked for (RFC 9110 section 14); audited."""
    etag = f'"{file.row.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private, no-store",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    wanted = request.headers.get("Range")
    if request.headers.get("If-Range", etag) != etag:
        wanted = None  # the player's part is of another version: send it whole
    try:
        part = requested_range(wanted, file.size_b)
    except UnsatisfiableRangeError:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{file.size_b}"})
    await service.note_access(actor, file.row)
    return await _send(request, file, part, headers)


async def _send(
    request: web.Request, file: PlainFile, part: ByteRange | None, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    whole = part or ByteRange(0, file.size_b)
    if part is not None:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.size_b}"
    response.content_type = file.content_type
    response.content_length = whole.end - whole.start
    await response.prepare(request)
    async for piece in file.read(whole.start, whole.end):
        await response.write(piece)
    await response.write_eof()
    return response
