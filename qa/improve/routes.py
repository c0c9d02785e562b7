"""Endpoints of rectifications, coaching and best cases."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.http_files import file_answer, file_body
from core.security.permissions import Permission
from qa.improve.proof import ProofShelf
from qa.improve.read import ImproveReader
from qa.improve.schemas import (
    BestCaseList,
    BestCaseRequest,
    CheckRequest,
    CoachingList,
    CoachingRequest,
    FileName,
    ProofRequest,
    RectificationList,
    RectificationRequest,
)
from qa.improve.service import ImproveService
from qa.wire import Id


def routes(service: ImproveService, reader: ImproveReader, shelf: ProofShelf) -> RouteTable:
    """Rectifications for inspector, teller and supervisor; coaching; the library."""
    table = RouteTable()

    @table.get("/api/qa/rectifications", Permission.QA_VIEW)
    async def to_check(request: web.Request) -> RectificationList:
        return await reader.to_check(actor_of(request))

    @table.post("/api/qa/rectifications", Permission.QA_SCORE)
    async def open_one(request: web.Request, body: RectificationRequest) -> RectificationList:
        await service.open(actor_of(request), body)
        return await reader.to_check(actor_of(request))

    @table.post("/api/qa/rectifications/{rectification_id}/check", Permission.QA_VIEW)
    async def check(request: web.Request, rectification_id: Id, /, body: CheckRequest) -> RectificationList:
        await service.check(actor_of(request), rectification_id, body)
        return await reader.to_check(actor_of(request))

    @table.get("/api/team/rectifications", Permission.APPEAL_SUPPORT)
    async def of_team(request: web.Request) -> RectificationList:
        return await reader.of_team(actor_of(request))

    @table.get("/api/my/rectifications", Permission.EVALUATION_OWN)
    async def mine(request: web.Request) -> RectificationList:
        return await reader.mine(actor_of(request))

    @table.post("/api/my/rectifications/{rectification_id}/proof", Permission.EVALUATION_OWN)
    async def prove(request: web.Request, rectification_id: Id, /, body: ProofRequest) -> RectificationList:
        await service.prove(actor_of(request), rectification_id, body)
        return await reader.mine(actor_of(request))

    @table.post("/api/my/rectifications/{rectification_id}/files", Permission.EVALUATION_OWN, consumes="*/*")
    async def add_file(request: web.Request, rectification_id: Id, /, name: FileName = "") -> RectificationList:
        content = await file_body(request)
        await shelf.add(actor_of(request), rectification_id, name, content, request.content_type)
        return await reader.mine(actor_of(request))

    @table.post("/api/my/rectification-files/{file_id}/remove", Permission.EVALUATION_OWN)
    async def remove_file(request: web.Request, file_id: Id, /) -> RectificationList:
        await shelf.remove(actor_of(request), file_id)
        return await reader.mine(actor_of(request))

    # Whom it concerns is decided by row: the teller, the supervisor of the team, who may inspect the call.
    @table.get("/api/rectification-files/{file_id}", Permission.STAFF_SELF, produces="application/octet-stream")
    async def open_file(request: web.Request, file_id: Id, /) -> web.Response:
        return file_answer(*await shelf.open(actor_of(request), file_id))

    @table.get("/api/qa/coaching", Permission.QA_VIEW)
    async def written(request: web.Request) -> CoachingList:
        return await reader.notes_on(actor_of(request))

    @table.post("/api/qa/coaching", Permission.QA_SCORE)
    async def coach(request: web.Request, body: CoachingRequest) -> Done:
        await service.coach(actor_of(request), body)
        return Done()

    @table.get("/api/my/coaching", Permission.EVALUATION_OWN)
    async def notes(request: web.Request) -> CoachingList:
        return await reader.notes_to_me(actor_of(request))

    @table.post("/api/my/coaching/{note_id}/read", Permission.EVALUATION_OWN)
    async def read(request: web.Request, note_id: Id, /) -> CoachingList:
        await service.read_note(actor_of(request), note_id)
        return await reader.notes_to_me(actor_of(request))

    @table.get("/api/cases", Permission.STAFF_SELF)
    async def cases(request: web.Request) -> BestCaseList:
        return await reader.cases(actor_of(request))

    @table.post("/api/cases", Permission.QA_VIEW)
    async def add_case(request: web.Request, body: BestCaseRequest) -> BestCaseList:
        await service.add_case(actor_of(request), body)
        return await reader.cases(actor_of(request))

    @table.post("/api/cases/{case_id}/withdraw", Permission.QA_VIEW)
    async def withdraw(request: web.Request, case_id: Id, /) -> BestCaseList:
        await service.withdraw_case(actor_of(request), case_id)
        return await reader.cases(actor_of(request))

    return table
