"""Endpoints of the review desk."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.http_files import file_answer
from core.security.permissions import Permission
from server.counter.review.desk import ReviewDesk
from server.counter.review.schemas import (
    ReviewDecisionRequest,
    ReviewDetail,
    ReviewList,
    ReviewRow,
)

ReviewId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(desk: ReviewDesk) -> RouteTable:
    """Requests: list, open, decide."""
    table = RouteTable()

    @table.get("/api/reviews", Permission.REVIEW_DECIDE)
    async def reviews(request: web.Request) -> ReviewList:
        return await desk.list(actor_of(request))

    @table.get("/api/reviews/{review_id}", Permission.REVIEW_DECIDE)
    async def review(request: web.Request, review_id: ReviewId, /) -> ReviewDetail:
        return await desk.open(actor_of(request), review_id)

    @table.get("/api/reviews/{review_id}/documents/{document_id}", Permission.REVIEW_DECIDE)
    async def picture(request: web.Request, review_id: ReviewId, document_id: ReviewId, /) -> web.Response:
        return file_answer(*await desk.document(actor_of(request), review_id, document_id, small=False))

    @table.get("/api/reviews/{review_id}/documents/{document_id}/thumbnail", Permission.REVIEW_DECIDE)
    async def small(request: web.Request, review_id: ReviewId, document_id: ReviewId, /) -> web.Response:
        return file_answer(*await desk.document(actor_of(request), review_id, document_id, small=True))

    @table.post("/api/reviews/{review_id}/decision", Permission.REVIEW_DECIDE)
    async def decide(request: web.Request, review_id: ReviewId, /, body: ReviewDecisionRequest) -> ReviewRow:
        return await desk.decide(actor_of(request), review_id, body)

    return table
