"""The inspector's queue: what was drawn for whom, and until when."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError
from core.models.qa import Evaluation
from core.models.sampling import InspectionTask, TaskState
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call, inspector_of, names_of
from qa.desk import repo, views
from qa.desk.schemas import TaskList, TaskNote, TaskRow

SHOWN = 200


async def open_task(session: AsyncSession, call_id: str) -> InspectionTask | None:
    """The open inspection of a call; there is at most one."""
    query = select(InspectionTask).where(
        col(InspectionTask.call_id) == call_id, col(InspectionTask.state) == TaskState.OPEN
    )
    return (await session.scalars(query)).first()


async def note_of(session: AsyncSession, actor: Actor, call_id: str) -> TaskNote | None:
    """The open inspection of a call as the desk shows it."""
    task = await open_task(session, call_id)
    if task is None:
        return None
    names = await names_of(session, {task.inspector_id})
    return TaskNote(
        task_id=task.id,
        inspector_name=names.get(task.inspector_id or ""),
        mine=task.inspector_id == actor.staff_id,
        due_at=task.due_at,
        reason=task.reason,
    )


async def assert_mine(session: AsyncSession, actor: Actor, call_id: str) -> None:
    """ConflictError ``task.other_inspector`` when the call was given to somebody else."""
    task = await open_task(session, call_id)
    if task is not None and task.inspector_id not in (None, actor.staff_id):
        raise ConflictError("this call was given to another inspector", code="task.other_inspector")


async def finish(work: UnitOfWork, call_id: str) -> None:
    """The call is scored: its open inspection is done, by whoever scored it."""
    task = await open_task(work.session, call_id)
    if task is not None:
        task.state, task.done_at = TaskState.DONE, work.clock.now()
        task.inspector_id = task.inspector_id or work.actor.staff_id


class TaskService:
    """Queues of the inspectors, and passing tasks on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue(self, actor: Actor, everybody: bool = False) -> TaskList:
        """Open tasks, most urgent first: the own ones, or everybody's for the QA lead."""
        actor.require(Permission.QA_MANAGE if everybody else Permission.QA_VIEW)
        now = self._database.clock.now()
        async with self._database.read() as session:
            query = select(InspectionTask).where(col(InspectionTask.state) == TaskState.OPEN)
            if not everybody:
                query = query.where(col(InspectionTask.inspector_id) == actor.staff_id)
            query = query.order_by(col(InspectionTask.due_at), col(InspectionTask.id)).limit(SHOWN)
            tasks = list((await session.scalars(query)).all())
            items = await self._rows(session, tasks, now)
            done = await session.scalar(
                select(func.count())
                .select_from(InspectionTask)
                .where(
                    col(InspectionTask.inspector_id) == actor.staff_id,
                    col(InspectionTask.done_at) >= now.replace(hour=0, minute=0, second=0, microsecond=0),
                )
            )
        return TaskList(items=items, done_today=int(done or 0))

    async def _rows(self, session: AsyncSession, tasks: list[InspectionTask], now: datetime) -> list[TaskRow]:
        call_ids = [task.call_id for task in tasks]
        lines = dict(zip(call_ids, await repo.lines(session, call_ids), strict=True))
        names = await names_of(session, {task.inspector_id for task in tasks})
        query = select(col(Evaluation.call_id)).where(
            col(Evaluation.call_id).in_(call_ids), col(Evaluation.draft) != {}
        )
        drafted = set((await session.scalars(query)).all())
        return [
            TaskRow.model_validate(
                {
                    **views.row_fields(lines[task.call_id]),
                    "task_id": task.id,
                    "reason": task.reason,
                    "due_at": task.due_at,
                    "overdue": task.due_at < now,
                    "inspector_id": task.inspector_id,
                    "inspector_name": names.get(task.inspector_id or ""),
                    "drafted": task.call_id in drafted,
                }
            )
            for task in tasks
        ]

    async def assign(self, actor: Actor, task_id: str, inspector_id: str) -> None:
        """Give an open task to somebody.

        Raises:
            NotFoundError: ``task.not_found``. ConflictError: ``task.not_open``; ``task.no_inspector`` when the person
                does not inspect. DeniedError: ``qa.own_call``, ``qa.own_team``, ``qa.conflict`` of that person.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            task = await work.session.get(InspectionTask, task_id, with_for_update=True)
            if task is None:
                raise NotFoundError("there is no such task", code="task.not_found")
            if task.state != TaskState.OPEN:
                raise ConflictError("this task is not open", code="task.not_open")
            staff = await work.session.get(Staff, inspector_id)
            if staff is None or not staff.active or Role.INSPECTOR not in staff.roles:
                raise ConflictError("this person does not inspect", code="task.no_inspector")
            call = await access_qa_call(work.session, actor, task.call_id)
            teller = await work.session.get_one(Staff, call.teller_id)
            objection = (await inspector_of(work.session, staff.id)).objection(teller.id, teller.team)
            if objection is not None:
                raise DeniedError("this person may not inspect the call", code=objection)
            work.audit("task.assign", "inspection_task", task.id, before=task.inspector_id, after=staff.id)
            task.inspector_id = staff.id
