"""Endpoints of fraud alerts."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.fraud.desk import FraudDesk
from server.counter.fraud.schemas import FraudAssessRequest, FraudDecisionRequest, FraudRaiseRequest, FraudView

Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(desk: FraudDesk) -> RouteTable:
    """Alerts: of a call, all, raise, assess, decide."""
    table = RouteTable()

    @table.get("/api/fraud-alerts", Permission.FRAUD_DECIDE)
    async def alerts(request: web.Request) -> list[FraudView]:
        return await desk.list(actor_of(request))

    @table.get("/api/calls/{call_id}/fraud-alerts", Permission.FRAUD_ASSESS)
    async def of_call(request: web.Request, call_id: Id, /) -> list[FraudView]:
        return await desk.of_call(actor_of(request), call_id)

    @table.post("/api/calls/{call_id}/fraud-alerts", Permission.FRAUD_ASSESS)
    async def raise_alert(request: web.Request, call_id: Id, /, body: FraudRaiseRequest) -> FraudView:
        return await desk.raise_by_hand(actor_of(request), call_id, body)

    @table.post("/api/fraud-alerts/{alert_id}/assessment", Permission.FRAUD_ASSESS)
    async def assess(request: web.Request, alert_id: Id, /, body: FraudAssessRequest) -> FraudView:
        return await desk.assess(actor_of(request), alert_id, body)

    @table.post("/api/fraud-alerts/{alert_id}/decision", Permission.FRAUD_ASSESS)
    async def decide(request: web.Request, alert_id: Id, /, body: FraudDecisionRequest) -> FraudView:
        return await desk.decide(actor_of(request), alert_id, body)

    return table
