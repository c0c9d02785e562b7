"""Endpoints of the knowledge base."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.knowledge.schemas import (
    ArticleDecisionRequest,
    ArticleHit,
    ArticleProposalRequest,
    ArticleVersionView,
    ArticleView,
    Id,
)
from server.knowledge.service import KnowledgeService

Question = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


def routes(service: KnowledgeService) -> RouteTable:
    """Search, read, propose, decide."""
    table = RouteTable()

    @table.get("/api/articles", Permission.KNOWLEDGE_READ)
    async def search(request: web.Request, q: Question = "", business: str | None = None) -> list[ArticleHit]:
        return await service.search(q, business)

    @table.get("/api/articles/{article_id}", Permission.KNOWLEDGE_READ)
    async def article(request: web.Request, article_id: Id, /) -> ArticleView:
        return await service.article(article_id)

    @table.get("/api/articles/{article_id}/versions", Permission.KNOWLEDGE_READ)
    async def versions(request: web.Request, article_id: Id, /) -> list[ArticleVersionView]:
        return await service.versions(actor_of(request), article_id)

    @table.post("/api/article-proposals", Permission.KNOWLEDGE_READ)
    async def propose(request: web.Request, body: ArticleProposalRequest) -> ArticleVersionView:
        return await service.propose(actor_of(request), body)

    @table.get("/api/article-proposals", Permission.KNOWLEDGE_PUBLISH)
    async def proposals(request: web.Request) -> list[ArticleVersionView]:
        return await service.proposals(actor_of(request))

    @table.post("/api/article-proposals/{version_id}/decision", Permission.KNOWLEDGE_PUBLISH)
    async def decide(request: web.Request, version_id: Id, /, body: ArticleDecisionRequest) -> ArticleVersionView:
        return await service.decide(actor_of(request), version_id, body)

    return table
