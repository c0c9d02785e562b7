"""Legal holds: set by one person and in force at once, confirmed and lifted by a second one.

While a hold is being set or a deletion takes the call's rows, the call's row is locked: either the hold is seen, or the
rows are gone before it is set.
"""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.call import Call
from core.models.retention import HoldState, LegalHold, PersonCall
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from recording.retention.persons import PersonIndex
from recording.retention.schemas import LegalHoldList, LegalHoldRequest, LegalHoldView

SHOWN = 200


class HoldService:
    """Sets, confirms and lifts holds."""

    def __init__(self, database: Database, persons: PersonIndex) -> None:
        self._database = database
        self._persons = persons

    async def list(self, actor: Actor) -> LegalHoldList:
        """All holds in force, and the newest that were lifted."""
        actor.require(Permission.RETENTION_VIEW)
        over = col(LegalHold.state) == HoldState.LIFTED
        async with self._database.read() as session:
            rows = (
                await session.scalars(select(LegalHold).order_by(over, col(LegalHold.set_at).desc()).limit(SHOWN))
            ).all()
            names = await names_of(
                session,
                [each for row in rows for each in (row.set_by, row.confirmed_by, row.lift_asked_by, row.lifted_by)],
            )
            counted = (
                select(PersonCall.person_key, func.count())
                .where(col(PersonCall.person_key).in_([row.person_key for row in rows if row.person_key]))
                .group_by(col(PersonCall.person_key))
            )
            calls = {key: int(count) for key, count in (await session.execute(counted)).all()}
        return LegalHoldList(items=[_view(row, names, calls.get(row.person_key or "", 1), actor) for row in rows])

    async def set(self, actor: Actor, asked: LegalHoldRequest) -> str:
        """Set a hold; it is in force at once and waits for a second person. Returns its id.

        Raises:
            BadInputError: ``hold.one_subject``: name a call or a person. NotFoundError: ``call.not_found``.
        """
        actor.require(Permission.HOLD_SET)
        if (asked.call_number is None) == (asked.id_number is None):
            raise BadInputError("name a call or a person", code="hold.one_subject")
        key = await self._persons.person_key(asked.id_number) if asked.id_number else None
        async with self._database.unit_of_work(actor) as work:
            held = select(Call).where(
                col(Call.number) == asked.call_number
                if key is None
                else col(Call.id).in_(select(PersonCall.call_id).where(col(PersonCall.person_key) == key))
            )
            # In order of the ids, so that two of them cannot wait for each other.
            calls = (await work.session.scalars(held.order_by(col(Call.id)).with_for_update())).all()
            if key is None and not calls:
                raise NotFoundError("there is no such call", code="call.not_found")
            row = LegalHold(
                id=new_id("hold"),
                call_id=calls[0].id if key is None else None,
                person_key=key,
                subject=f"{asked.call_number}" if key is None else mask_id_number(asked.id_number or ""),
                reason=asked.reason,
                state=HoldState.ASKED,
                set_by=str(actor.staff_id),
                set_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("hold.set", "legal_hold", row.id, call_id=row.call_id, subject=row.subject, reason=row.reason)
        return row.id

    async def ask_lift(self, actor: Actor, hold_id: str, reason: str) -> None:
        """Ask that a hold is lifted; it holds until a second person agrees.

        Raises:
            ConflictError: ``hold.state``: it was lifted, or somebody asked already.
        """
        actor.require(Permission.HOLD_SET)
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, hold_id)
            if row.state not in (HoldState.ASKED, HoldState.CONFIRMED):
                raise ConflictError("this hold waits for a decision, or is lifted", code="hold.state")
            before = row.state
            row.state, row.lift_reason = HoldState.LIFT_ASKED, reason
            row.lift_asked_by, row.lift_asked_at = str(actor.staff_id), work.clock.now()
            work.audit(
                "hold.lift_asked",
                "legal_hold",
                row.id,
                call_id=row.call_id,
                before=before,
                after=row.state,
                reason=reason,
            )

    async def decide(self, actor: Actor, hold_id: str, agree: bool) -> None:
        """The second person's word: on setting a hold (no: it is lifted) or on lifting one (no: it stays).

        Raises:
            DeniedError: ``hold.own_request``. ConflictError: ``hold.state``: nothing waits for a decision.
        """
        actor.require(Permission.HOLD_SET)
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work, hold_id)
            if row.state not in (HoldState.ASKED, HoldState.LIFT_ASKED):
                raise ConflictError("nothing waits for a decision", code="hold.state")
            if _asked_by(row) == actor.staff_id:
                raise DeniedError("a second person decides", code="hold.own_request")
            before, now = row.state, work.clock.now()
            if (row.state == HoldState.ASKED) == agree:
                row.state = HoldState.CONFIRMED
                if before == HoldState.ASKED:
                    row.confirmed_by, row.confirmed_at = str(actor.staff_id), now
            else:
                row.state, row.lifted_by, row.lifted_at = HoldState.LIFTED, str(actor.staff_id), now
            work.audit(
                "hold.decided", "legal_hold", row.id, call_id=row.call_id, before=before, after=row.state, agree=agree
            )


def mask_id_number(id_number: str) -> str:
    """As people may see it: ``110***********123X``."""
    return f"{id_number[:3]}{'*' * 11}{id_number[-4:]}"


def _asked_by(row: LegalHold) -> str | None:
    return row.set_by if row.state == HoldState.ASKED else row.lift_asked_by


async def _locked(work: UnitOfWork, hold_id: str) -> LegalHold:
    row = await work.session.get(LegalHold, hold_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such hold", code="hold.not_found")
    return row


async def names_of(session: object, ids: Sequence[str | None]) -> dict[str | None, str]:
    """Numbers and names of staff, by id."""
    query = select(Staff).where(col(Staff.id).in_([each for each in ids if each]))
    rows = (await session.scalars(query)).all()  # type: ignore[attr-defined]
    return {row.id: f"{row.display_name} {row.staff_number}" for row in rows}


def _view(row: LegalHold, names: dict[str | None, str], calls: int, actor: Actor) -> LegalHoldView:
    people: dict[str, str | None] = {
        name: names.get(getattr(row, name)) for name in ("set_by", "confirmed_by", "lift_asked_by", "lifted_by")
    }
    waits = row.state in (HoldState.ASKED, HoldState.LIFT_ASKED)
    return LegalHoldView.model_validate(
        {
            **row.model_dump(),
            **people,
            "hold_id": row.id,
            "whole_person": row.person_key is not None,
            "calls": calls,
            "mine": waits and _asked_by(row) == actor.staff_id,
        }
    )
