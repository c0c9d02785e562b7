"""Raising and reading alerts."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.db import UnitOfWork
from core.events import FraudAlertChanged
from core.ids import new_id
from core.models.fraud import FraudAlert, FraudState
from server.counter.fraud.rules import ASSESS_S, Sign, proposal_for


async def alerts_of(session: AsyncSession, call_id: str) -> list[FraudAlert]:
    """The call's alerts, oldest first."""
    query = select(FraudAlert).where(col(FraudAlert.call_id) == call_id).order_by(col(FraudAlert.raised_at))
    return list((await session.scalars(query.execution_options(populate_existing=True))).all())


async def undecided(session: AsyncSession, call_id: str) -> bool:
    """Whether an alert of this call waits for a decision: nothing may be booked then."""
    return any(alert.state != FraudState.DECIDED for alert in await alerts_of(session, call_id))


def tell(work: UnitOfWork, alert: FraudAlert) -> None:
    """An alert is new or has changed."""
    work.emit(FraudAlertChanged(at=work.clock.now(), call_id=alert.call_id, alert_id=alert.id, state=alert.state))


async def raise_signs(work: UnitOfWork, call_id: str, signs: Sequence[Sign]) -> FraudAlert | None:
    """Add signs not known yet to the call's undecided alert, or raise one. None when all are known.

    Every second hint after a decision raises a new alert: what was decided was decided about what was known.
    """
    await work.session.execute(text("select pg_advisory_xact_lock(hashtextextended(:id, 7))"), {"id": call_id})
    alerts = await alerts_of(work.session, call_id)
    known = {(sign["key"], sign["at_s"], sign["words"]) for alert in alerts for sign in alert.signs}
    fresh = [sign for sign in signs if (sign.key, sign.at_s, sign.words) not in known]
    if not fresh:
        return None
    now = work.clock.now()
    alert = next((alert for alert in alerts if alert.state != FraudState.DECIDED), None)
    stored = [sign.as_json() for sign in fresh]
    if alert is not None:
        alert.signs = [*alert.signs, *stored]
        alert.proposal = proposal_for(alert.signs)
        alert.version += 1
    else:
        alert = FraudAlert(
            id=new_id("fraud"),
            call_id=call_id,
            state=FraudState.OPEN,
            signs=stored,
            proposal=proposal_for(stored),
            raised_at=now,
            assess_by=now + timedelta(seconds=ASSESS_S),
        )
        work.session.add(alert)
        label = fresh[0].label_en
        raise_alarm(work, "fraud.alert", f"possible fraud: {label}", call_id, alert_id=alert.id)
    work.audit("fraud.signs", "fraud_alert", alert.id, call_id=call_id, keys=[sign.key for sign in fresh])
    tell(work, alert)
    await work.session.flush()
    return alert
