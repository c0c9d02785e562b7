"""Endpoints of alarms and failed jobs."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.wallboard.schemas import AlarmView, FailedJob
from server.wallboard.service import WallboardService

AlarmId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(service: WallboardService) -> RouteTable:
    """Alarms: list and clear. Jobs: retry."""
    table = RouteTable()

    @table.get("/api/alarms", Permission.ALARM_VIEW)
    async def alarms(request: web.Request) -> list[AlarmView]:
        return await service.alarms()

    @table.post("/api/alarms/{alarm_id}/clear", Permission.ALARM_VIEW)
    async def clear(request: web.Request, alarm_id: AlarmId, /) -> Done:
        await service.clear(actor_of(request), alarm_id)
        return Done()

    @table.post("/api/jobs/retry", Permission.JOB_RETRY)
    async def retry(request: web.Request, body: FailedJob) -> Done:
        await service.retry(actor_of(request), body)
        return Done()

    return table
