"""Endpoints of sample plans, draws and conflicts of interest."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.sampling.read import SamplingReader
from qa.sampling.schemas import (
    ConflictRequest,
    DrawDetail,
    DrawRequest,
    PeopleView,
    PlanList,
    PlanRequest,
    ReplayView,
)
from qa.sampling.service import SamplingService
from qa.wire import Id


def routes(service: SamplingService, reader: SamplingReader) -> RouteTable:
    """Plans: list, save, draw. Draws: one, replay. People and conflicts."""
    table = RouteTable()

    @table.get("/api/qa/plans", Permission.QA_MANAGE)
    async def plans(request: web.Request) -> PlanList:
        return await reader.plans(actor_of(request))

    @table.post("/api/qa/plans", Permission.QA_MANAGE)
    async def create(request: web.Request, body: PlanRequest) -> PlanList:
        await service.save_plan(actor_of(request), None, body)
        return await reader.plans(actor_of(request))

    @table.put("/api/qa/plans/{plan_id}", Permission.QA_MANAGE)
    async def change(request: web.Request, plan_id: Id, /, body: PlanRequest) -> PlanList:
        await service.save_plan(actor_of(request), plan_id, body)
        return await reader.plans(actor_of(request))

    @table.post("/api/qa/plans/{plan_id}/draw", Permission.QA_MANAGE)
    async def draw(request: web.Request, plan_id: Id, /, body: DrawRequest) -> DrawDetail:
        draw_id = await service.draw_now(actor_of(request), plan_id, body.seed)
        return await reader.draw(actor_of(request), draw_id)

    @table.get("/api/qa/draws/{draw_id}", Permission.QA_MANAGE)
    async def one(request: web.Request, draw_id: Id, /) -> DrawDetail:
        return await reader.draw(actor_of(request), draw_id)

    @table.post("/api/qa/draws/{draw_id}/replay", Permission.QA_MANAGE)
    async def replay(request: web.Request, draw_id: Id, /) -> ReplayView:
        return await service.replay(actor_of(request), draw_id)

    @table.get("/api/qa/people", Permission.QA_MANAGE)
    async def people(request: web.Request) -> PeopleView:
        return await reader.people(actor_of(request))

    @table.post("/api/qa/conflicts", Permission.QA_MANAGE)
    async def add_conflict(request: web.Request, body: ConflictRequest) -> PeopleView:
        await service.add_conflict(actor_of(request), body)
        return await reader.people(actor_of(request))

    @table.post("/api/qa/conflicts/{conflict_id}/remove", Permission.QA_MANAGE)
    async def remove_conflict(request: web.Request, conflict_id: Id, /) -> PeopleView:
        await service.remove_conflict(actor_of(request), conflict_id)
        return await reader.people(actor_of(request))

    return table
