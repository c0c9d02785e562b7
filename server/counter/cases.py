"""Business at the counter, as signaling and jobs ask for it: access, one unit of work each, views of both sides."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError
from core.events import CaseStarted
from core.ids import new_id
from core.models.business import Business
from core.models.call import Call
from core.models.case import BusinessCase, BusinessFlow, CaseState
from core.ports.counter import BusinessChoice, CaseHead, CaseView, CaseViews
from core.security.actor import Actor
from server.counter.book import access_call, call_s, newest_case, not_found, scene_of, takes_part
from server.counter.engine import Engine
from server.counter.flow_store import active_flow
from server.counter.kind import CaseData, Json, Side
from server.counter.preconditions import RUNNING, blocked_by
from server.counter.views import view_side


class CaseService:
    """Implements `core.ports.counter.CaseDesk`, and `resume` for jobs."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self.engine = engine

    async def customer_case(self, actor: Actor) -> CaseView | None:
        """See `CaseDesk`."""
        async with self._database.read() as session:
            query = select(Call.id).where(col(Call.visit_id) == (actor.visit_id or ""))
            row = await newest_case(session, (await session.scalars(query)).all())
            return None if row is None else await self._view(session, row, "customer")

    async def teller_case(self, actor: Actor, call_id: str) -> CaseView | None:
        """See `CaseDesk`."""
        async with self._database.read() as session:
            await access_call(session, actor, call_id)
            row = await newest_case(session, [call_id])
            return None if row is None else await self._view(session, row, "teller")

    async def choices(self, actor: Actor, call_id: str) -> list[BusinessChoice]:
        """See `CaseDesk`."""
        async with self._database.read() as session:
            call = await access_call(session, actor, call_id)
            query = (
                select(Business, BusinessFlow)
                .join(BusinessFlow, col(BusinessFlow.business_code) == col(Business.code))
                .where(col(BusinessFlow.active).is_(True), col(Business.enabled).is_(True))
                .order_by(col(Business.position))
            )
            return [
                BusinessChoice(
                    code=business.code,
                    name_zh=business.name_zh,
                    name_en=business.name_en,
                    time_limit_s=int(flow.content["time_limit_s"]),
                    asked=business.code == call.business_code,
                )
                for business, flow in (await session.execute(query)).all()
            ]

    async def start(self, actor: Actor, call_id: str, business_code: str) -> CaseView:
        """See `CaseDesk`."""
        async with self._database.unit_of_work(actor) as work:
            call = await access_call(work.session, actor, call_id, lock=True)
            running = await newest_case(work.session, [call_id])
            if running is not None and running.state == CaseState.RUNNING:
                raise ConflictError("a business is running in this call", code="case.running")
            version, flow = await active_flow(work.session, business_code)
            now = work.clock.now()
            row = BusinessCase(
                id=new_id("case"),
                call_id=call.id,
                visit_id=call.visit_id,
                business_code=business_code,
                flow_version=version,
                state=CaseState.RUNNING,
                sealed=b"",
                started_by=actor.name,
                started_at=now,
                deadline_at=now + timedelta(seconds=flow.time_limit_s),
            )
            scene = await scene_of(work.session, call.id, business_code)
            case = self.engine.book.add(work, row, flow, scene)
            self.engine.book.seal(case)
            await work.session.flush()
            work.session.add_all([step.row for step in case.steps])
            work.emit(
                CaseStarted(
                    at=now,
                    call_id=call.id,
                    call_s=call_s(scene.recording, now),
                    case_id=row.id,
                    business_code=business_code,
                    flow_version=version,
                )
            )
            work.audit("case.start", "case", row.id, call_id=call.id, business=business_code, flow_version=version)
            await self.engine.begin(work, case)
            await work.session.flush()
            return await view_side(self.engine, work.session, work.clock, case, "teller")

    async def act(
        self, actor: Actor, case_id: str, step: str, version: int, action: str, inputs: Mapping[str, Any]
    ) -> CaseView:
        """See `CaseDesk`."""
        async with self._database.unit_of_work(actor) as work:
            case, doer = await self._access(work, actor, case_id)
            await self.engine.act(work, case, step, version, action, doer, dict(inputs))
            await work.session.flush()
            return await view_side(self.engine, work.session, work.clock, case, doer)

    async def back(self, actor: Actor, case_id: str, step: str, version: int, reason: str) -> CaseView:
        """See `CaseDesk`."""
        async with self._database.unit_of_work(actor) as work:
            case = await self._teller_access(work, actor, case_id)
            await self.engine.back(work, case, step, version, reason)
            await work.session.flush()
            return await view_side(self.engine, work.session, work.clock, case, "teller")

    async def cancel(self, actor: Actor, case_id: str, version: int, reason: str) -> CaseView:
        """See `CaseDesk`."""
        async with self._database.unit_of_work(actor) as work:
            case = await self._teller_access(work, actor, case_id)
            self.engine.require_version(case, version)
            await self.engine.give_up(work, case, reason)
            await work.session.flush()
            return await view_side(self.engine, work.session, work.clock, case, "teller")

    async def resume(self, actor: Actor, case_id: str, step: str, attempt: int, answer: Json) -> bool:
        """For jobs: an answer from outside has come. False when nobody waits for it any more (also a second time)."""
        async with self._database.unit_of_work(actor) as work:
            case = await self.engine.book.load(work.session, case_id, lock=True)
            return await self.engine.resume(work, case, step, attempt, answer)

    async def versions(self, visit_ids: Collection[str], staff_ids: Collection[str]) -> list[CaseHead]:
        """See `CaseDesk`."""
        async with self._database.read() as session:
            query = (
                select(BusinessCase, Call)
                .join(Call, col(Call.id) == col(BusinessCase.call_id))
                .where(
                    col(Call.state).in_(RUNNING),
                    or_(col(Call.visit_id).in_(list(visit_ids)), col(Call.teller_id).in_(list(staff_ids))),
                )
                .order_by(col(BusinessCase.started_at))
            )
            newest: dict[str, CaseHead] = {}
            for row, call in (await session.execute(query)).all():
                scene = await scene_of(session, call.id, row.business_code)
                newest[call.id] = CaseHead(
                    case_id=row.id,
                    version=row.version,
                    blocked=blocked_by(scene.circumstances(self._database.clock.now())),
                    visit_id=call.visit_id,
                    teller_id=call.teller_id,
                )
            return list(newest.values())

    async def both_views(self, case_id: str) -> CaseViews | None:
        """See `CaseDesk`."""
        async with self._database.read() as session:
            row = await session.get(BusinessCase, case_id)
            if row is None:
                return None
            case, clock = await self.engine.book.open(session, row), self._database.clock
            return CaseViews(
                visit_id=case.row.visit_id,
                teller_id=case.scene.call.teller_id,
                customer=await view_side(self.engine, session, clock, case, "customer"),
                teller=await view_side(self.engine, session, clock, case, "teller"),
            )

    async def _view(self, session: AsyncSession, row: BusinessCase, side: Side) -> CaseView:
        case = await self.engine.book.open(session, row)
        return await view_side(self.engine, session, self._database.clock, case, side)

    async def _access(self, work: UnitOfWork, actor: Actor, case_id: str) -> tuple[CaseData, Side]:
        case = await self.engine.book.load(work.session, case_id, lock=True)
        if not takes_part(actor, case.scene.call):
            raise not_found()
        return case, "customer" if actor.visit_id is not None else "teller"

    async def _teller_access(self, work: UnitOfWork, actor: Actor, case_id: str) -> CaseData:
        case, doer = await self._access(work, actor, case_id)
        if doer != "teller":
            raise DeniedError("this is for the teller to do", code="step.not_yours")
        return case
