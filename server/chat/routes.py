"""HTTP endpoints of the chat. The same for customers (own call) and tellers (own call)."""

from typing import Annotated

from aiohttp import hdrs, web
from pydantic import StringConstraints

from core.errors import BadInputError
from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.chat.schemas import ChatMessageView, ChatTextRequest, ClientId
from server.chat.service import ChatService

Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(service: ChatService) -> RouteTable:
    """Reading, saying, sending and showing; for each side its own path, as each has its own permission."""
    table = RouteTable()
    for base, permission in (("/api/visit/chat", Permission.VISIT_OWN), ("/api/staff/chat", Permission.CALL_TAKE)):
        _of_side(table, service, base, permission)
    return table


def _of_side(table: RouteTable, service: ChatService, base: str, permission: Permission) -> None:
    @table.get(f"{base}/{{call_id}}", permission)
    async def messages(request: web.Request, call_id: Id, /) -> list[ChatMessageView]:
        return await service.messages(actor_of(request), call_id)

    @table.post(f"{base}/{{call_id}}", permission)
    async def say(request: web.Request, call_id: Id, /, body: ChatTextRequest) -> ChatMessageView:
        return await service.send_text(actor_of(request), call_id, body)

    @table.post(f"{base}/{{call_id}}/images/{{client_id}}", permission, consumes="image/*")
    async def send(request: web.Request, call_id: Id, client_id: ClientId, /) -> ChatMessageView:
        if not request.content_type.startswith("image/"):
            raise BadInputError("this is no picture", code="chat.not_an_image")
        return await service.send_image(actor_of(request), call_id, client_id, await request.read())

    @table.get(f"{base}-images/{{message_id}}", permission, produces="image/*")
    async def image(request: web.Request, message_id: Id, /) -> web.Response:
        media_type, data = await service.image(actor_of(request), message_id)
        headers = {hdrs.CACHE_CONTROL: "private, no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, content_type=media_type, headers=headers)
