"""Endpoints for other systems of the bank (``/api/open/v1``) and for the people who let them in (``/api/admin``)."""

from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, StringConstraints

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.open.calls import OpenDesk
from server.open.keys import KeyBook
from server.open.passes import PassBook
from server.open.schemas import (
    BusinessCode,
    DeliveryFilter,
    DeliveryList,
    EntryClaim,
    Id,
    KeyRequest,
    KeyView,
    NewKey,
    NewWebhook,
    OpenAppointment,
    OpenAppointmentRequest,
    OpenCall,
    OpenCallList,
    OpenEntry,
    OpenEntryRequest,
    OpenResult,
    OpenSlot,
    Reference,
    WebhookRequest,
    WebhookSwitchRequest,
    WebhookView,
)
from server.open.webhooks import WebhookBook

CallId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def open_routes(desk: OpenDesk, passes: PassBook) -> RouteTable:
    """What an API key opens."""
    table = RouteTable()

    @table.post("/api/open/v1/entries", Permission.OPEN_BOOK)
    async def entry(request: web.Request, /, body: OpenEntryRequest) -> OpenEntry:
        """A single-use link for a customer the caller has identified; VIPs and others wait as what they are.

        Refusals: business.not_found.
        """
        return await passes.issue(actor_of(request), body)

    @table.post("/api/visit/entry", Permission.VISIT_OWN)
    async def claim(request: web.Request, body: EntryClaim) -> None:
        await passes.claim(actor_of(request), body.token)

    @table.get("/api/open/v1/businesses/{code}/slots", Permission.OPEN_BOOK)
    async def slots(request: web.Request, code: BusinessCode, /) -> list[OpenSlot]:
        """Times of the coming week that can be booked."""
        return list(await desk.slots(code))

    @table.post("/api/open/v1/appointments", Permission.OPEN_BOOK)
    async def book(request: web.Request, /, body: OpenAppointmentRequest) -> OpenAppointment:
        """Book a time for a customer.

        The same `reference` again answers the same booking, so a request whose answer was lost can be repeated.
        Refusals: slot.gone, open.reference_used, business.not_found.
        """
        return await desk.book(actor_of(request), body)

    @table.get("/api/open/v1/appointments/{reference}", Permission.OPEN_BOOK)
    async def appointment(request: web.Request, reference: Reference, /) -> OpenAppointment:
        """A booking of this key, and the call that came of it."""
        return await desk.appointment(actor_of(request), reference)

    @table.post("/api/open/v1/appointments/{reference}/cancel", Permission.OPEN_BOOK)
    async def cancel(request: web.Request, reference: Reference, /) -> OpenAppointment:
        """Give the time back. Refusals: appointment.not_found, appointment.over."""
        return await desk.cancel(actor_of(request), reference)

    @table.get("/api/open/v1/calls", Permission.OPEN_CALLS)
    async def calls(
        request: web.Request, before: AwareDatetime | None = None, reference: Reference | None = None
    ) -> OpenCallList:
        """Calls of this key's bookings, with the scope `everybody` all calls; newest first."""
        return await desk.calls(actor_of(request), before, reference)

    @table.get("/api/open/v1/calls/{call_id}", Permission.OPEN_CALLS)
    async def call(request: web.Request, call_id: CallId, /) -> OpenCall:
        """How far a call is."""
        return await desk.call(actor_of(request), call_id)

    @table.get("/api/open/v1/calls/{call_id}/result", Permission.OPEN_RESULTS)
    async def result(request: web.Request, call_id: CallId, /) -> OpenResult:
        """What came of a call: progress of the work after it, vouchers, score."""
        return await desk.result(actor_of(request), call_id)

    @table.get(
        "/api/open/v1/calls/{call_id}/vouchers/{voucher_id}", Permission.OPEN_RESULTS, produces="application/pdf"
    )
    async def voucher(request: web.Request, call_id: CallId, voucher_id: Id, /) -> web.Response:
        """A voucher's PDF, sealed; `aircounter verify` checks it."""
        data = await desk.voucher(actor_of(request), call_id, voucher_id)
        return web.Response(body=data, content_type="application/pdf", headers={"Cache-Control": "private, no-store"})

    return table


def admin_routes(keys: KeyBook, webhooks: WebhookBook) -> RouteTable:
    """Keys, webhooks and their messages."""
    table = RouteTable()

    @table.get("/api/admin/keys", Permission.OPEN_MANAGE)
    async def all_keys(request: web.Request) -> list[KeyView]:
        return list(await keys.all())

    @table.post("/api/admin/keys", Permission.OPEN_MANAGE)
    async def make_key(request: web.Request, body: KeyRequest) -> NewKey:
        return await keys.make(actor_of(request), body)

    @table.post("/api/admin/keys/{key_id}/revoke", Permission.OPEN_MANAGE)
    async def revoke(request: web.Request, key_id: Id, /) -> Done:
        await keys.revoke(actor_of(request), key_id)
        return Done()

    @table.get("/api/admin/webhooks", Permission.OPEN_MANAGE)
    async def all_webhooks(request: web.Request) -> list[WebhookView]:
        return list(await webhooks.all())

    @table.post("/api/admin/webhooks", Permission.OPEN_MANAGE)
    async def make_webhook(request: web.Request, body: WebhookRequest) -> NewWebhook:
        return await webhooks.make(actor_of(request), body)

    @table.post("/api/admin/webhooks/{webhook_id}/switch", Permission.OPEN_MANAGE)
    async def switch(request: web.Request, webhook_id: Id, /, body: WebhookSwitchRequest) -> Done:
        await webhooks.switch(actor_of(request), webhook_id, body.enabled)
        return Done()

    @table.get("/api/admin/deliveries", Permission.OPEN_MANAGE)
    async def deliveries(request: web.Request, state: DeliveryFilter = "all") -> DeliveryList:
        return await webhooks.deliveries(state)

    @table.post("/api/admin/deliveries/{delivery_id}/replay", Permission.OPEN_MANAGE)
    async def replay(request: web.Request, delivery_id: Id, /) -> Done:
        await webhooks.replay(actor_of(request), delivery_id)
        return Done()

    return table
