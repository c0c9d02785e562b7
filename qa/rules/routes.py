"""Endpoints of rule administration."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.rules.schemas import (
    RuleSetChangeRequest,
    RuleSetDetail,
    RuleSetDraftRequest,
    RuleSetId,
    RuleSetMoveRequest,
    RuleSetView,
    TrialRequest,
    TrialView,
)
from qa.rules.service import RulesService


def routes(service: RulesService) -> RouteTable:
    """Versions, drafts, trial, approval."""
    table = RouteTable()

    @table.get("/api/rule-sets", Permission.RULES_EDIT)
    async def versions(request: web.Request) -> list[RuleSetView]:
        return await service.versions(actor_of(request))

    @table.post("/api/rule-sets", Permission.RULES_EDIT)
    async def draft(request: web.Request, body: RuleSetDraftRequest) -> RuleSetDetail:
        return await service.draft(actor_of(request), body.copy_of)

    @table.get("/api/rule-sets/{rule_set_id}", Permission.RULES_EDIT)
    async def detail(request: web.Request, rule_set_id: RuleSetId, /) -> RuleSetDetail:
        return await service.detail(actor_of(request), rule_set_id)

    @table.put("/api/rule-sets/{rule_set_id}", Permission.RULES_EDIT)
    async def change(request: web.Request, rule_set_id: RuleSetId, /, body: RuleSetChangeRequest) -> RuleSetDetail:
        return await service.change(actor_of(request), rule_set_id, body)

    @table.post("/api/rule-sets/{rule_set_id}/submit", Permission.RULES_EDIT)
    async def submit(request: web.Request, rule_set_id: RuleSetId, /, body: RuleSetMoveRequest) -> RuleSetDetail:
        return await service.submit(actor_of(request), rule_set_id, body.version, body.note)

    @table.post("/api/rule-sets/{rule_set_id}/approve", Permission.RULES_APPROVE)
    async def approve(request: web.Request, rule_set_id: RuleSetId, /, body: RuleSetMoveRequest) -> RuleSetDetail:
        return await service.decide(actor_of(request), rule_set_id, body.version, body.note, approve=True)

    @table.post("/api/rule-sets/{rule_set_id}/reject", Permission.RULES_APPROVE)
    async def reject(request: web.Request, rule_set_id: RuleSetId, /, body: RuleSetMoveRequest) -> RuleSetDetail:
        return await service.decide(actor_of(request), rule_set_id, body.version, body.note, approve=False)

    @table.post("/api/rule-sets/{rule_set_id}/trial", Permission.RULES_EDIT)
    async def trial(request: web.Request, rule_set_id: RuleSetId, /, body: TrialRequest) -> TrialView:
        return await service.trial(actor_of(request), rule_set_id, body.calls)

    return table
