"""Reading, locking and writing postings."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.events import PostingRequested
from core.ids import new_id
from core.models.posting import Posting, PostingState, PostingStep, PostingStepState
from core.ports.banking import BankRequest, RequestKind
from core.security.sealing import Sealer

Plan = list[tuple[RequestKind, dict[str, Any]]]


async def lock_posting(session: AsyncSession, posting_id: str) -> tuple[Posting, list[PostingStep]]:
    """A posting and its requests in order, locked. NotFoundError ``posting.not_found``."""
    query = select(Posting).where(col(Posting.id) == posting_id)
    row = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).first()
    if row is None:
        raise NotFoundError("there is no such posting", code="posting.not_found")
    return row, await steps_of(session, posting_id)


async def steps_of(session: AsyncSession, posting_id: str) -> list[PostingStep]:
    """The requests of a posting in order."""
    query = select(PostingStep).where(col(PostingStep.posting_id) == posting_id).order_by(col(PostingStep.seq))
    return list((await session.scalars(query.execution_options(populate_existing=True))).all())


def states_of(steps: list[PostingStep]) -> list[PostingStepState]:
    """Their states."""
    return [PostingStepState(step.state) for step in steps]


def request_of(sealer: Sealer, posting: Posting, steps: list[PostingStep], index: int, undo: bool) -> BankRequest:
    """The request to send, or its reversal; the same each time it is asked for."""
    step = steps[index]
    if undo:
        return BankRequest(f"{step.request_id}:undo{step.undo_round}", "reverse", {"request_id": step.request_id})
    kind, fields = sealer.open(posting.sealed_plan, posting.id)[index]
    return BankRequest(step.request_id, kind, fields)


async def add_posting(work: UnitOfWork, sealer: Sealer, posting: Posting, plan: Plan) -> Posting:
    """Store a posting with the requests of its plan, and have a worker run it after commit."""
    posting.sealed_plan = sealer.seal([list(each) for each in plan], posting.id)
    work.session.add(posting)
    await work.session.flush()
    now = work.clock.now()
    for seq, (kind, _) in enumerate(plan):
        work.session.add(
            PostingStep(
                posting_id=posting.id,
                seq=seq,
                request_id=f"{posting.id}:{seq}",
                kind=kind,
                state=PostingStepState.PENDING,
                at=now,
            )
        )
    work.audit("posting.begin", "posting", posting.id, call_id=posting.call_id, case_id=posting.case_id)
    work.emit(PostingRequested(at=now, call_id=posting.call_id, posting_id=posting.id, run=posting.version))
    return posting


def new_posting(work: UnitOfWork, case_id: str, step_key: str, attempt: int, call_id: str, business: str) -> Posting:
    """A posting with nothing in it yet."""
    return Posting(
        id=new_id("post"),
        case_id=case_id,
        step_key=step_key,
        attempt=attempt,
        call_id=call_id,
        business_code=business,
        state=PostingState.RUNNING,
        sealed_plan=b"",
        created_at=work.clock.now(),
    )
