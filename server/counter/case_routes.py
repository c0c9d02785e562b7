"""Endpoints of forms filled in before the call, and of the catalogue's editors."""

from aiohttp import web

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.flow_desk import FlowDesk
from server.counter.prefill import PrefillDesk
from server.counter.schemas import (
    BusinessCode,
    BusinessOffer,
    BusinessOfferRequest,
    CatalogueView,
    FlowCheck,
    FlowCheckRequest,
    FlowView,
    PrefillClaimRequest,
    PrefillForm,
    PrefillLink,
    PrefillLinkRequest,
    PrefillRequest,
)


def prefill_routes(desk: PrefillDesk) -> RouteTable:
    """For customers: before and during the wait."""
    table = RouteTable()

    @table.get("/api/visit/prefill", Permission.VISIT_OWN)
    async def form(request: web.Request) -> PrefillForm:
        return await desk.form(actor_of(request))

    @table.put("/api/visit/prefill", Permission.VISIT_OWN)
    async def fill(request: web.Request, body: PrefillRequest) -> PrefillForm:
        return await desk.fill(actor_of(request), body.values)

    @table.post("/api/prefills", Permission.PUBLIC)
    async def link(request: web.Request, body: PrefillLinkRequest) -> PrefillLink:
        return await desk.link(body.business_code, body.values, request.remote)

    @table.get("/api/prefills/{code}", Permission.PUBLIC)
    async def blank(request: web.Request, code: BusinessCode, /) -> PrefillForm:
        return await desk.blank(code)

    @table.post("/api/visit/prefill/claim", Permission.VISIT_OWN)
    async def claim(request: web.Request, body: PrefillClaimRequest) -> PrefillForm:
        return await desk.claim(actor_of(request), body.token)

    return table


def flow_routes(desk: FlowDesk) -> RouteTable:
    """For those who edit how businesses are done."""
    table = RouteTable()

    @table.get("/api/flows", Permission.CATALOGUE_EDIT)
    async def catalogue(request: web.Request) -> CatalogueView:
        return await desk.catalogue()

    @table.get("/api/flows/{code}", Permission.CATALOGUE_EDIT)
    async def view(request: web.Request, code: BusinessCode, /, version: int | None = None) -> FlowView:
        return await desk.view(code, version)

    @table.post("/api/flows/{code}/check", Permission.CATALOGUE_EDIT)
    async def check(request: web.Request, code: BusinessCode, /, body: FlowCheckRequest) -> FlowCheck:
        return desk.check(code, body)

    @table.put("/api/businesses/{code}", Permission.CATALOGUE_EDIT)
    async def offer(request: web.Request, code: BusinessCode, /, body: BusinessOfferRequest) -> BusinessOffer:
        """Whether it is offered and who serves it; how it is done stays as it is."""
        return await desk.offer(actor_of(request), code, body)

    return table
