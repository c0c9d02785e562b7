"""Reading what the tables know of a call besides its words, for rules that ask for it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.models.call import Call
from core.models.case import BusinessCase, CaseStep
from core.models.posting import Posting
from core.models.recording import Recording
from core.models.visit import Consent
from qa.compliance.facts import CallFacts, StepFact


async def call_facts(session: AsyncSession, call: Call) -> CallFacts:
    """Business, customer class, amount (of the largest posting), length, ending, and what was done by a click.

    Steps: ``consent.<purpose>`` with granted or refused, and ``step.<kind>`` of the counter with its state (done,
    not_needed, stopped …), e.g. ``step.identity``.
    """
    recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call.id))).first()
    consents = await session.scalars(
        select(Consent).where(col(Consent.visit_id) == call.visit_id).order_by(col(Consent.at))
    )

    def second(at: datetime | None) -> float | None:
        return max(0.0, (at - recording.started_at).total_seconds()) if recording and at else None

    given = tuple(
        StepFact(
            f"consent.{consent.purpose}",
            "granted" if consent.granted else "refused",
            second(consent.at),
        )
        for consent in consents
    )
    talked_s = (call.ended_at - call.accepted_at).total_seconds() if call.accepted_at and call.ended_at else None
    done = await session.execute(
        select(CaseStep.kind, CaseStep.state, CaseStep.ended_at)
        .join(BusinessCase, col(BusinessCase.id) == col(CaseStep.case_id))
        .where(col(BusinessCase.call_id) == call.id, col(CaseStep.ended_at).is_not(None))
        .order_by(col(CaseStep.ended_at), col(CaseStep.position))
    )
    clicked = tuple(StepFact(f"step.{kind}", str(state), second(ended_at)) for kind, state, ended_at in done)
    amount = await session.scalar(select(func.max(col(Posting.amount_fen))).where(col(Posting.call_id) == call.id))
    return CallFacts(
        call.business_code, talked_s, amount, call.customer_class, end_reason=call.end_reason, steps=(*given, *clicked)
    )
