"""Endpoints of release, acknowledgement and appeal."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from qa.desk.schemas import ReleaseRequest
from qa.review.read import ReviewReader
from qa.review.schemas import (
    AcknowledgeRequest,
    AppealList,
    AppealRequest,
    AppealVerdictRequest,
    MyEvaluation,
    MyEvaluationList,
    OpinionRequest,
)
from qa.review.service import ReviewService
from qa.wire import Id


def routes(service: ReviewService, reader: ReviewReader) -> RouteTable:
    """Inspector: release. Teller: read, acknowledge, appeal. Supervisor: opinion. QA lead: verdict."""
    table = RouteTable()

    @table.post("/api/qa/calls/{call_id}/release", Permission.QA_VIEW)
    async def release(request: web.Request, call_id: Id, /, body: ReleaseRequest) -> Done:
        await service.release(actor_of(request), call_id, body)
        return Done()

    @table.get("/api/my/evaluations", Permission.EVALUATION_OWN)
    async def mine(request: web.Request) -> MyEvaluationList:
        return await reader.mine(actor_of(request))

    @table.get("/api/my/evaluations/{evaluation_id}", Permission.EVALUATION_OWN)
    async def one(request: web.Request, evaluation_id: Id, /) -> MyEvaluation:
        return await reader.open_mine(actor_of(request), evaluation_id)

    @table.post("/api/my/evaluations/{evaluation_id}/acknowledge", Permission.EVALUATION_OWN)
    async def acknowledge(request: web.Request, evaluation_id: Id, /, body: AcknowledgeRequest) -> Done:
        await service.acknowledge(actor_of(request), evaluation_id, body.version)
        return Done()

    @table.post("/api/my/evaluations/{evaluation_id}/appeal", Permission.EVALUATION_OWN)
    async def appeal(request: web.Request, evaluation_id: Id, /, body: AppealRequest) -> Done:
        await service.appeal(actor_of(request), evaluation_id, body)
        return Done()

    @table.get("/api/team/appeals", Permission.APPEAL_SUPPORT)
    async def of_team(request: web.Request) -> AppealList:
        return await reader.of_team(actor_of(request))

    @table.post("/api/team/appeals/{appeal_id}/opinion", Permission.APPEAL_SUPPORT)
    async def opinion(request: web.Request, appeal_id: Id, /, body: OpinionRequest) -> Done:
        await service.give_opinion(actor_of(request), appeal_id, body)
        return Done()

    @table.get("/api/qa/appeals", Permission.QA_VERDICT)
    async def appeals(request: web.Request) -> AppealList:
        return await reader.all_appeals(actor_of(request))

    @table.post("/api/qa/appeals/{appeal_id}/verdict", Permission.QA_VERDICT)
    async def verdict(request: web.Request, appeal_id: Id, /, body: AppealVerdictRequest) -> Done:
        await service.decide(actor_of(request), appeal_id, body)
        return Done()

    return table
