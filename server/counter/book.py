"""Reading, locking and storing cases; who may reach which. Personal data is sealed and opened here and nowhere else."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.models.business import Business
from core.models.call import Call
from core.models.case import BusinessCase, BusinessFlow, CaseState, CaseStep, StepState
from core.models.recording import Recording
from core.models.visit import Consent
from core.security.actor import Actor
from core.security.sealing import Sealer
from server.counter.flows import Flow
from server.counter.kind import CaseData, Scene, StepData
from server.counter.steps import Track

FLOWS_KEPT = 200


class CaseBook:
    """Cases in the database."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._flows: dict[tuple[str, int], Flow] = {}

    async def load(self, session: AsyncSession, case_id: str, *, lock: bool = False) -> CaseData:
        """A case with its flow and steps. NotFoundError ``case.not_found``."""
        query = select(BusinessCase).where(col(BusinessCase.id) == case_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        row = (await session.scalars(query)).first()
        if row is None:
            raise not_found()
        return await self.open(session, row)

    async def open(self, session: AsyncSession, row: BusinessCase) -> CaseData:
        """The rest of a case whose row is loaded."""
        scene = await scene_of(session, row.call_id, row.business_code)
        flow = await self._flow(session, row.business_code, row.flow_version)
        query = select(CaseStep).where(col(CaseStep.case_id) == row.id).order_by(col(CaseStep.position))
        steps = []
        for step in (await session.scalars(query.execution_options(populate_existing=True))).all():
            held = self._sealer.open(step.sealed, _owner(row.id, step.key))
            steps.append(StepData(step, flow.step(step.key), held["inputs"], held["result"], json.dumps(held)))
        return CaseData(row, flow, self._sealer.open(row.sealed, row.id), steps, scene)

    def seal(self, case: CaseData) -> None:
        """Put what was opened back into the rows, before they are committed."""
        case.row.sealed = self._sealer.seal(case.data, case.row.id)
        for step in case.steps:
            held = {"inputs": step.inputs, "result": step.result}
            text = json.dumps(held)
            if text != step.held:
                step.row.sealed, step.held = self._sealer.seal(held, _owner(case.row.id, step.row.key)), text

    async def _flow(self, session: AsyncSession, business_code: str, version: int) -> Flow:
        """A version of a flow; versions never change, so each is read once."""
        key = (business_code, version)
        if key not in self._flows:
            if len(self._flows) >= FLOWS_KEPT:
                self._flows.clear()
            self._flows[key] = Flow.model_validate((await session.get_one(BusinessFlow, key)).content)
        return self._flows[key]

    def add(self, work: UnitOfWork, row: BusinessCase, flow: Flow, scene: Scene) -> CaseData:
        """A new case with all its steps pending."""
        steps = [
            StepData(
                CaseStep(
                    case_id=row.id,
                    key=spec.key,
                    position=position,
                    kind=spec.kind,
                    doer=spec.doer,
                    state=StepState.PENDING,
                    sealed=b"",
                ),
                spec,
                {},
                {},
            )
            for position, spec in enumerate(flow.steps)
        ]
        work.session.add(row)
        return CaseData(row, flow, {}, steps, scene)


def track_of(case: CaseData) -> Track:
    """The case as the pure machine sees it."""
    return Track(
        tuple(step.row.key for step in case.steps),
        tuple(StepState(step.row.state) for step in case.steps),
        CaseState(case.row.state),
    )


def _owner(case_id: str, key: str) -> str:
    return f"{case_id}/{key}"


def not_found() -> NotFoundError:
    """Also for cases of other people."""
    return NotFoundError("there is no such business", code="case.not_found")


async def access_call(session: AsyncSession, actor: Actor, call_id: str, *, lock: bool = False) -> Call:
    """A call the actor takes part in. NotFoundError ``call.not_found``."""
    query = select(Call).where(col(Call.id) == call_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    call = (await session.scalars(query)).first()
    if call is None or not takes_part(actor, call):
        raise NotFoundError("there is no such call", code="call.not_found")
    return call


def takes_part(actor: Actor, call: Call) -> bool:
    """Whether it is the visit's own call or the teller's own."""
    if actor.visit_id is not None:
        return call.visit_id == actor.visit_id
    return actor.staff_id is not None and call.teller_id == actor.staff_id


async def newest_case(session: AsyncSession, call_ids: Iterable[str]) -> BusinessCase | None:
    """The case begun last in one of the calls."""
    query = select(BusinessCase).where(col(BusinessCase.call_id).in_(list(call_ids)))
    return (await session.scalars(query.order_by(col(BusinessCase.started_at).desc()).limit(1))).first()


async def scene_of(session: AsyncSession, call_id: str, business_code: str) -> Scene:
    """What a business of a call stands in, as it is now."""
    consent = (
        select(Consent.granted)
        .where(col(Consent.visit_id) == col(Call.visit_id), col(Consent.purpose) == "recording")
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Call, Business, Recording, consent)
        .select_from(Call)
        .join(Business, col(Business.code) == business_code)
        .outerjoin(Recording, col(Recording.call_id) == col(Call.id))
        .where(col(Call.id) == call_id)
        .execution_options(populate_existing=True)
    )
    call, business, recording, granted = (await session.execute(query)).one()
    return Scene(call, business, recording, bool(granted))


def call_s(recording: Recording | None, now: datetime) -> float | None:
    """A moment on the call's time line; None while nothing is recorded yet."""
    return round((now - recording.started_at).total_seconds(), 3) if recording else None
