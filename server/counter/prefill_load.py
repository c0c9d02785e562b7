"""Taking over a form that was filled in before the call."""

from sqlmodel import col, select

from core.models.case import Prefill
from core.security.sealing import Sealer
from server.counter.kind import Json, Step


async def take_prefill(step: Step, sealer: Sealer) -> Json | None:
    """The values the visit has brought along for this business; used up by this."""
    row = step.case.row
    query = (
        select(Prefill)
        .where(
            col(Prefill.visit_id) == row.visit_id,
            col(Prefill.business_code) == row.business_code,
            col(Prefill.case_id).is_(None),
            col(Prefill.filled_at).is_not(None),
            col(Prefill.expires_at) > step.now,
        )
        .order_by(col(Prefill.filled_at).desc())
        .limit(1)
        .with_for_update()
    )
    found = (await step.work.session.scalars(query)).first()
    if found is None or found.sealed is None:
        return None
    found.case_id = row.id
    step.work.audit("prefill.load", "prefill", found.id, case_id=row.id)
    values: Json = sealer.open(found.sealed, found.id)
    return values
