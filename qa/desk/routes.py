"""Endpoints of the QA desk."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.desk.schemas import (
    BusinessFilter,
    CallId,
    EvaluationFilter,
    EvaluationRequest,
    EvaluationView,
    FlagFilter,
    PageNumber,
    QaCallDetail,
    QaCallPage,
)
from qa.desk.service import DeskService


def routes(service: DeskService) -> RouteTable:
    """List, one call, its evaluation."""
    table = RouteTable()

    @table.get("/api/qa/calls", Permission.QA_VIEW)
    async def calls(
        request: web.Request,
        state: EvaluationFilter = "",
        business: BusinessFilter = "",
        flag: FlagFilter = "",
        page: PageNumber = 1,
    ) -> QaCallPage:
        return await service.calls(actor_of(request), state, business, flag, page)

    @table.get("/api/qa/calls/{call_id}", Permission.QA_VIEW)
    async def call(request: web.Request, call_id: CallId, /) -> QaCallDetail:
        return await service.open_call(actor_of(request), call_id)

    @table.put("/api/qa/calls/{call_id}/evaluation", Permission.QA_SCORE)
    async def evaluation(request: web.Request, call_id: CallId, /, body: EvaluationRequest) -> EvaluationView:
        return await service.submit(actor_of(request), call_id, body)

    return table
