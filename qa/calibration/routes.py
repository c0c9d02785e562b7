"""Endpoints of calibration sessions."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.calibration.schemas import CalibrationList, CalibrationRequest, CalibrationScoreRequest
from qa.calibration.service import CalibrationService
from qa.wire import Id


def routes(service: CalibrationService) -> RouteTable:
    """List, open, mark, close."""
    table = RouteTable()

    @table.get("/api/qa/calibrations", Permission.QA_VIEW)
    async def sessions(request: web.Request) -> CalibrationList:
        return await service.sessions(actor_of(request))

    @table.post("/api/qa/calibrations", Permission.QA_MANAGE)
    async def begin(request: web.Request, body: CalibrationRequest) -> CalibrationList:
        await service.open(actor_of(request), body)
        return await service.sessions(actor_of(request))

    @table.put("/api/qa/calibrations/{session_id}/marks", Permission.QA_VIEW)
    async def mark(request: web.Request, session_id: Id, /, body: CalibrationScoreRequest) -> CalibrationList:
        await service.mark(actor_of(request), session_id, body)
        return await service.sessions(actor_of(request))

    @table.post("/api/qa/calibrations/{session_id}/close", Permission.QA_MANAGE)
    async def close(request: web.Request, session_id: Id, /) -> CalibrationList:
        await service.close(actor_of(request), session_id)
        return await service.sessions(actor_of(request))

    return table
