"""Endpoints of the reconciliation list."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.banking.desk import PostingDesk
from server.counter.banking.schemas import PostingDecisionRequest, PostingList, PostingView

PostingId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(desk: PostingDesk) -> RouteTable:
    """Transactions with the core banking system: list and decide."""
    table = RouteTable()

    @table.get("/api/postings", Permission.POSTING_RECONCILE)
    async def postings(request: web.Request) -> PostingList:
        return await desk.list(actor_of(request))

    @table.post("/api/postings/{posting_id}/decision", Permission.POSTING_RECONCILE)
    async def decide(request: web.Request, posting_id: PostingId, /, body: PostingDecisionRequest) -> PostingView:
        return await desk.decide(actor_of(request), posting_id, body)

    return table
