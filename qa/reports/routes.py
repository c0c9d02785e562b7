"""Endpoints of the QA reports."""

from datetime import date

from aiohttp import web

from core.errors import BadInputError
from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.reports.repo import Wanted
from qa.reports.schemas import Day, Key, MetricName, MonthName, ReportRows, ReportView, TrendBy, TrendView
from qa.reports.service import ReportService

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def routes(service: ReportService) -> RouteTable:
    """Figures, the lists behind them, XLSX, CSV, and the month as PDF."""
    table = RouteTable()

    @table.get("/api/qa/reports", Permission.QA_REPORT)
    async def report(
        request: web.Request, first: Day, last: Day, business: Key = "", team: Key = "", teller: Key = ""
    ) -> ReportView:
        return await service.report(actor_of(request), wanted(first, last, business, team, teller))

    @table.get("/api/qa/reports/trends", Permission.QA_REPORT)
    async def trends(
        request: web.Request,
        first: Day,
        last: Day,
        by: TrendBy,
        business: Key = "",
        team: Key = "",
        teller: Key = "",
    ) -> TrendView:
        return await service.trends(actor_of(request), wanted(first, last, business, team, teller), by)

    @table.get("/api/qa/reports/rows", Permission.QA_REPORT)
    async def rows(
        request: web.Request,
        first: Day,
        last: Day,
        metric: MetricName,
        value: Key = "",
        business: Key = "",
        team: Key = "",
        teller: Key = "",
        inspector: Key = "",
    ) -> ReportRows:
        asked = wanted(first, last, business, team, teller, inspector)
        return await service.rows(actor_of(request), asked, metric, value)

    @table.get("/api/qa/reports/rows.csv", Permission.QA_REPORT, produces="text/csv")
    async def as_csv(
        request: web.Request,
        first: Day,
        last: Day,
        metric: MetricName,
        value: Key = "",
        business: Key = "",
        team: Key = "",
        teller: Key = "",
        inspector: Key = "",
    ) -> web.Response:
        asked = wanted(first, last, business, team, teller, inspector)
        body = await service.csv(actor_of(request), asked, metric, value)
        return _file(body, "text/csv", f"qa-{metric}-{first}-{last}.csv")

    @table.get("/api/qa/reports/workbook.xlsx", Permission.QA_REPORT, produces=XLSX)
    async def workbook(
        request: web.Request, first: Day, last: Day, business: Key = "", team: Key = "", teller: Key = ""
    ) -> web.Response:
        body = await service.workbook(actor_of(request), wanted(first, last, business, team, teller))
        return _file(body, XLSX, f"qa-{first}-{last}.xlsx")

    @table.get("/api/qa/reports/months/{month}.pdf", Permission.QA_REPORT, produces="application/pdf")
    async def month_pdf(request: web.Request, month: MonthName, /) -> web.Response:
        body = await service.month_pdf(actor_of(request), month)
        return _file(body, "application/pdf", f"qa-{month}.pdf")

    return table


def wanted(first: str, last: str, business: str = "", team: str = "", teller: str = "", inspector: str = "") -> Wanted:
    """What is asked for. BadInputError ``report.days`` when a day is not in the calendar."""
    try:
        return Wanted(date.fromisoformat(first), date.fromisoformat(last), business, team, teller, inspector)
    except ValueError:
        raise BadInputError("these are not days of the calendar", code="report.days") from None


def _file(body: bytes, content_type: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(body=body, content_type=content_type, headers=headers)
