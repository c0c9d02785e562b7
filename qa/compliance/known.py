"""Reading what the tables know of a call besides its words, for rules that ask for it."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.call import Call
from core.models.recording import Recording
from core.models.visit import Consent
from qa.compliance.facts import CallFacts, StepFact


async def call_facts(session: AsyncSession, call: Call) -> CallFacts:
    """Business, length, ending, and the consents that were given by a click (step ``consent.<purpose>``)."""
    recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call.id))).first()
    consents = await session.scalars(
        select(Consent).where(col(Consent.visit_id) == call.visit_id).order_by(col(Consent.at))
    )
    steps = tuple(
        StepFact(
            f"consent.{consent.purpose}",
            "granted" if consent.granted else "refused",
            max(0.0, (consent.at - recording.started_at).total_seconds()) if recording else None,
        )
        for consent in consents
    )
    talked_s = (call.ended_at - call.accepted_at).total_seconds() if call.accepted_at and call.ended_at else None
    return CallFacts(call.business_code, talked_s, end_reason=call.end_reason, steps=steps)
