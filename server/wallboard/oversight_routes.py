"""Endpoints of supervision: help, words to tellers, forced states, reassigned calls, the emergency switch."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.ports.wallboard import TellerOversight
from core.security.permissions import Permission
from server.wallboard.emergency import EmergencySwitch
from server.wallboard.help import HelpDesk
from server.wallboard.schemas import (
    EmergencyEndRequest,
    EmergencyRequest,
    EmergencyView,
    ForceStateRequest,
    HelpAskRequest,
    HelpView,
    Id,
    ReassignRequest,
    ServiceNotice,
    TellTellersRequest,
)


def oversight_routes(help_desk: HelpDesk, switch: EmergencySwitch, tellers: TellerOversight) -> RouteTable:
    """Everything supervisors do beside looking."""
    table = RouteTable()

    @table.post("/api/help-requests", Permission.CALL_TAKE)
    async def ask(request: web.Request, body: HelpAskRequest) -> HelpView:
        return await help_desk.ask(actor_of(request), body.call_id, body.message)

    @table.post("/api/help-requests/{help_id}/answer", Permission.CALL_OVERSEE)
    async def answer(request: web.Request, help_id: Id, /) -> HelpView:
        return await help_desk.answer(actor_of(request), help_id)

    @table.post("/api/tellers/notice", Permission.CALL_OVERSEE)
    async def tell(request: web.Request, body: TellTellersRequest) -> Done:
        await help_desk.tell_tellers(actor_of(request), body.text)
        return Done()

    @table.post("/api/tellers/{teller_id}/state", Permission.CALL_OVERSEE)
    async def force(request: web.Request, teller_id: Id, /, body: ForceStateRequest) -> Done:
        await tellers.force_state(actor_of(request), teller_id, body.state)
        return Done()

    @table.post("/api/calls/{call_id}/reassign", Permission.CALL_OVERSEE)
    async def reassign(request: web.Request, call_id: Id, /, body: ReassignRequest) -> Done:
        await tellers.reassign(actor_of(request), call_id, body.teller_id)
        return Done()

    @table.get("/api/service-notice", Permission.PUBLIC)
    async def notice(request: web.Request) -> ServiceNotice:
        return await switch.notice()

    @table.get("/api/emergencies", Permission.EMERGENCY_SWITCH)
    async def emergencies(request: web.Request) -> list[EmergencyView]:
        return await switch.log()

    @table.post("/api/emergencies", Permission.EMERGENCY_SWITCH)
    async def start(request: web.Request, body: EmergencyRequest) -> EmergencyView:
        return await switch.start(actor_of(request), body)

    @table.post("/api/emergencies/{emergency_id}/end", Permission.EMERGENCY_SWITCH)
    async def end(request: web.Request, emergency_id: Id, /, body: EmergencyEndRequest) -> EmergencyView:
        return await switch.end(actor_of(request), emergency_id, body.review)

    return table
