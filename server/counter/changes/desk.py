"""Changes: handed in by one person, decided by another one, in force at once or never."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.authorisation import AuthorisationLevel
from core.models.change import ChangeState, ControlledChange
from core.models.staff import Role, Staff
from core.security.actor import Actor
from server.counter.changes.schemas import (
    AuthorisationRow,
    ChangeDecisionRequest,
    ChangeDetail,
    ChangeRow,
    ReviewRulesView,
)
from server.counter.changes.subjects import EVERYWHERE, Subject

SHOWN = 100
REASON_MIN = 5


class ChangeDesk:
    """For administrators who propose and for those who decide."""

    def __init__(self, database: Database, subjects: Mapping[str, Subject]) -> None:
        self._database = database
        self._subjects = subjects

    async def propose(
        self, actor: Actor, kind: str, subject: str, content: dict[str, Any], note: str, based_on: int
    ) -> ChangeRow:
        """Hand a change in; nothing changes before somebody else approves it.

        Raises:
            BadInputError: what is wrong with the content. NotFoundError: nothing of that name can be changed.
            ConflictError: ``change.stale``: another version is in force. ``change.waiting``: another one waits.
            ``change.nothing``: it is in force already.
        """
        async with self._database.unit_of_work(actor) as work:
            handler = self._subjects[kind]
            # Two who change the same thing at once come one after the other; the second one hears of the first.
            await work.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"change {kind} {subject}"))))
            kept = await handler.check(work.session, subject, content)
            version, before = await handler.standing(work.session, subject)
            if version != based_on:
                raise ConflictError("another version is in force", code="change.stale", version=version)
            if kept == before:
                raise ConflictError("this is what is in force", code="change.nothing")
            if await _waiting(work.session, kind, subject) is not None:
                raise ConflictError("a change of this waits to be decided", code="change.waiting")
            row = ControlledChange(
                id=new_id("change"),
                kind=kind,
                subject=subject,
                content=kept,
                before=before,
                based_on=based_on,
                note=note,
                state=ChangeState.WAITING,
                author_id=actor.staff_id or "",
                proposed_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("change.propose", "change", row.id, kind=kind, subject=subject, note=note, after=kept)
            await work.session.flush()
            return await self._row(work.session, actor, row)

    async def changes(self, actor: Actor) -> list[ChangeRow]:
        """Waiting ones first, then the newest decided ones."""
        waiting = col(ControlledChange.state) == ChangeState.WAITING
        query = select(ControlledChange).order_by(waiting.desc(), col(ControlledChange.proposed_at).desc())
        async with self._database.read() as session:
            rows = (await session.scalars(query.limit(SHOWN))).all()
            return [await self._row(session, actor, row) for row in rows]

    async def view(self, actor: Actor, change_id: str) -> ChangeDetail:
        """What was and what shall be. NotFoundError ``change.not_found``."""
        async with self._database.read() as session:
            row = await session.get(ControlledChange, change_id)
            if row is None:
                raise _not_found()
            return await self._detail(session, actor, row)

    async def decide(self, actor: Actor, change_id: str, request: ChangeDecisionRequest) -> ChangeDetail:
        """Approve, which brings it into force, or reject. Running business keeps what it began with.

        Raises:
            NotFoundError: ``change.not_found``. DeniedError: ``change.own``, ``change.about_you``.
            ConflictError: ``change.decided``, ``change.stale``. BadInputError: ``change.reason_missing``, or what has
            become wrong with the content since.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, change_id)
            why_not = _why_not(actor, row)
            if why_not is not None:
                raise DeniedError("a second person decides this", code=why_not)
            if not request.approve and len(request.note) < REASON_MIN:
                raise BadInputError("say why", code="change.reason_missing", least=REASON_MIN)
            if request.approve:
                await self._apply(work, row)
            row.state = ChangeState.APPROVED if request.approve else ChangeState.REJECTED
            row.decided_by, row.decided_at, row.decision_note = actor.staff_id, work.clock.now(), request.note
            verdict = "approve" if request.approve else "reject"
            facts = {"kind": row.kind, "subject": row.subject, "author": row.author_id}
            work.audit(f"change.{verdict}", "change", row.id, before=row.before, after=row.content, **facts)
            await work.session.flush()
            return await self._detail(work.session, actor, row)

    async def withdraw(self, actor: Actor, change_id: str) -> ChangeDetail:
        """The author takes it back.

        Raises:
            NotFoundError: ``change.not_found``. DeniedError: ``change.not_yours``. ConflictError: ``change.decided``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, change_id)
            if row.author_id != actor.staff_id:
                raise DeniedError("somebody else handed this in", code="change.not_yours")
            row.state, row.decided_at = ChangeState.WITHDRAWN, work.clock.now()
            work.audit("change.withdraw", "change", row.id, kind=row.kind, subject=row.subject)
            await work.session.flush()
            return await self._detail(work.session, actor, row)

    async def rules(self) -> ReviewRulesView:
        """The rule table."""
        async with self._database.read() as session:
            version, content = await self._subjects["review_rules"].standing(session, EVERYWHERE)
            return ReviewRulesView(version=version, rules=content["rules"])

    async def levels(self) -> list[AuthorisationRow]:
        """Every supervisor with the level in force."""
        query = (
            select(Staff, AuthorisationLevel)
            .outerjoin(AuthorisationLevel, col(AuthorisationLevel.staff_id) == col(Staff.id))
            .where(col(Staff.active).is_(True))
            .order_by(col(Staff.staff_number))
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return [
            AuthorisationRow(
                staff_id=staff.id,
                display_name=staff.display_name,
                staff_number=staff.staff_number,
                team=staff.team,
                level=level.level if level else 0,
                set_at=level.at if level else None,
            )
            for staff, level in rows
            if Role.SUPERVISOR in staff.roles
        ]

    async def _apply(self, work: UnitOfWork, row: ControlledChange) -> None:
        handler = self._subjects[row.kind]
        version, before = await handler.standing(work.session, row.subject)
        if version != row.based_on or before != row.before:
            raise ConflictError("another version has come into force since", code="change.stale", version=version)
        await handler.check(work.session, row.subject, row.content)
        await handler.apply(work, row, await work.session.get_one(Staff, row.author_id))

    async def _detail(self, session: AsyncSession, actor: Actor, row: ControlledChange) -> ChangeDetail:
        head = await self._row(session, actor, row)
        version, before = await self._subjects[row.kind].standing(session, row.subject)
        stale = row.state == ChangeState.WAITING and (version != row.based_on or before != row.before)
        return ChangeDetail(**head.model_dump(), before=row.before, after=row.content, stale=stale)

    async def _row(self, session: AsyncSession, actor: Actor, row: ControlledChange) -> ChangeRow:
        author = await session.get_one(Staff, row.author_id)
        decider = await session.get(Staff, row.decided_by) if row.decided_by else None
        name_zh, name_en = await _name(session, row)
        why_not = "change.decided" if row.state != ChangeState.WAITING else _why_not(actor, row)
        return ChangeRow.model_validate(
            {
                **row.model_dump(include={"id", "kind", "subject", "note", "state", "proposed_at", "decided_at"}),
                "name_zh": name_zh,
                "name_en": name_en,
                "author_name": author.display_name,
                "mine": row.author_id == actor.staff_id,
                "decided_by_name": decider.display_name if decider else None,
                "decision_note": row.decision_note,
                "may_decide": why_not is None,
                "why_not": why_not,
            }
        )


def _why_not(actor: Actor, row: ControlledChange) -> str | None:
    if actor.staff_id is None or actor.staff_id == row.author_id:
        return "change.own"
    return "change.about_you" if actor.staff_id == row.subject else None


async def _name(session: AsyncSession, row: ControlledChange) -> tuple[str, str]:
    if row.kind == "flow":
        business = row.content["business"]
        return business["name_zh"], business["name_en"]
    if row.kind == "authorisation":
        staff = await session.get_one(Staff, row.subject)
        return staff.display_name, staff.display_name
    return "", ""


async def _waiting(session: AsyncSession, kind: str, subject: str) -> ControlledChange | None:
    query = select(ControlledChange).where(
        col(ControlledChange.kind) == kind,
        col(ControlledChange.subject) == subject,
        col(ControlledChange.state) == ChangeState.WAITING,
    )
    return (await session.scalars(query)).first()


async def _locked(work: UnitOfWork, change_id: str) -> ControlledChange:
    row = await work.session.get(ControlledChange, change_id, with_for_update=True)
    if row is None:
        raise _not_found()
    if row.state != ChangeState.WAITING:
        raise ConflictError("this is decided", code="change.decided", state=row.state)
    return row


def _not_found() -> NotFoundError:
    return NotFoundError("there is no such change", code="change.not_found")
