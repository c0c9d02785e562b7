"""Files over HTTP: taking one in whose body is the file, and showing one."""

from aiohttp import web

from core.errors import BadInputError
from core.files import MAX_B


async def file_body(request: web.Request) -> bytes:
    """The raw body, read in pieces: it may be larger than other bodies, and no larger than a file may be.

    Raises:
        BadInputError: ``document.too_large``.
    """
    content = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > MAX_B:
            raise BadInputError("the file is too large", code="document.too_large", max_b=MAX_B)
    return bytes(content)


def file_answer(content: bytes, content_type: str) -> web.Response:
    """A file for a page's eyes only: kept nowhere, run by nothing."""
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    headers |= {"Content-Security-Policy": "sandbox; default-src 'none'", "Content-Disposition": "inline"}
    return web.Response(body=content, content_type=content_type, headers=headers)
