"""Requests for a second person: made when a step waits, bound to exactly what is shown."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.events import ReviewRequested
from core.ids import new_id
from core.models.authorisation import AuthorisationLevel, ReviewRequest, ReviewRuleRow, ReviewState
from core.models.staff import Role, Staff, StaffSession
from core.security.sealing import Sealer
from server.counter.review.rules import Requirement, ReviewRule, packaged_rules

ESCALATE_S, DUE_S = 60, 180
ON_DUTY_S = 600.0  # signed in and seen within this time


def shown_digest(shown: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of what a second person sees."""
    text = json.dumps(shown, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def stored_rules(session: AsyncSession) -> list[ReviewRule]:
    """The rule table of this bank."""
    rows = (await session.scalars(select(ReviewRuleRow).order_by(col(ReviewRuleRow.position)))).all()
    return [ReviewRule.model_validate(row.content) for row in rows]


async def seed_review_rules(work: UnitOfWork) -> None:
    """The shipped table for a bank that has none."""
    if (await work.session.scalars(select(ReviewRuleRow).limit(1))).first() is None:
        for position, rule in enumerate(packaged_rules()):
            work.session.add(ReviewRuleRow(position=position, content=rule.model_dump()))


async def seed_demo_levels(work: UnitOfWork) -> None:
    """Levels for the demo supervisors that have none."""
    supervisors = select(Staff).where(col(Staff.username).like("supervisor%"))
    for staff in (await work.session.scalars(supervisors)).all():
        if await work.session.get(AuthorisationLevel, staff.id) is None:
            now = work.clock.now()
            work.session.add(AuthorisationLevel(staff_id=staff.id, level=3, set_by=work.actor.name, at=now))
            work.audit("authorisation.set", "staff", staff.id, after=3)


async def level_of(session: AsyncSession, staff_id: str) -> int:
    """Authorisation level of a member of staff; 0 for nobody special."""
    row = await session.get(AuthorisationLevel, staff_id)
    return row.level if row else 0


async def eligible_on_duty(work: UnitOfWork, level: int, teller_id: str) -> list[str]:
    """Supervisors of this level who are signed in and not idle; never the teller of the call."""
    seen = work.clock.now() - timedelta(seconds=ON_DUTY_S)
    query = (
        select(Staff)
        .join(AuthorisationLevel, col(AuthorisationLevel.staff_id) == col(Staff.id))
        .join(StaffSession, col(StaffSession.staff_id) == col(Staff.id))
        .where(
            col(AuthorisationLevel.level) >= level,
            col(Staff.active).is_(True),
            col(Staff.id) != teller_id,
            col(StaffSession.ended_at).is_(None),
            col(StaffSession.last_seen_at) >= seen,
        )
        .distinct()
    )
    return [row.id for row in (await work.session.scalars(query)).all() if Role.SUPERVISOR in row.roles]


async def ask_for_review(
    work: UnitOfWork, sealer: Sealer, request: ReviewRequest, needed: Requirement, shown: dict[str, Any]
) -> ReviewRequest:
    """Store a request (whose case fields are set) and tell the supervisors."""
    now = work.clock.now()
    request.level, request.written_reason, request.reasons = needed.level, needed.written_reason, list(needed.reasons)
    request.sealed_shown, request.shown_sha256 = sealer.seal(shown, request.id), shown_digest(shown)
    request.requested_at = now
    on_duty = await eligible_on_duty(work, needed.level, request.teller_id)
    # With nobody there the others in charge are called at once instead of in a minute.
    request.escalate_at = now + timedelta(seconds=ESCALATE_S if on_duty else 0)
    request.due_at = now + timedelta(seconds=DUE_S)
    work.session.add(request)
    work.audit(
        "review.request",
        "review",
        request.id,
        call_id=request.call_id,
        case_id=request.case_id,
        level=needed.level,
        reasons=list(needed.reasons),
        shown_sha256=request.shown_sha256,
    )
    work.emit(ReviewRequested(at=now, call_id=request.call_id, review_id=request.id, level=needed.level))
    return request


def new_request(
    case_id: str, step_key: str, attempt: int, call_id: str, teller_id: str, **fields: Any
) -> ReviewRequest:
    """A request with nothing decided yet."""
    return ReviewRequest(
        id=new_id("review"),
        case_id=case_id,
        step_key=step_key,
        attempt=attempt,
        call_id=call_id,
        teller_id=teller_id,
        state=ReviewState.WAITING,
        **fields,
    )
