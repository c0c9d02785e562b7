"""Retention over HTTP."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from recording.retention.desk import RetentionDesk
from recording.retention.holds import HoldService
from recording.retention.purge import PurgeService
from recording.retention.schemas import (
    CallNumber,
    CallRetention,
    LegalHoldDecision,
    LegalHoldLift,
    LegalHoldList,
    LegalHoldRequest,
    Position,
    ProductEndRequest,
    PurgeApproval,
    PurgeDetail,
    PurgeList,
    PurgeRejection,
    PurgeRequest,
    RetentionRuleChange,
    RetentionTable,
    RowId,
    TombstoneList,
)

OneCall = Annotated[int | None, Field(ge=1, le=2**31 - 1)]


def routes(desk: RetentionDesk, holds: HoldService, purges: PurgeService) -> RouteTable:
    """Table, holds, lists, tombstones. What changes something answers with the new state of its list."""
    table = RouteTable()

    @table.get("/api/retention/rules", Permission.RETENTION_VIEW)
    async def rules(request: web.Request) -> RetentionTable:
        return await desk.table(actor_of(request))

    @table.put("/api/retention/rules", Permission.RETENTION_SET)
    async def set_rule(request: web.Request, body: RetentionRuleChange) -> RetentionTable:
        await desk.set_rule(actor_of(request), body)
        return await desk.table(actor_of(request))

    @table.put("/api/retention/product-ends", Permission.RETENTION_SET)
    async def set_product_end(request: web.Request, body: ProductEndRequest) -> CallRetention:
        await desk.set_product_end(actor_of(request), body)
        return await desk.call(actor_of(request), body.call_number)

    @table.get("/api/retention/calls/{number}", Permission.RETENTION_VIEW)
    async def call(request: web.Request, number: CallNumber, /) -> CallRetention:
        return await desk.call(actor_of(request), number)

    @table.get("/api/retention/tombstones", Permission.RETENTION_VIEW)
    async def tombstones(request: web.Request, number: OneCall = None) -> TombstoneList:
        return await desk.tombstones(actor_of(request), number)

    @table.get("/api/retention/holds", Permission.RETENTION_VIEW)
    async def list_holds(request: web.Request) -> LegalHoldList:
        return await holds.list(actor_of(request))

    @table.post("/api/retention/holds", Permission.HOLD_SET)
    async def set_hold(request: web.Request, body: LegalHoldRequest) -> LegalHoldList:
        await holds.set(actor_of(request), body)
        return await holds.list(actor_of(request))

    @table.post("/api/retention/holds/{hold_id}/lift", Permission.HOLD_SET)
    async def lift(request: web.Request, hold_id: RowId, /, body: LegalHoldLift) -> LegalHoldList:
        await holds.ask_lift(actor_of(request), hold_id, body.reason)
        return await holds.list(actor_of(request))

    @table.post("/api/retention/holds/{hold_id}/decide", Permission.HOLD_SET)
    async def decide(request: web.Request, hold_id: RowId, /, body: LegalHoldDecision) -> LegalHoldList:
        await holds.decide(actor_of(request), hold_id, body.agree)
        return await holds.list(actor_of(request))

    @table.get("/api/retention/purges", Permission.RETENTION_VIEW)
    async def list_purges(request: web.Request) -> PurgeList:
        return await desk.purges(actor_of(request))

    @table.post("/api/retention/purges", Permission.PURGE_PROPOSE)
    async def dry_run(request: web.Request, body: PurgeRequest) -> PurgeDetail:
        run_id = await purges.dry_run(actor_of(request), body.note)
        return await desk.purge(actor_of(request), run_id, 0)

    @table.get("/api/retention/purges/{run_id}", Permission.RETENTION_VIEW)
    async def one(request: web.Request, run_id: RowId, /, first: Position = 0) -> PurgeDetail:
        return await desk.purge(actor_of(request), run_id, first)

    @table.post("/api/retention/purges/{run_id}/approve", Permission.PURGE_APPROVE)
    async def approve(request: web.Request, run_id: RowId, /, body: PurgeApproval) -> Done:
        await purges.approve(actor_of(request), run_id, body.list_sha256)
        return Done()

    @table.post("/api/retention/purges/{run_id}/reject", Permission.RETENTION_VIEW)
    async def reject(request: web.Request, run_id: RowId, /, body: PurgeRejection) -> Done:
        await purges.reject(actor_of(request), run_id, body.reason)
        return Done()

    return table
