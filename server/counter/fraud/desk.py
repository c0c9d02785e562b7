"""Assessing and deciding alerts: the teller of the call stops at once, only a supervisor lets it go on."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.call import Call
from core.models.case import BusinessCase, CaseState
from core.models.fraud import FraudAlert, FraudState
from core.models.staff import Staff
from core.ports.notices import Notice, Notices, Recipient
from core.security.actor import Actor
from core.security.permissions import Permission
from server.counter.book import CaseBook
from server.counter.engine import Engine
from server.counter.fraud.rows import raise_signs, tell, undecided
from server.counter.fraud.rules import Sign
from server.counter.fraud.schemas import (
    FraudAssessRequest,
    FraudDecisionRequest,
    FraudRaiseRequest,
    FraudView,
)

SHOWN = 50
UNDECIDED = "posting.fraud_undecided"
May = Literal["assess", "continue", "delay", "stop", "report"]
_TITLES = {
    "zh-CN": {"delay": "业务已暂缓办理", "stop": "业务已停止办理", "report": "业务已停止并报告公安机关"},
    "en": {
        "delay": "Your business waits",
        "stop": "Your business was stopped",
        "report": "Stopped and reported to the police",
    },
}


class FraudDesk:
    """What tellers see of their own call and supervisors of all."""

    def __init__(
        self, database: Database, engine: Engine, book: CaseBook, notices: Notices, appeal: dict[str, str]
    ) -> None:
        """`appeal`: where customers can object, by language."""
        self._database = database
        self._engine = engine
        self._book = book
        self._notices = notices
        self._appeal = appeal

    async def of_call(self, actor: Actor, call_id: str) -> list[FraudView]:
        """The alerts of a call. NotFoundError ``call.not_found``."""
        async with self._database.read() as session:
            call = await _access(session, actor, call_id)
            query = select(FraudAlert).where(col(FraudAlert.call_id) == call.id).order_by(col(FraudAlert.raised_at))
            return [await _view(session, actor, alert) for alert in (await session.scalars(query)).all()]

    async def list(self, actor: Actor) -> list[FraudView]:
        """Undecided ones first, then the newest; for supervisors."""
        decided = col(FraudAlert.state) == FraudState.DECIDED
        query = select(FraudAlert).order_by(decided, col(FraudAlert.raised_at).desc()).limit(SHOWN)
        async with self._database.read() as session:
            return [await _view(session, actor, alert) for alert in (await session.scalars(query)).all()]

    async def raise_by_hand(self, actor: Actor, call_id: str, request: FraudRaiseRequest) -> FraudView:
        """Somebody in charge of the call has a suspicion. NotFoundError ``call.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            call = await _access(work.session, actor, call_id)
            sign = Sign("person", "suspicion", "人工发现可疑", "Suspicion", "teller", request.words)
            alert = await raise_signs(work, call.id, [sign])
            if alert is None:
                raise ConflictError("this is known already", code="fraud.known")
            return await _view(work.session, actor, alert)

    async def assess(self, actor: Actor, alert_id: str, request: FraudAssessRequest) -> FraudView:
        """The first assessment.

        Raises:
            NotFoundError: ``fraud.not_found``. ConflictError: ``fraud.stale``, ``fraud.decided``.
        """
        async with self._database.unit_of_work(actor) as work:
            alert, _ = await _lock(work, actor, alert_id, request.version)
            if alert.state != FraudState.OPEN:
                raise ConflictError("this alert is assessed", code="fraud.decided")
            now = work.clock.now()
            alert.state, alert.assessment = FraudState.ASSESSED, request.assessment
            alert.assessed_at, alert.assessed_by = now, actor.staff_id
            alert.late = alert.late or now > alert.assess_by
            alert.version += 1
            work.audit("fraud.assess", "fraud_alert", alert.id, call_id=alert.call_id, assessment=request.assessment)
            tell(work, alert)
            await work.session.flush()
            return await _view(work.session, actor, alert)

    async def decide(self, actor: Actor, alert_id: str, request: FraudDecisionRequest) -> FraudView:
        """Go on, delay, stop or report.

        Raises:
            NotFoundError: ``fraud.not_found``. ConflictError: ``fraud.stale``, ``fraud.decided``, ``fraud.not_yours``.
            BadInputError: ``fraud.told_missing``, ``fraud.delay_missing``.
        """
        _require_whole(request)
        async with self._database.unit_of_work(actor) as work:
            found = await work.session.get(FraudAlert, alert_id)
            if found is None:
                raise _not_found()
            case_id = await _running_case(work.session, found.call_id)
            case = await self._book.load(work.session, case_id, lock=True) if case_id else None
            alert, call = await _lock(work, actor, alert_id, request.version)
            if request.outcome not in _may(actor, alert, call):
                raise ConflictError("this is for a supervisor to decide", code="fraud.not_yours")
            alert.state, alert.outcome = FraudState.DECIDED, request.outcome
            alert.told, alert.delay_h = request.told or None, request.delay_h
            alert.decided_at, alert.decided_by = work.clock.now(), actor.staff_id
            alert.decision_reason = request.reason
            alert.version += 1
            work.audit(
                f"fraud.{request.outcome}",
                "fraud_alert",
                alert.id,
                call_id=alert.call_id,
                reason=request.reason,
                told=request.told,
            )
            tell(work, alert)
            await work.session.flush()
            if request.outcome == "continue":
                waiting = case and next((step for step in case.steps if step.row.reason == UNDECIDED), None)
                if case and waiting and not await undecided(work.session, call.id):
                    await self._engine.resume(work, case, waiting.row.key, waiting.row.attempts, {"go": True})
            else:
                if case is not None:
                    await self._engine.give_up(work, case, f"fraud.{request.outcome}", forced=True)
                await self._tell_customer(work, call, request)
            return await _view(work.session, actor, alert)

    async def _tell_customer(self, work: UnitOfWork, call: Call, request: FraudDecisionRequest) -> None:
        zh = call.language != "en"
        titles = _TITLES["zh-CN" if zh else "en"]
        appeal = self._appeal["zh-CN" if zh else "en"]
        when = ""
        if request.delay_h:
            when = f"{request.delay_h} 小时后可再次办理。" if zh else f"You can come back in {request.delay_h} hours. "
        objection = f"如有异议，请联系：{appeal}" if zh else f"To object: {appeal}"
        text = f"{request.told}\n{when}\n{objection}"
        await self._notices.queue(
            work,
            Notice(
                kind=f"fraud.{request.outcome}",
                title=titles[request.outcome],
                text=text,
                recipient=Recipient(visit_id=call.visit_id),
                call_id=call.id,
            ),
        )


def _require_whole(request: FraudDecisionRequest) -> None:
    if request.outcome != "continue" and len(request.told) < 5:
        raise BadInputError("the customer has to hear why", code="fraud.told_missing")
    if (request.outcome == "delay") != (request.delay_h is not None):
        raise BadInputError("a delay has a length, nothing else has", code="fraud.delay_missing")


async def _running_case(session: AsyncSession, call_id: str) -> str | None:
    query = select(BusinessCase.id).where(
        col(BusinessCase.call_id) == call_id, col(BusinessCase.state) == CaseState.RUNNING
    )
    return (await session.scalars(query)).first()


async def _access(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    call = await session.get(Call, call_id)
    own = call is not None and actor.staff_id is not None and call.teller_id == actor.staff_id
    if call is None or not (own or actor.may(Permission.FRAUD_DECIDE)):
        raise NotFoundError("there is no such call", code="call.not_found")
    return call


async def _lock(work: UnitOfWork, actor: Actor, alert_id: str, version: int) -> tuple[FraudAlert, Call]:
    alert = await work.session.get(FraudAlert, alert_id, with_for_update=True, populate_existing=True)
    if alert is None:
        raise _not_found()
    try:
        call = await _access(work.session, actor, alert.call_id)
    except NotFoundError:
        raise _not_found() from None
    if alert.state == FraudState.DECIDED:
        raise ConflictError("this alert is decided", code="fraud.decided", outcome=alert.outcome)
    if alert.version != version:
        raise ConflictError("there are new hints", code="fraud.stale", version=alert.version)
    return alert, call


def _may(actor: Actor, alert: FraudAlert, call: Call) -> list[May]:
    """A teller may stop the own call's business, never clear it; a supervisor may do both, but not for an own call."""
    if alert.state == FraudState.DECIDED:
        return []
    own = actor.staff_id is not None and call.teller_id == actor.staff_id
    may: list[May] = ["assess"] if alert.state == FraudState.OPEN else []
    if actor.may(Permission.FRAUD_DECIDE) and not own:
        may.append("continue")
    return [*may, "delay", "stop", "report"]


async def _view(session: AsyncSession, actor: Actor, alert: FraudAlert) -> FraudView:
    call = await session.get_one(Call, alert.call_id)
    teller = await session.get(Staff, call.teller_id) if call.teller_id else None
    names: tuple[str, ...] = (
        "id",
        "version",
        "call_id",
        "state",
        "signs",
        "proposal",
        "raised_at",
        "assess_by",
        "late",
        "assessment",
    )
    names += ("outcome", "told", "delay_h", "decided_at", "decision_reason")
    return FraudView(
        **{name: getattr(alert, name) for name in names},
        call_number=call.number,
        teller_name=teller.display_name if teller else "",
        may=_may(actor, alert, call),
    )


def _not_found() -> NotFoundError:
    return NotFoundError("there is no such alert", code="fraud.not_found")
