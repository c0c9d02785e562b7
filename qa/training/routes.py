"""Endpoints of practice."""

from aiohttp import web

from core.http import RouteTable
from core.security.permissions import Permission
from qa.training.schemas import PracticeRequest, PracticeResult, PracticeSample
from qa.training.service import PracticeService, samples


def routes(service: PracticeService) -> RouteTable:
    """Sample calls, and the checker for a practised one."""
    table = RouteTable()

    @table.get("/api/practice/samples", Permission.STAFF_SELF)
    async def calls(_request: web.Request) -> list[PracticeSample]:
        return list(samples())

    @table.post("/api/practice/check", Permission.STAFF_SELF)
    async def check(_request: web.Request, body: PracticeRequest) -> PracticeResult:
        return await service.check(body)

    return table
