"""Endpoints of the QA desk."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from qa.desk.schemas import (
    BusinessFilter,
    CallId,
    DraftRequest,
    EvaluationFilter,
    EvaluationRequest,
    EvaluationView,
    FlagFilter,
    PageNumber,
    QaCallDetail,
    QaCallPage,
    TaskList,
)
from qa.desk.service import DeskService
from qa.desk.tasks import TaskService
from qa.wire import Id


def routes(service: DeskService) -> RouteTable:
    """List, one call, its evaluation and the draft of it."""
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

    @table.put("/api/qa/calls/{call_id}/draft", Permission.QA_SCORE)
    async def draft(request: web.Request, call_id: CallId, /, body: DraftRequest) -> EvaluationView:
        return await service.draft(actor_of(request), call_id, body)

    return table


def task_routes(service: TaskService) -> RouteTable:
    """The inspector's queue, and everybody's for the QA lead."""
    table = RouteTable()

    @table.get("/api/qa/tasks", Permission.QA_SCORE)
    async def mine(request: web.Request) -> TaskList:
        return await service.queue(actor_of(request))

    @table.get("/api/qa/tasks/all", Permission.QA_MANAGE)
    async def everybody(request: web.Request) -> TaskList:
        return await service.queue(actor_of(request), everybody=True)

    @table.put("/api/qa/tasks/{task_id}/inspector/{staff_id}", Permission.QA_MANAGE)
    async def assign(request: web.Request, task_id: Id, staff_id: Id, /) -> Done:
        await service.assign(actor_of(request), task_id, staff_id)
        return Done()

    return table
