"""Endpoints of the statistics."""

from datetime import date

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.statistics.load import LoadForecasts
from server.statistics.people import PeopleFigures
from server.statistics.reports import Filter, Reports
from server.statistics.schemas import (
    By,
    CustomerHistory,
    DutyAlert,
    Key,
    LoadForecast,
    Measure,
    Month,
    OwnFigures,
    OwnMonth,
    PeerReviewRequest,
    PeerRow,
    StatsCalls,
    StatsReport,
    TeamMonth,
)
from server.statistics.sheet import as_csv, as_xlsx

_SHEETS = {
    "csv": (as_csv, "text/csv"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def routes(reports: Reports, people: PeopleFigures, loads: LoadForecasts) -> RouteTable:
    """Reports and their lists, radar, peer review, forecast, alerts; the teller's own day and customer."""
    table = RouteTable()
    see = Permission.STATISTICS_VIEW

    @table.get("/api/statistics/report", see)
    async def report(
        request: web.Request,
        by: By,
        since: date,
        until: date,
        business: Key | None = None,
        teller: Key | None = None,
        team: Key | None = None,
    ) -> StatsReport:
        return await reports.report(by, since, until, Filter(business, teller, team))

    @table.get("/api/statistics/report.{kind}", see)
    async def sheet(
        request: web.Request,
        kind: str,
        /,
        by: By,
        since: date,
        until: date,
        business: Key | None = None,
        teller: Key | None = None,
        team: Key | None = None,
    ) -> web.Response:
        if kind not in _SHEETS:
            raise web.HTTPNotFound
        write, content_type = _SHEETS[kind]
        found = await reports.report(by, since, until, Filter(business, teller, team))
        name = f"aircounter-{by}-{since}-{until}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return web.Response(body=write(found), content_type=content_type, headers=headers)

    @table.get("/api/statistics/calls", see)
    async def calls(
        request: web.Request,
        measure: Measure,
        since: date,
        until: date,
        by: By | None = None,
        key: Key | None = None,
        business: Key | None = None,
        teller: Key | None = None,
        team: Key | None = None,
    ) -> StatsCalls:
        return await reports.calls(measure, since, until, Filter(business, teller, team), by, key)

    @table.get("/api/statistics/radar", see)
    async def radar(request: web.Request, month: Month) -> TeamMonth:
        return await people.radars(month)

    @table.get("/api/statistics/forecast", see)
    async def forecast(request: web.Request, day: date, business: Key | None = None) -> LoadForecast:
        return await loads.of(day, business)

    @table.get("/api/statistics/duty-alerts", see)
    async def duty_alerts(request: web.Request) -> list[DutyAlert]:
        return await people.duty_alerts()

    @table.get("/api/own-figures", Permission.CALL_TAKE)
    async def own(request: web.Request) -> OwnFigures:
        return await people.own_day(actor_of(request))

    @table.get("/api/own-month", Permission.PEER_REVIEW)
    async def own_month(request: web.Request, month: Month) -> OwnMonth:
        return await people.own_month(actor_of(request), month)

    @table.get("/api/peer-reviews", Permission.PEER_REVIEW)
    async def colleagues(request: web.Request, month: Month) -> list[PeerRow]:
        return await people.colleagues(actor_of(request), month)

    @table.post("/api/peer-reviews", Permission.PEER_REVIEW)
    async def review(request: web.Request, body: PeerReviewRequest) -> Done:
        await people.review(actor_of(request), body)
        return Done()

    @table.get("/api/calls/{call_id}/customer-history", Permission.CUSTOMER_HISTORY)
    async def history(request: web.Request, call_id: Key, /) -> CustomerHistory:
        return await people.history(actor_of(request), call_id)

    return table
