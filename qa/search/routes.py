"""Endpoint of search."""

from datetime import datetime

from aiohttp import web

from core.errors import BadInputError
from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from qa.desk.schemas import BusinessFilter
from qa.search.schemas import SearchBy, SearchCursor, SearchPage, SearchParty, SearchText
from qa.search.service import SearchService


def routes(service: SearchService) -> RouteTable:
    """Search over the words of all calls."""
    table = RouteTable()

    @table.get("/api/qa/search", Permission.QA_VIEW)
    async def search(
        request: web.Request,
        q: SearchText,
        by: SearchBy = "text",
        party: SearchParty = "",
        business: BusinessFilter = "",
        since: str = "",
        until: str = "",
        after: SearchCursor = "",
    ) -> SearchPage:
        return await service.search(
            actor_of(request),
            q,
            by=by,
            party=party,
            business=business,
            since=_instant(since),
            until=_instant(until),
            after=after,
        )

    return table


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError("a time is written like 2026-03-01T00:00:00Z") from error
    if at.tzinfo is None:
        raise BadInputError("a time names its zone")
    return at
