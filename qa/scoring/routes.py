"""Endpoints of editing forms."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.scoring.book import FormBook
from qa.scoring.schemas import ActivateRequest, FormCheck, FormDetail, FormDraftRequest, FormRows, FormVersion


def routes(book: FormBook) -> RouteTable:
    """List, one, check, save, activate."""
    table = RouteTable()

    @table.get("/api/qa/forms", Permission.QA_MANAGE)
    async def forms(request: web.Request) -> FormRows:
        return await book.rows(actor_of(request))

    @table.get("/api/qa/forms/{version}", Permission.QA_MANAGE)
    async def one(request: web.Request, version: FormVersion, /) -> FormDetail:
        return await book.one(actor_of(request), version)

    @table.post("/api/qa/forms/check", Permission.QA_MANAGE)
    async def check(request: web.Request, body: FormDraftRequest) -> FormCheck:
        return book.check(body.form)

    @table.post("/api/qa/forms", Permission.QA_MANAGE)
    async def save(request: web.Request, body: FormDraftRequest) -> FormDetail:
        actor = actor_of(request)
        return await book.one(actor, await book.save(actor, body))

    @table.post("/api/qa/forms/{version}/activate", Permission.QA_MANAGE)
    async def activate(request: web.Request, version: FormVersion, /, body: ActivateRequest) -> FormDetail:
        await book.activate(actor_of(request), version, body.revision)
        return await book.one(actor_of(request), version)

    return table
