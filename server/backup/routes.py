"""Endpoints of backups."""

from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.models.backup import BackupKind
from core.security.permissions import Permission
from server.backup.schemas import BackupRequest, BackupsView
from server.backup.service import BackupDesk


def routes(desk: BackupDesk) -> RouteTable:
    """The plan and its results; one more now."""
    table = RouteTable()

    @table.get("/api/backups", Permission.BACKUP_MANAGE)
    async def backups(request: web.Request) -> BackupsView:
        return await desk.view(actor_of(request))

    @table.post("/api/backups", Permission.BACKUP_MANAGE)
    async def ask(request: web.Request, body: BackupRequest) -> Done:
        await desk.ask(actor_of(request), BackupKind(body.kind))
        return Done()

    return table
