"""Deletion by two persons: a list (dry run), a second person who has seen it, a job that deletes and proves it.

Each line is decided anew when its turn comes, so a hold set in between wins. Its rows go in one transaction, which
notes the objects that have to follow; a killed job therefore finds every line either untouched, or with its rows gone
and its objects named, and goes on from there.
"""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError, UnavailableError
from core.events import PurgeApproved
from core.ids import new_id
from core.jobs import Subscription
from core.models import Appointment, Call, Prefill
from core.models.retention import PurgeItem, PurgeItemState, PurgeRun, PurgeState, Tombstone
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission
from core.store import Store
from recording.retention import extent, facts
from recording.retention.candidates import Candidate, candidates
from recording.retention.extent import Root
from recording.retention.ledger import Deletion, Ledger, is_deleted
from recording.retention.rules import DataClass, Decision, Rule, StartEvent, decide
from recording.subject.outcome import settle

log = structlog.get_logger(__name__)

_ACTOR = system_actor("retention")
LIST_MAX = 500
"""Lines of one list: what a person can look through. What is left over comes with the next one."""

GOOD_FOR = timedelta(days=7)
"""How old a list may be when it is approved."""

ORDER = tuple(DataClass)
"""Business before service: signatures name consents."""


def list_digest(lines: Sequence[PurgeItem]) -> str:
    """SHA-256 over what the second person sees: which class of what, by which rule, how much."""
    shown = [
        [row.position, row.root_type, row.root_id, row.data_class, row.rule, row.rows, row.object_count]
        for row in lines
    ]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


class Lister:
    """Finds what is due. Deletes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, session: AsyncSession, now: datetime, limit: int = LIST_MAX) -> list[PurgeItem]:
        """Lines of everything that may be deleted by the retention table, oldest first; not stored."""
        rules = await facts.table_of(session)
        lines: list[PurgeItem] = []
        for data_class in ORDER:
            if len(lines) < limit:
                found = await candidates(session, data_class, rules, now, limit - len(lines))
                lines += await self.lines(session, data_class, found, rules, now)
        return numbered(lines)

    async def lines(
        self,
        session: AsyncSession,
        data_class: DataClass,
        found: Sequence[Candidate],
        rules: Sequence[Rule],
        now: datetime,
    ) -> list[PurgeItem]:
        """Those of the candidates that are due and have anything of the class."""
        calls = [each.call for each in found if each.call is not None]
        events = await facts.events_of(session, calls)
        held = await facts.held(session, [call.id for call in calls])
        lines = []
        for each in found:
            happened = events[each.root.id] if each.events is None else each.events
            decision = decide(data_class, happened, rules, each.root.id in held, now)
            if not decision.due:
                continue
            rows = await extent.rows_of(session, each.root, data_class)
            objects = await extent.objects_of(session, each.root, data_class)
            if rows or objects:
                lines.append(line(each, data_class, decision, rows, len(objects)))
        return lines


def line(each: Candidate, data_class: DataClass, decision: Decision, rows: dict[str, int], objects: int) -> PurgeItem:
    """A line of a list; `numbered` gives it its place."""
    return PurgeItem(
        id=new_id("purgeitem"),
        run_id="",
        position=0,
        root_type=each.root.type,
        root_id=each.root.id,
        data_class=data_class,
        label=each.label,
        rule=str(decision.rule),
        kept_until=decision.kept_until,
        state=PurgeItemState.LISTED,
        rows=rows,
        object_count=objects,
    )


def numbered(lines: Sequence[PurgeItem]) -> list[PurgeItem]:
    """Everything of one call together, its classes in the order in which they can be deleted."""
    first = {row.root_id: at for at, row in reversed(list(enumerate(lines)))}
    ordered = sorted(lines, key=lambda row: (first[row.root_id], ORDER.index(DataClass(row.data_class))))
    for position, row in enumerate(ordered):
        row.position = position
    return ordered


def new_run(work: UnitOfWork, actor: Actor, lines: Sequence[PurgeItem], note: str, request_id: str | None) -> PurgeRun:
    """Store a list; audited. Nothing is deleted by it."""
    now = work.clock.now()
    run = PurgeRun(
        id=new_id("purge"),
        reason="due" if request_id is None else "request",
        request_id=request_id,
        note=note,
        state=PurgeState.LISTED,
        as_of=now,
        list_sha256=list_digest(lines),
        items=len(lines),
        created_by=str(actor.staff_id),
        created_at=now,
    )
    work.session.add(run)
    for row in lines:
        row.run_id = run.id
    work.audit("purge.listed", "purge_run", run.id, items=run.items, list_sha256=run.list_sha256, reason=run.reason)
    return run


class PurgeService:
    """Makes lists, takes the second person's word, deletes."""

    def __init__(self, database: Database, store: Store, journals: Path, ledger: Ledger) -> None:
        self._database = database
        self._store = store
        self._ledger = ledger
        self._journals = journals
        self._lister = Lister(database)

    async def dry_run(self, actor: Actor, note: str) -> str:
        """List what is due now. Returns the run's id. ConflictError ``purge.nothing_due``."""
        actor.require(Permission.PURGE_PROPOSE)
        async with self._database.unit_of_work(actor) as work:
            lines = await self._lister.due(work.session, work.clock.now())
            if not lines:
                raise ConflictError("nothing is due", code="purge.nothing_due")
            run = new_run(work, actor, lines, note, None)
            await work.session.flush()
            work.session.add_all(lines)
        return run.id

    async def approve(self, actor: Actor, run_id: str, list_sha256: str) -> None:
        """A second person has seen the list and agrees; the job begins.

        Raises:
            DeniedError: ``purge.own_list``. NotFoundError: ``purge.not_found``.
            ConflictError: ``purge.state`` (decided already), ``purge.other_list`` (not the list that was seen),
                ``purge.too_old`` (make a new one).
        """
        actor.require(Permission.PURGE_APPROVE)
        async with self._database.unit_of_work(actor) as work:
            run = await _undecided(work, run_id)
            if run.created_by == actor.staff_id:
                raise DeniedError("a second person approves", code="purge.own_list")
            lines = (await work.session.scalars(_lines(run_id))).all()
            if run.list_sha256 != list_sha256 or list_digest(lines) != list_sha256:
                raise ConflictError("this is not the list that was seen", code="purge.other_list")
            if work.clock.now() - run.as_of > GOOD_FOR:
                raise ConflictError("the list is too old; make a new one", code="purge.too_old")
            run.state, run.decided_by, run.decided_at = PurgeState.APPROVED, str(actor.staff_id), work.clock.now()
            work.audit("purge.approved", "purge_run", run.id, list_sha256=list_sha256, items=run.items)
            work.emit(PurgeApproved(at=work.clock.now(), run_id=run.id))

    async def reject(self, actor: Actor, run_id: str, reason: str) -> None:
        """Nothing of the list is deleted. Also by the one who made it."""
        if not actor.may(Permission.PURGE_PROPOSE):
            actor.require(Permission.PURGE_APPROVE)
        async with self._database.unit_of_work(actor) as work:
            run = await _undecided(work, run_id)
            run.state, run.decided_by, run.decided_at = PurgeState.REJECTED, str(actor.staff_id), work.clock.now()
            run.decision_note = reason
            await settle(work, run)
            work.audit("purge.rejected", "purge_run", run.id, reason=reason)

    # the job

    async def on_approved(self, event: PurgeApproved) -> None:
        """Delete line by line. Running it again goes on where it stopped, and does nothing when it is done."""
        async with self._database.read() as session:
            run = await session.get_one(PurgeRun, event.run_id)
            ids = (await session.scalars(_lines(run.id))).all()
        if run.state != PurgeState.APPROVED:
            return
        for row in ids:
            if row.state in (PurgeItemState.LISTED, PurgeItemState.DELETING):
                await self._delete(run, row.id)
        async with self._database.unit_of_work(_ACTOR) as work:
            done = await work.session.get_one(PurgeRun, run.id, with_for_update=True)
            if done.state != PurgeState.APPROVED:
                return
            counts = {state: int(count) for state, count in (await work.session.execute(_states(run.id))).all()}
            done.state, done.finished_at = PurgeState.DONE, work.clock.now()
            await settle(work, done)
            work.audit("purge.done", "purge_run", run.id, **counts)

    async def _delete(self, run: PurgeRun, item_id: str) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            item = await work.session.get_one(PurgeItem, item_id, with_for_update=True)
            if item.state == PurgeItemState.LISTED:
                await self._take_rows(work, run, item)
        if item.state == PurgeItemState.DELETING:
            await self._remove_objects(item)
            await self._prove(run, item)

    async def _take_rows(self, work: UnitOfWork, run: PurgeRun, item: PurgeItem) -> None:
        """Decide anew, then delete the rows and note what has to follow; or skip the line."""
        data_class, now = DataClass(item.data_class), work.clock.now()
        root, events = await _locked_root(work.session, item)
        rules = await facts.table_of(work.session) if run.reason == "due" else []
        held = item.root_type == "call" and bool(await facts.held(work.session, [item.root_id]))
        decision = decide(data_class, events, rules, held, now)
        why: str | None = None if decision.due else decision.why
        if why is None and await extent.is_needed(work.session, root, data_class):
            why = "needed"
        if why is not None:
            item.state, item.reason, item.ended_at = PurgeItemState.SKIPPED, why, now
            work.audit("purge.skipped", item.root_type, item.root_id, data_class=data_class, reason=why, run=run.id)
            return
        keys = await extent.objects_of(work.session, root, data_class)
        if data_class is DataClass.RECORDING:  # also what no row names, such as leftovers of a crash
            keys |= set(await self._store.keys(f"recordings/{root.id}/"))
        item.rows = await extent.remove_rows(work.session, root, data_class)
        item.objects, item.object_count = sorted(keys), len(keys)
        item.state = PurgeItemState.DELETING

    async def _remove_objects(self, item: PurgeItem) -> None:
        for key in item.objects:
            await self._store.delete(key)
        if item.data_class == DataClass.RECORDING:
            await asyncio.to_thread(shutil.rmtree, self._journals / item.root_id, ignore_errors=True)

    async def _prove(self, run: PurgeRun, item: PurgeItem) -> None:
        """Look for rows and objects; only when there are none, say that they are deleted."""
        data_class = DataClass(item.data_class)
        for key in item.objects:
            try:
                await self._store.size_b(key)
            except NotFoundError:
                continue
            raise UnavailableError(f"object {key} is still there", code="purge.object_left")
        async with self._database.unit_of_work(_ACTOR) as work:
            stored = await work.session.get_one(PurgeItem, item.id, with_for_update=True)
            if stored.state != PurgeItemState.DELETING:
                return
            root = await _root(work.session, stored)
            if left := await extent.rows_of(work.session, root, data_class):
                # Something wrote after the rows were deleted, e.g. a late job. They go as well, on the next attempt.
                await extent.remove_rows(work.session, root, data_class)
                log.warning("rows appeared after their deletion", root=root.id, data_class=data_class, rows=left)
            now = work.clock.now()
            digest = hashlib.sha256("\n".join(stored.objects).encode()).hexdigest()
            stone = Tombstone(
                id=new_id("tomb"),
                root_type=stored.root_type,
                root_id=stored.root_id,
                data_class=data_class,
                run_id=run.id,
                rule=stored.rule,
                rows=stored.rows,
                objects=stored.object_count,
                objects_sha256=digest,
                requested_by=run.created_by,
                approved_by=str(run.decided_by),
                deleted_at=now,
            )
            if not await is_deleted(work.session, stone.root_id, data_class):  # by another list, or after a restore
                await self._ledger.write(Deletion.of(stone, stored.objects))
                work.session.add(stone)
            work.audit(
                "purge.deleted",
                stored.root_type,
                stored.root_id,
                data_class=data_class,
                rule=stored.rule,
                rows=stored.rows,
                objects=stored.object_count,
                objects_sha256=digest,
                run=run.id,
            )
            stored.state, stored.objects, stored.ended_at = PurgeItemState.DELETED, [], now


async def _undecided(work: UnitOfWork, run_id: str) -> PurgeRun:
    run = await work.session.get(PurgeRun, run_id, with_for_update=True)
    if run is None:
        raise NotFoundError("there is no such deletion", code="purge.not_found")
    if run.state != PurgeState.LISTED:
        raise ConflictError("this list was decided already", code="purge.state")
    return run


def _lines(run_id: str):  # type: ignore[no-untyped-def]
    return select(PurgeItem).where(col(PurgeItem.run_id) == run_id).order_by(col(PurgeItem.position))


def _states(run_id: str):  # type: ignore[no-untyped-def]
    return select(PurgeItem.state, func.count()).where(col(PurgeItem.run_id) == run_id).group_by(col(PurgeItem.state))


async def _locked_root(session: AsyncSession, item: PurgeItem) -> tuple[Root, dict[StartEvent, datetime | None]]:
    """The thing a line is about, locked against a hold that is just being set, and its events."""
    if item.root_type == "call":
        call = await session.get_one(Call, item.root_id, with_for_update=True)
        return Root("call", call.id, call.visit_id), (await facts.events_of(session, [call]))[call.id]
    if item.root_type == "appointment":
        booking = await session.get(Appointment, item.root_id, with_for_update=True)
        over = booking.ends_at if booking and booking.visit_id is None else None
    else:
        form = await session.get(Prefill, item.root_id, with_for_update=True)
        over = form.expires_at if form and form.visit_id is None else None
    return Root(item.root_type, item.root_id), {StartEvent.EXPIRED: over}


async def _root(session: AsyncSession, item: PurgeItem) -> Root:
    if item.root_type != "call":
        return Root(item.root_type, item.root_id)
    call = await session.get_one(Call, item.root_id)
    return Root("call", call.id, call.visit_id)


def subscriptions(service: PurgeService) -> list[Subscription]:
    """The job that deletes."""
    return [Subscription(PurgeApproved, "retention.purge", service.on_approved, max_attempts=8)]
