"""Endpoints of forms filled in before the call, and of the catalogue's editors."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.flow_desk import FlowDesk
from server.counter.prefill import PrefillDesk
from server.counter.schemas import (
    BusinessOffer,
    BusinessOfferRequest,
    FlowCheck,
    FlowCheckRequest,
    FlowRequest,
    FlowRow,
    FlowView,
    PrefillClaimRequest,
    PrefillForm,
    PrefillLink,
    PrefillLinkRequest,
    PrefillRequest,
)

BusinessCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]


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
        return await desk.link(body.business_code, request.remote)

    @table.post("/api/visit/prefill/claim", Permission.VISIT_OWN)
    async def claim(request: web.Request, body: PrefillClaimRequest) -> PrefillForm:
        return await desk.claim(actor_of(request), body.token)

    return table


def flow_routes(desk: FlowDesk) -> RouteTable:
    """For those who edit how businesses are done."""
    table = RouteTable()

    @table.get("/api/flows", Permission.CATALOGUE_EDIT)
    async def rows(request: web.Request) -> list[FlowRow]:
        return await desk.rows()

    @table.get("/api/flows/{code}", Permission.CATALOGUE_EDIT)
    async def view(request: web.Request, code: BusinessCode, /, version: int | None = None) -> FlowView:
        return await desk.view(code, version)

    @table.post("/api/flows/{code}/check", Permission.CATALOGUE_EDIT)
    async def check(request: web.Request, code: BusinessCode, /, body: FlowCheckRequest) -> FlowCheck:
        return desk.check(code, body.text)

    @table.put("/api/flows/{code}", Permission.CATALOGUE_EDIT)
    async def save(request: web.Request, code: BusinessCode, /, body: FlowRequest) -> FlowView:
        return await desk.save(actor_of(request), code, body)

    @table.put("/api/businesses/{code}", Permission.CATALOGUE_EDIT)
    async def offer(request: web.Request, code: BusinessCode, /, body: BusinessOfferRequest) -> BusinessOffer:
        """Whether it is offered and who serves it; how it is done stays as it is."""
        return await desk.offer(actor_of(request), code, body)

    return table
