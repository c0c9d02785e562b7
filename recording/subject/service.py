"""Customers' requests: taken down, answered lawfully, within a time, by people who were allowed to."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.events import SubjectExportAsked
from core.ids import new_id
from core.models import Call
from core.models.retention import PurgeItem, SubjectRequest, SubjectRequestState
from core.security.actor import Actor
from core.security.keys import MasterKey, unwrap_key
from core.security.permissions import Permission
from core.store import Store
from recording.export.service import ExportFile
from recording.retention import extent, facts, purge
from recording.retention.candidates import Candidate
from recording.retention.extent import Root
from recording.retention.holds import mask_id_number, names_of
from recording.retention.persons import PersonIndex
from recording.retention.rules import DataClass, decide
from recording.seal import HEADER_B, SealedFile
from recording.subject.outcome import state_of
from recording.subject.schemas import SubjectAskRequest, SubjectRequestList, SubjectRequestView

ANSWER_WITHIN = timedelta(days=15)
"""Half of the 30 days that GB/T 35273-2020, 8.7 allows."""

SHOWN = 100
_CLASSES = tuple(each for each in DataClass if each is not DataClass.CONTACT)


class SubjectDesk:
    """Takes requests down and shows what became of them."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey, persons: PersonIndex) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._persons = persons

    async def list(self, actor: Actor) -> SubjectRequestList:
        """The newest requests."""
        actor.require(Permission.SUBJECT_SERVE)
        async with self._database.read() as session:
            query = select(SubjectRequest).order_by(col(SubjectRequest.created_at).desc()).limit(SHOWN)
            rows = (await session.scalars(query)).all()
            names = await names_of(session, [row.created_by for row in rows])
        return SubjectRequestList(items=[self._view(row, names, actor) for row in rows])

    async def ask(self, actor: Actor, asked: SubjectAskRequest) -> str:
        """Take a request down. A deletion lists at once what may be deleted, and says what may not and why.

        Raises:
            BadInputError: ``subject.one_subject``. NotFoundError: ``subject.nothing_kept``.
        """
        actor.require(Permission.SUBJECT_SERVE)
        if (asked.call_number is None) == (asked.id_number is None):
            raise BadInputError("name a call or a person", code="subject.one_subject")
        key = await self._persons.person_key(asked.id_number) if asked.id_number else None
        known = await self._persons.calls_of(key) if key else []
        async with self._database.unit_of_work(actor) as work:
            which = col(Call.id).in_(known) if key else col(Call.number) == asked.call_number
            calls = (await work.session.scalars(select(Call).where(which).order_by(col(Call.queued_at)))).all()
            if not calls:
                raise NotFoundError("nothing is kept about this person", code="subject.nothing_kept")
            now = work.clock.now()
            row = SubjectRequest(
                id=new_id("subject"),
                kind=asked.kind,
                person_key=key,
                subject=mask_id_number(asked.id_number) if asked.id_number else str(asked.call_number),
                calls=[call.id for call in calls],
                note=asked.note,
                state=SubjectRequestState.RUNNING,
                created_by=str(actor.staff_id),
                created_at=now,
                due_at=now + ANSWER_WITHIN,
            )
            work.session.add(row)
            work.audit(
                "subject.asked", "subject_request", row.id, kind=row.kind, subject=row.subject, calls=len(calls),
                note=row.note,
            )  # fmt: skip
            if asked.kind == "export":
                work.emit(SubjectExportAsked(at=now, request_id=row.id))
            else:
                await self._list_deletion(work, actor, row, calls)
        return row.id

    async def _list_deletion(self, work: UnitOfWork, actor: Actor, row: SubjectRequest, calls: Sequence[Call]) -> None:
        """The law's floors and holds decide, not the bank's own longer times."""
        await work.session.flush()
        events = await facts.events_of(work.session, calls)
        held = await facts.held(work.session, [call.id for call in calls])
        lines: list[PurgeItem] = []
        for call in calls:
            root = Root("call", call.id, call.visit_id)
            for data_class in _CLASSES:
                there = await extent.rows_of(work.session, root, data_class)
                if not there:
                    continue
                decision = decide(data_class, events[call.id], (), call.id in held, work.clock.now())
                told: dict[str, object] = {
                    "call_number": call.number,
                    "data_class": data_class,
                    "result": "listed" if decision.due else "refused",
                    "code": None if decision.due else decision.why,
                    "until": decision.kept_until.isoformat() if decision.kept_until and not decision.due else None,
                }
                row.outcome = [*row.outcome, told]
                if decision.due:
                    objects = len(await extent.objects_of(work.session, root, data_class))
                    each = Candidate(root, str(call.number))
                    lines.append(purge.line(each, data_class, decision, there, objects))
        if lines:
            run = purge.new_run(work, actor, purge.numbered(lines), row.note, row.id)
            await work.session.flush()
            work.session.add_all(lines)
            row.purge_id = run.id
        row.state = state_of({str(line["result"]) for line in row.outcome} or {"deleted"})
        if row.state != SubjectRequestState.OPEN:
            row.finished_at = work.clock.now()
        work.audit("subject.decided", "subject_request", row.id, state=row.state, outcome=row.outcome)

    async def open_file(self, actor: Actor, request_id: str) -> ExportFile:
        """The package of an export, for who took the request down; every fetching is audited.

        Raises:
            NotFoundError: ``subject.not_found``. ConflictError: ``subject.not_ready``, ``subject.expired``.
        """
        actor.require(Permission.SUBJECT_SERVE)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(SubjectRequest, request_id)
            if row is None or row.kind != "export" or row.created_by != actor.staff_id:
                raise NotFoundError("there is no such package", code="subject.not_found")
            if row.expires_at is not None and row.expires_at <= work.clock.now():
                raise ConflictError("the package is not kept any more", code="subject.expired")
            if row.object_key is None or row.wrapped_key is None:
                raise ConflictError("the package is not ready", code="subject.not_ready")
            work.audit("subject.fetched", "subject_request", row.id, sha256=row.sha256)
        data_key = unwrap_key(self._master_key, row.wrapped_key, row.id)
        header = await self._store.get_range(row.object_key, 0, HEADER_B)
        return ExportFile(self._store, row.object_key, SealedFile(header, data_key, row.id))

    def _view(self, row: SubjectRequest, names: dict[str | None, str], actor: Actor) -> SubjectRequestView:
        fetchable = row.object_key is not None and row.created_by == actor.staff_id
        return SubjectRequestView.model_validate(
            {
                **row.model_dump(exclude={"wrapped_key"}),
                "request_id": row.id,
                "whole_person": row.person_key is not None,
                "calls": len(row.calls),
                "created_by": names.get(row.created_by, ""),
                "purge_id": row.purge_id if row.state == SubjectRequestState.OPEN else None,
                "url": f"/api/subjects/requests/{row.id}/file" if fetchable else None,
            }
        )


async def calls_in_order(session: AsyncSession, ids: Sequence[str]) -> list[Call]:
    """The calls of a request, oldest first."""
    query = select(Call).where(col(Call.id).in_(ids)).order_by(col(Call.queued_at), col(Call.id))
    return list((await session.scalars(query)).all())
