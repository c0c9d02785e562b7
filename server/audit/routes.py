"""The audit log over HTTP."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.audit.schemas import AuditDay, AuditPage, AuditWords, BeforeSeq
from server.audit.service import AuditFilter, AuditSearch


def routes(service: AuditSearch) -> RouteTable:
    """Search and export."""
    table = RouteTable()

    @table.get("/api/audit", Permission.AUDIT_VIEW)
    async def page(
        request: web.Request,
        who: AuditWords = "",
        what: AuditWords = "",
        object_id: AuditWords = "",
        words: AuditWords = "",
        first: AuditDay = None,
        last: AuditDay = None,
        before: BeforeSeq = 0,
    ) -> AuditPage:
        return await service.page(actor_of(request), AuditFilter(who, what, object_id, words, first, last), before)

    @table.get("/api/audit/export", Permission.AUDIT_VIEW, produces="text/csv")
    async def export(
        request: web.Request,
        who: AuditWords = "",
        what: AuditWords = "",
        object_id: AuditWords = "",
        words: AuditWords = "",
        first: AuditDay = None,
        last: AuditDay = None,
    ) -> web.Response:
        content = await service.export(actor_of(request), AuditFilter(who, what, object_id, words, first, last))
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "private, no-store"}
        return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)

    return table
