"""The reconciliation list: transactions nobody may forget, and what supervisors decide about them."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError
from core.events import PostingEnded, PostingRequested
from core.models.call import Call
from core.models.posting import Posting, PostingState, PostingStepState
from core.models.staff import Staff
from core.security.actor import Actor
from server.counter.banking.plan import resumed_state
from server.counter.banking.rows import lock_posting, states_of, steps_of
from server.counter.banking.schemas import PostingDecisionRequest, PostingList, PostingStepView, PostingView

SHOWN = 100
May = Literal["retry", "undo", "settle"]


class PostingDesk:
    """Lists and decides. Nobody decides about a transaction of an own call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor) -> PostingList:
        """Unclear ones first, then the newest."""
        unclear = col(Posting.state) == PostingState.RECONCILE
        query = select(Posting).order_by(unclear.desc(), col(Posting.created_at).desc()).limit(SHOWN)
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
            items = [await _view(session, actor, row) for row in rows]
            count = (await session.scalars(select(func.count()).select_from(Posting).where(unclear))).one()
        return PostingList(items=items, open=count)

    async def decide(self, actor: Actor, posting_id: str, request: PostingDecisionRequest) -> PostingView:
        """Try again, undo what was booked, or note how it was cleared up outside the house.

        Raises:
            NotFoundError: ``posting.not_found``. DeniedError: ``posting.own_work``.
            ConflictError: ``posting.stale``, ``posting.not_open``.
        """
        async with self._database.unit_of_work(actor) as work:
            posting, steps = await lock_posting(work.session, posting_id)
            call = await work.session.get_one(Call, posting.call_id)
            if actor.staff_id is None or call.teller_id == actor.staff_id:
                raise DeniedError("nobody decides about own work", code="posting.own_work")
            if posting.version != request.version:
                raise ConflictError("this transaction has moved on", code="posting.stale", version=posting.version)
            if request.decision not in _may(actor, posting, call):
                raise ConflictError("this transaction does not wait for that", code="posting.not_open")
            before = posting.state
            posting.version += 1
            if request.decision == "settle":
                _settle(work, posting, actor, request.reason)
            else:
                states = states_of(steps)
                posting.state = resumed_state(states) if request.decision == "retry" else PostingState.UNDOING
                for step in steps:  # what the core system would not undo is tried again
                    if step.state == PostingStepState.STUCK:
                        step.state, step.undo_round = PostingStepState.UNDO_SENT, step.undo_round + 1
                posting.attempts = 0
                requested = PostingRequested(
                    at=work.clock.now(), call_id=posting.call_id, posting_id=posting.id, run=posting.version
                )
                work.emit(requested)
            work.audit(
                f"posting.{request.decision}",
                "posting",
                posting.id,
                call_id=posting.call_id,
                before=before,
                after=posting.state,
                reason=request.reason,
            )
            await work.session.flush()
            return await _view(work.session, actor, posting)


def _settle(work: UnitOfWork, posting: Posting, actor: Actor, reason: str) -> None:
    posting.state, posting.ended_at = PostingState.SETTLED, work.clock.now()
    posting.settled_by, posting.settled_reason = actor.staff_id, reason
    work.emit(
        PostingEnded(
            at=work.clock.now(),
            call_id=posting.call_id,
            posting_id=posting.id,
            case_id=posting.case_id,
            outcome="settled",
            reason=posting.reason,
        )
    )


def _may(actor: Actor, posting: Posting, call: Call) -> list[May]:
    if actor.staff_id == call.teller_id:
        return []
    return ["retry", "undo", "settle"] if posting.state == PostingState.RECONCILE else []


async def _view(session: AsyncSession, actor: Actor, row: Posting) -> PostingView:
    call = await session.get_one(Call, row.call_id)
    teller = await session.get(Staff, call.teller_id) if call.teller_id else None
    return PostingView(
        id=row.id,
        version=row.version,
        case_id=row.case_id,
        call_id=row.call_id,
        call_number=call.number,
        teller_name=teller.display_name if teller else "",
        business_code=row.business_code,
        state=row.state,
        reason=row.reason,
        amount_fen=row.amount_fen,
        fee_fen=row.fee_fen,
        masked=row.masked,
        steps=[PostingStepView.model_validate(step, from_attributes=True) for step in await steps_of(session, row.id)],
        created_at=row.created_at,
        ended_at=row.ended_at,
        settled_reason=row.settled_reason,
        may=_may(actor, row, call),
    )
