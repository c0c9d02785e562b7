"""What people see of backups, and asking for one now."""

from typing import Any

from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError
from core.models.backup import BackupKind, BackupRun, BackupState
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from server.backup.rules import Plan
from server.backup.runner import order
from server.backup.schemas import BackupRunView, BackupsView

SHOWN = 30


class BackupDesk:
    """The edge's part.

    Args:
        target: As configured, without what may be secret in it; None: nothing is configured.
    """

    def __init__(self, database: Database, plan: Plan, target: str | None) -> None:
        self._database = database
        self._plan = plan
        self._target = target

    async def view(self, actor: Actor) -> BackupsView:
        """The plan, the last results."""
        actor.require(Permission.BACKUP_MANAGE)
        query = (
            select(BackupRun, Staff.display_name)
            .outerjoin(Staff, col(Staff.id) == col(BackupRun.asked_by))
            .order_by(col(BackupRun.due_at).desc(), col(BackupRun.kind).desc())
        )
        async with self._database.read() as session:
            rows = (await session.execute(query.limit(SHOWN))).all()
            last = {
                kind: (
                    await session.scalars(
                        select(BackupRun.finished_at)
                        .where(col(BackupRun.kind) == kind, col(BackupRun.state) == BackupState.DONE)
                        .order_by(col(BackupRun.finished_at).desc())
                        .limit(1)
                    )
                ).first()
                for kind in BackupKind
            }
        now = self._database.clock.now()
        return BackupsView(
            target=self._target,
            at=self._plan.at.strftime("%H:%M"),
            keep=self._plan.keep,
            drill_days=self._plan.drill_days,
            next_at=self._plan.next_slot(now) if self._target else None,
            last_backup_at=last[BackupKind.BACKUP],
            last_drill_at=last[BackupKind.DRILL],
            runs=[_view(row, name) for row, name in rows],
        )

    async def ask(self, actor: Actor, kind: BackupKind) -> None:
        """Have one made now.

        Raises:
            ConflictError: ``backup.no_target``: none is configured; ``backup.running``: one is being done.
        """
        actor.require(Permission.BACKUP_MANAGE)
        if self._target is None:
            raise ConflictError("no place for backups is configured", code="backup.no_target")
        async with self._database.unit_of_work(actor) as work:
            going_on = select(BackupRun.id).where(col(BackupRun.state).in_((BackupState.WAITING, BackupState.RUNNING)))
            if (await work.session.scalars(going_on)).first() is not None:
                raise ConflictError("a backup or a rehearsal is being done", code="backup.running")
            row = order(work, kind, work.clock.now(), actor.staff_id)
            work.audit("backup.ask", "backup", row.id, kind=kind.value)


def _view(row: BackupRun, name: str | None) -> BackupRunView:
    facts: dict[str, Any] = row.facts
    return BackupRunView.model_validate(
        {
            **row.model_dump(include=set(BackupRunView.model_fields)),
            **{key: facts.get(key) for key in ("rows", "objects", "size_b", "copied_b")},
            "played": facts.get("played") is not None if row.kind == BackupKind.DRILL and facts else None,
            "asked_by": name,
        }
    )
