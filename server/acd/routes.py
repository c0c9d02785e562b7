"""HTTP endpoints of queues: their state for customers, notices, colleagues, set-up."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.db import Database
from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.acd.colleagues import ColleagueBook
from server.acd.door import QueueDoor
from server.acd.notices import NoticeBoard
from server.acd.schemas import (
    CalendarRequest,
    CalendarView,
    Code,
    Colleagues,
    GroupConfigRequest,
    GroupConfigView,
    NoticeRequest,
    NoticeView,
    QueueConfigRequest,
    QueueConfigView,
    QueueStatusView,
    RoutingView,
)
from server.acd.setup import RoutingSetup

NoticeId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


def routes(
    database: Database, door: QueueDoor, notices: NoticeBoard, colleagues: ColleagueBook, setup: RoutingSetup
) -> RouteTable:
    """Everything the room answers over HTTP."""
    table = RouteTable()

    @table.get("/api/queues/{code}", Permission.PUBLIC)
    async def status(request: web.Request, code: Code, /) -> QueueStatusView:
        """Open or not, how many wait and for how long."""
        async with database.read() as session:
            status = await door.status(session, code, database.clock.now())
            return QueueStatusView.model_validate(status.model_dump())

    @table.get("/api/queues/{code}/notices", Permission.PUBLIC)
    async def current(request: web.Request, code: Code, /) -> list[NoticeView]:
        """What is valid now on the waiting page of a business."""
        return await notices.current(code)

    @table.get("/api/queue-notices", Permission.QUEUE_NOTICE)
    async def all_notices(request: web.Request) -> list[NoticeView]:
        return await notices.all()

    @table.post("/api/queue-notices", Permission.QUEUE_NOTICE)
    async def publish(request: web.Request, /, body: NoticeRequest) -> NoticeView:
        return await notices.publish(actor_of(request), body)

    @table.post("/api/queue-notices/{notice_id}/withdraw", Permission.QUEUE_NOTICE)
    async def withdraw(request: web.Request, notice_id: NoticeId, /) -> Done:
        await notices.withdraw(actor_of(request), notice_id)
        return Done()

    @table.get("/api/colleagues", Permission.CALL_TAKE)
    async def around(request: web.Request) -> Colleagues:
        """Whom a call can be handed to or who can be asked into it."""
        return await colleagues.around(actor_of(request))

    @table.get("/api/routing", Permission.ROUTING_SETUP)
    async def routing(request: web.Request) -> RoutingView:
        return await setup.all()

    @table.put("/api/routing/groups/{code}", Permission.ROUTING_SETUP)
    async def set_group(request: web.Request, code: Code, /, body: GroupConfigRequest) -> GroupConfigView:
        return await setup.set_group(actor_of(request), code, body)

    @table.put("/api/routing/queues/{code}", Permission.ROUTING_SETUP)
    async def set_queue(request: web.Request, code: Code, /, body: QueueConfigRequest) -> QueueConfigView:
        return await setup.set_queue(actor_of(request), code, body)

    @table.put("/api/routing/calendars/{code}", Permission.ROUTING_SETUP)
    async def set_calendar(request: web.Request, code: Code, /, body: CalendarRequest) -> CalendarView:
        return await setup.set_calendar(actor_of(request), code, body)

    return table
