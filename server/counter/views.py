"""A case as its customer and its teller see it, always whole."""

from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import Clock
from core.db import UnitOfWork
from core.models.case import StepState
from core.ports.counter import CaseStateName, CaseView, StepView
from core.security.actor import system_actor
from server.counter.engine import Engine, identity_missing
from server.counter.kind import CaseData, Side, StepData
from server.counter.preconditions import blocked_by
from server.counter.steps import OPEN

_VIEWER = system_actor("counter")


async def view_side(engine: Engine, session: AsyncSession, clock: Clock, case: CaseData, side: Side) -> CaseView:
    """A loaded case as one side sees it."""
    work = UnitOfWork(session, _VIEWER, clock)  # for reading only: nothing of it is committed
    steps = [await _view_step(engine, work, case, step, side) for step in case.steps]
    blocked = blocked_by(case.scene.circumstances(clock.now())) or identity_missing(case)
    return _view(case, side, blocked, steps)


def _view(case: CaseData, side: Side, blocked: str | None, steps: list[StepView]) -> CaseView:
    row, flow, business = case.row, case.flow, case.scene.business
    return CaseView(
        case_id=row.id,
        call_id=row.call_id,
        business_code=row.business_code,
        name_zh=business.name_zh,
        name_en=business.name_en,
        plain_zh=flow.plain_zh,
        plain_en=flow.plain_en,
        fee_zh=flow.fee_zh,
        fee_en=flow.fee_en,
        flow_version=row.flow_version,
        version=row.version,
        state=cast(CaseStateName, str(row.state)),
        end_reason=row.end_reason,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        overdue=row.overdue_at is not None,
        ended_at=row.ended_at,
        identity_level=row.identity_level,
        customer_class=case.data.get("customer_class") if side == "teller" else None,
        blocked=blocked if row.state == "running" else None,
        steps=steps,
    )


async def _view_step(engine: Engine, work: UnitOfWork, case: CaseData, this: StepData, side: Side) -> StepView:
    row, spec, kind = this.row, this.spec, engine.kind_of(this)
    state = StepState(row.state)
    details: dict[str, Any] = {}
    if state is not StepState.PENDING:
        details = await kind.view(engine.step_for(work, case, case.scene.call, this), side)
    may = [
        name
        for name, action in kind.actions.items()
        if case.row.state == "running"
        and side in action.doers
        and state in OPEN
        and (state is StepState.ACTIVE or action.while_waiting)
    ]
    return StepView(
        key=row.key,
        kind=row.kind,
        doer=spec.doer,
        title_zh=spec.title_zh,
        title_en=spec.title_en,
        plain_zh=spec.plain_zh,
        plain_en=spec.plain_en,
        state=state.value,
        reason=row.reason,
        note=row.note,
        attempts=row.attempts,
        actions=may,
        details=details,
    )
