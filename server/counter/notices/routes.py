"""Endpoints of the messages."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.notices.schemas import NoticeList, OwnNotice
from server.counter.notices.service import NoticeService, StateFilter

NoticeId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(service: NoticeService) -> RouteTable:
    """Own messages of a customer; all messages and retries for the people in charge."""
    table = RouteTable()

    @table.get("/api/visit/notices", Permission.VISIT_OWN)
    async def own(request: web.Request) -> list[OwnNotice]:
        return await service.own(actor_of(request))

    @table.get("/api/notices", Permission.NOTICE_VIEW)
    async def notices(request: web.Request, state: StateFilter = "all") -> NoticeList:
        return await service.list(state)

    @table.post("/api/notices/{notice_id}/retry", Permission.NOTICE_RETRY)
    async def retry(request: web.Request, notice_id: NoticeId, /) -> Done:
        await service.retry(actor_of(request), notice_id)
        return Done()

    return table
