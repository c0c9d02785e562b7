"""HTTP endpoints of the calls room."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.calls.help import HelpDesk
from server.calls.rating import RatingBook
from server.calls.result import ResultReader
from server.calls.schemas import CallResult, RatingRequest


def routes(ratings: RatingBook, results: ResultReader, help_desk: HelpDesk) -> RouteTable:
    """Rating, results, and moving a waiting call ahead."""
    table = RouteTable()

    @table.post("/api/visit/rating", Permission.VISIT_OWN)
    async def rate(request: web.Request, /, body: RatingRequest) -> Done:
        """Rate the visit's last ended call, once."""
        await ratings.rate(actor_of(request), body.stars, body.tags, body.comment)
        return Done()

    @table.get("/api/calls/{call_id}/result", Permission.CALL_RESULT)
    async def result(request: web.Request, call_id: str, /) -> CallResult:
        """Progress and outcome of a call."""
        return await results.result(actor_of(request), call_id)

    @table.post("/api/calls/{call_id}/jump", Permission.CALL_OVERSEE)
    async def jump(request: web.Request, call_id: str, /) -> Done:
        """Move a waiting call ahead of the others, once."""
        await help_desk.jump(actor_of(request), call_id)
        return Done()

    return table
