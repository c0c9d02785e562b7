"""Endpoints of changes: hand in, look at, decide, take back."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.changes.desk import ChangeDesk
from server.counter.changes.schemas import (
    AuthorisationRequest,
    AuthorisationRow,
    ChangeDecisionRequest,
    ChangeDetail,
    ChangeRow,
    FlowRequest,
    ReviewRulesRequest,
    ReviewRulesView,
)
from server.counter.changes.subjects import EVERYWHERE
from server.counter.schemas import BusinessCode

ChangeId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(desk: ChangeDesk) -> RouteTable:
    """Businesses, review rules and authorisation levels; one way to change each of them."""
    table = RouteTable()

    @table.post("/api/flows/{code}/changes", Permission.CATALOGUE_EDIT)
    async def flow(request: web.Request, code: BusinessCode, /, body: FlowRequest) -> ChangeRow:
        content = {"business": body.business.model_dump(), "flow": body.flow}
        return await desk.propose(actor_of(request), "flow", code, content, body.note, body.based_on)

    @table.get("/api/review-rules", Permission.REVIEW_RULES)
    async def rules(request: web.Request) -> ReviewRulesView:
        return await desk.rules()

    @table.post("/api/review-rules/changes", Permission.REVIEW_RULES)
    async def set_rules(request: web.Request, body: ReviewRulesRequest) -> ChangeRow:
        content = {"rules": body.rules}
        return await desk.propose(actor_of(request), "review_rules", EVERYWHERE, content, body.note, body.based_on)

    @table.get("/api/authorisations", Permission.REVIEW_RULES)
    async def levels(request: web.Request) -> list[AuthorisationRow]:
        return await desk.levels()

    @table.post("/api/authorisations/{staff_id}/changes", Permission.REVIEW_RULES)
    async def set_level(request: web.Request, staff_id: ChangeId, /, body: AuthorisationRequest) -> ChangeRow:
        content = {"level": body.level}
        return await desk.propose(actor_of(request), "authorisation", staff_id, content, body.note, body.based_on)

    @table.get("/api/changes", Permission.CHANGE_APPROVE)
    async def changes(request: web.Request) -> list[ChangeRow]:
        return await desk.changes(actor_of(request))

    @table.get("/api/changes/{change_id}", Permission.CHANGE_APPROVE)
    async def change(request: web.Request, change_id: ChangeId, /) -> ChangeDetail:
        return await desk.view(actor_of(request), change_id)

    @table.post("/api/changes/{change_id}/decision", Permission.CHANGE_APPROVE)
    async def decide(request: web.Request, change_id: ChangeId, /, body: ChangeDecisionRequest) -> ChangeDetail:
        return await desk.decide(actor_of(request), change_id, body)

    @table.post("/api/changes/{change_id}/withdrawal", Permission.CHANGE_APPROVE)
    async def withdraw(request: web.Request, change_id: ChangeId, /) -> ChangeDetail:
        return await desk.withdraw(actor_of(request), change_id)

    return table
