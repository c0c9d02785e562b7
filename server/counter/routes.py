"""Endpoints of the customer's entry."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.schemas import (
    BusinessView,
    ConsentGiven,
    ConsentRequest,
    ConsentView,
    VisitRequest,
    VisitView,
    WordingView,
)
from server.counter.service import CounterService
from server.counter.wordings import current_wording


def routes(service: CounterService) -> RouteTable:
    """Businesses, consent wordings, visits and consents."""
    table = RouteTable()

    @table.get("/api/businesses", Permission.PUBLIC)
    async def businesses(request: web.Request) -> list[BusinessView]:
        return await service.businesses()

    @table.get("/api/consent-wordings/{purpose}", Permission.PUBLIC)
    async def wording(request: web.Request, purpose: str, /) -> WordingView:
        return WordingView.model_validate(current_wording(purpose), from_attributes=True)

    @table.post("/api/visits", Permission.PUBLIC)
    async def enter(request: web.Request, body: VisitRequest) -> VisitView:
        return await service.enter(body, request.remote)

    @table.post("/api/visit/consents", Permission.VISIT_OWN)
    async def consent(request: web.Request, body: ConsentRequest) -> ConsentView:
        return ConsentView(consent_id=await service.record_consent(actor_of(request), body))

    @table.get("/api/visit/consents", Permission.VISIT_OWN)
    async def consents(request: web.Request) -> list[ConsentGiven]:
        return await service.consents(actor_of(request))

    return table
