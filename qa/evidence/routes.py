"""Endpoints for verdicts and corrections."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.evidence.schemas import (
    CallCorrections,
    CallVoiceView,
    CorrectionRequest,
    CorrectionView,
    EvidenceId,
    VerdictRequest,
    VerdictView,
)
from qa.evidence.service import EvidenceService


def routes(service: EvidenceService) -> RouteTable:
    """Verdict on a finding; corrections of a transcript."""
    table = RouteTable()

    @table.put("/api/qa/findings/{finding_id}/verdict", Permission.QA_SCORE)
    async def verdict(request: web.Request, finding_id: EvidenceId, /, body: VerdictRequest) -> VerdictView:
        return await service.give_verdict(actor_of(request), finding_id, body)

    @table.put("/api/qa/segments/{segment_id}/correction", Permission.QA_SCORE)
    async def correct(request: web.Request, segment_id: EvidenceId, /, body: CorrectionRequest) -> CorrectionView:
        return await service.correct(actor_of(request), segment_id, body)

    @table.get("/api/qa/calls/{call_id}/corrections", Permission.QA_VIEW)
    async def corrections(request: web.Request, call_id: EvidenceId, /) -> CallCorrections:
        return await service.corrections(actor_of(request), call_id)

    @table.get("/api/qa/calls/{call_id}/voice", Permission.QA_VIEW)
    async def voice(request: web.Request, call_id: EvidenceId, /) -> CallVoiceView:
        return await service.voice(actor_of(request), call_id)

    return table
