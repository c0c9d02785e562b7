"""What people see and set: the retention table, one call's fate, lists of deletions, tombstones."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError, NotFoundError
from core.models import Call, Tombstone
from core.models.retention import ProductEnd, PurgeItem, PurgeItemState, PurgeRun, RetentionRule
from core.security.actor import Actor
from core.security.permissions import Permission
from recording.retention import extent, facts
from recording.retention.extent import Root
from recording.retention.holds import names_of
from recording.retention.rules import (
    DEFAULTS,
    EVENTS,
    DataClass,
    Duration,
    Rule,
    StartEvent,
    Unit,
    decide,
    floor_of,
    problem_of,
)
from recording.retention.schemas import (
    CallRetention,
    ClassDecision,
    ProductEndRequest,
    PurgeDetail,
    PurgeLine,
    PurgeList,
    PurgeView,
    RetentionRuleChange,
    RetentionRuleView,
    RetentionTable,
    TombstoneList,
    TombstoneView,
)

PAGE = 100
SHOWN = 100


class RetentionDesk:
    """Reads for everybody who may see it; sets lines of the table."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database = database
        self._zone = ZoneInfo(timezone)

    async def table(self, actor: Actor) -> RetentionTable:
        """Every line there can be, with what is in force and the floor."""
        actor.require(Permission.RETENTION_VIEW)
        async with self._database.read() as session:
            own = {(row.data_class, row.event): row for row in (await session.scalars(select(RetentionRule))).all()}
            names = await names_of(session, [row.edited_by for row in own.values()])
        packaged = {(rule.data_class, rule.event): rule.duration for rule in DEFAULTS}
        rules = []
        for data_class, events in EVENTS.items():
            for event in events:
                mine = own.get((data_class, event))
                least = floor_of(data_class, event)
                duration = Duration(mine.amount, _unit(mine.unit)) if mine else packaged.get((data_class, event))
                rules.append(
                    RetentionRuleView(
                        data_class=data_class,
                        event=event,
                        amount=duration.amount if duration else None,
                        unit=duration.unit if duration else "months",
                        own=mine is not None,
                        floor_amount=least.amount if least else None,
                        floor_unit=least.unit if least else None,
                        edited_by=names.get(mine.edited_by) if mine else None,
                        edited_at=mine.edited_at if mine else None,
                    )
                )
        return RetentionTable(rules=rules)

    async def set_rule(self, actor: Actor, change: RetentionRuleChange) -> None:
        """Set a line; audited with before and after.

        Raises:
            BadInputError: ``retention.below_floor``, ``retention.too_long``, ``retention.no_such_line``.
        """
        actor.require(Permission.RETENTION_SET)
        rule = Rule(change.data_class, change.event, Duration(change.amount, change.unit))
        if problem := problem_of(rule):
            floor = floor_of(change.data_class, change.event)
            raise BadInputError(
                "the retention table cannot say this", code=f"retention.{problem}", floor=str(floor) if floor else None
            )
        async with self._database.unit_of_work(actor) as work:
            before = {(each.data_class, each.event): each for each in await facts.table_of(work.session)}
            old = before.get((change.data_class, change.event))
            row = {
                "data_class": str(change.data_class),
                "event": str(change.event),
                "amount": change.amount,
                "unit": change.unit,
                "edited_by": actor.staff_id,
                "edited_at": work.clock.now(),
            }
            statement = insert(RetentionRule).values(row)
            await work.session.execute(
                statement.on_conflict_do_update(index_elements=["data_class", "event"], set_=row)
            )
            work.audit(
                "retention.rule_set",
                "retention_rule",
                f"{change.data_class}/{change.event}",
                before=str(old.duration) if old else None,
                after=str(rule.duration),
            )

    async def set_product_end(self, actor: Actor, asked: ProductEndRequest) -> None:
        """Enter when the product sold in a call ends: that day, at the bank. NotFoundError ``call.not_found``."""
        actor.require(Permission.RETENTION_SET)
        ends_at = datetime.combine(asked.ends_on + timedelta(days=1), time(), self._zone)
        async with self._database.unit_of_work(actor) as work:
            call = await _call(work.session, asked.call_number)
            row = await work.session.get(ProductEnd, call.id, with_for_update=True)
            before = row.ends_at.isoformat() if row else None
            row = row or ProductEnd(call_id=call.id, ends_at=ends_at, note="", set_by="", set_at=work.clock.now())
            row.ends_at, row.note, row.set_by, row.set_at = ends_at, asked.note, str(actor.staff_id), work.clock.now()
            work.session.add(row)
            work.audit(
                "retention.product_end_set", "call", call.id, before=before, after=ends_at.isoformat(), note=asked.note
            )

    async def call(self, actor: Actor, number: int) -> CallRetention:
        """How long what is kept of a call, and why. NotFoundError ``call.not_found``."""
        actor.require(Permission.RETENTION_VIEW)
        async with self._database.read() as session:
            call = await _call(session, number)
            rules, events = await facts.table_of(session), (await facts.events_of(session, [call]))[call.id]
            held = call.id in await facts.held(session, [call.id])
            gone = {
                row.data_class: row.deleted_at
                for row in (await session.scalars(select(Tombstone).where(col(Tombstone.root_id) == call.id))).all()
            }
            root, classes = Root("call", call.id, call.visit_id), []
            for data_class in EVENTS:
                if data_class is DataClass.CONTACT:
                    continue
                decision = decide(data_class, events, rules, held, self._database.clock.now())
                rule = decision.rule
                classes.append(
                    ClassDecision(
                        data_class=data_class,
                        why=decision.why,
                        rule_event=rule.event if rule else None,
                        rule_amount=rule.duration.amount if rule else None,
                        rule_unit=rule.duration.unit if rule else None,
                        kept_until=decision.kept_until,
                        rows=sum((await extent.rows_of(session, root, data_class)).values()),
                        deleted_at=gone.get(data_class),
                    )
                )
        return CallRetention(
            call_id=call.id,
            call_number=call.number,
            ended_at=call.ended_at,
            product_ends_at=events.get(StartEvent.PRODUCT_END),
            held=held,
            classes=classes,
        )

    async def purges(self, actor: Actor) -> PurgeList:
        """The newest deletions."""
        actor.require(Permission.RETENTION_VIEW)
        async with self._database.read() as session:
            query = select(PurgeRun).order_by(col(PurgeRun.created_at).desc()).limit(SHOWN)
            return PurgeList(items=await self._views(session, actor, (await session.scalars(query)).all()))

    async def purge(self, actor: Actor, run_id: str, first: int) -> PurgeDetail:
        """A list, from a position on; looking at it is audited. NotFoundError ``purge.not_found``."""
        actor.require(Permission.RETENTION_VIEW)
        async with self._database.unit_of_work(actor) as work:
            run = await work.session.get(PurgeRun, run_id)
            if run is None:
                raise NotFoundError("there is no such deletion", code="purge.not_found")
            query = (
                select(PurgeItem)
                .where(col(PurgeItem.run_id) == run_id, col(PurgeItem.position) >= first)
                .order_by(col(PurgeItem.position))
                .limit(PAGE)
            )
            rows = (await work.session.scalars(query)).all()
            (view,) = await self._views(work.session, actor, [run])
            work.audit("purge.seen", "purge_run", run.id, first=first)
        lines = [PurgeLine.model_validate({**row.model_dump(), "objects": row.object_count}) for row in rows]
        following = rows[-1].position + 1 if len(rows) == PAGE else 0
        return PurgeDetail(run=view, list_sha256=run.list_sha256, lines=lines, next=following)

    async def tombstones(self, actor: Actor, number: int | None) -> TombstoneList:
        """The newest, or those of one call."""
        actor.require(Permission.RETENTION_VIEW)
        query = (
            select(Tombstone, PurgeItem.label)
            .join(
                PurgeItem,
                (col(PurgeItem.run_id) == col(Tombstone.run_id))
                & (col(PurgeItem.root_id) == col(Tombstone.root_id))
                & (col(PurgeItem.data_class) == col(Tombstone.data_class)),
            )
            .order_by(col(Tombstone.deleted_at).desc(), col(Tombstone.id))
            .limit(SHOWN)
        )
        if number is not None:
            query = query.where(col(Tombstone.root_id).in_(select(Call.id).where(col(Call.number) == number)))
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
            names = await names_of(session, [each for row, _ in rows for each in (row.requested_by, row.approved_by)])
        return TombstoneList(
            items=[
                TombstoneView.model_validate(
                    {
                        **row.model_dump(),
                        "label": label,
                        "requested_by": names.get(row.requested_by, ""),
                        "approved_by": names.get(row.approved_by, ""),
                    }
                )
                for row, label in rows
            ]
        )

    async def _views(self, session: AsyncSession, actor: Actor, runs: Sequence[PurgeRun]) -> list[PurgeView]:
        names = await names_of(session, [each for run in runs for each in (run.created_by, run.decided_by)])
        counted = (
            select(PurgeItem.run_id, PurgeItem.state, func.count())
            .where(col(PurgeItem.run_id).in_([run.id for run in runs]))
            .group_by(col(PurgeItem.run_id), col(PurgeItem.state))
        )
        states: dict[str, dict[str, int]] = defaultdict(dict)
        for run_id, state, count in (await session.execute(counted)).all():
            states[run_id][state] = count
        return [
            PurgeView.model_validate(
                {
                    **run.model_dump(),
                    "run_id": run.id,
                    "deleted": states[run.id].get(PurgeItemState.DELETED, 0),
                    "skipped": states[run.id].get(PurgeItemState.SKIPPED, 0),
                    "created_by": names.get(run.created_by, ""),
                    "decided_by": names.get(run.decided_by),
                    "mine": run.created_by == actor.staff_id,
                }
            )
            for run in runs
        ]


def _unit(stored: str) -> Unit:
    return "months" if stored == "months" else "days"


async def _call(session: AsyncSession, number: int) -> Call:
    call = (await session.scalars(select(Call).where(col(Call.number) == number))).first()
    if call is None:
        raise NotFoundError("there is no such call", code="call.not_found")
    return call
