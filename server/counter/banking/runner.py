"""Runs postings: a request at a time, each stored before it is sent and after it is answered.

A worker may die between any two lines. Another one goes on from the rows: what was sent and not answered is sent again
under the same id. One runner at a time holds a posting (an advisory lock that dies with its connection).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text

from core.alarms import raise_alarm
from core.db import Database, UnitOfWork
from core.errors import UnavailableError
from core.events import PostingEnded, PostingRequested
from core.jobs import Subscription
from core.models.posting import Posting, PostingState, PostingStepState
from core.ports.banking import BankAnswer, BankDownError, BankMisuseError, BankRequest, CoreBanking
from core.security.actor import system_actor
from core.security.sealing import Sealer
from server.counter.banking.plan import OPEN, End, Send, TurnBack, Undo, next_move
from server.counter.banking.rows import lock_posting, request_of, states_of

MAX_ATTEMPTS = 6
BACKOFF_S = 1.0
BOOK_S = 15.0

Watch = Callable[[str], Awaitable[None]]


async def _nothing(point: str) -> None:
    return None


class BusyError(UnavailableError):
    """Another worker runs this posting."""

    code = "posting.busy"


class PostingRunner:
    """Carries postings to their end."""

    def __init__(self, database: Database, bank: CoreBanking, sealer: Sealer, watch: Watch = _nothing) -> None:
        """`watch` is told of every point between two effects; tests die there."""
        self._database = database
        self._bank = bank
        self._sealer = sealer
        self._watch = watch
        self._actor = system_actor("posting")

    async def run(self, event: PostingRequested) -> None:
        """Run a posting until it is over or a person is needed.

        Raises:
            BankDownError: no answer; the job engine tries again. BusyError: another worker is at it.
        """
        async with self._alone(event.posting_id):
            try:
                while await self._move(event.posting_id):
                    pass
            except BankDownError:
                if not await self._give_up(event.posting_id, "bank.unavailable"):
                    raise
            except BankMisuseError:
                await self._give_up(event.posting_id, "bank.misuse", at_once=True)

    @asynccontextmanager
    async def _alone(self, posting_id: str) -> AsyncIterator[None]:
        async with self._database.engine.connect() as connection:
            key = {"key": posting_id}
            taken = await connection.scalar(text("select pg_try_advisory_lock(hashtextextended(:key, 0))"), key)
            if not taken:
                raise BusyError("another worker runs this posting")
            try:
                yield
            finally:
                await connection.scalar(text("select pg_advisory_unlock(hashtextextended(:key, 0))"), key)

    async def _move(self, posting_id: str) -> bool:
        """One move. False when there is nothing more to do."""
        request, index, undo = None, 0, False
        async with self._database.unit_of_work(self._actor) as work:
            posting, steps = await lock_posting(work.session, posting_id)
            move = next_move(PostingState(posting.state), states_of(steps))
            match move:
                case None:
                    return False
                case TurnBack():
                    posting.state = PostingState.UNDOING
                    posting.version += 1
                case End(state):
                    await _end(work, posting, state)
                case Send(index):
                    steps[index].state = PostingStepState.SENT
                    request = request_of(self._sealer, posting, steps, index, undo=False)
                case Undo(index):
                    undo = True
                    steps[index].state = PostingStepState.UNDO_SENT
                    request = request_of(self._sealer, posting, steps, index, undo=True)
        await self._watch("stored")
        if request is not None:
            answer = await self._book(request)
            await self._watch("answered")
            await self._note(posting_id, index, undo, answer)
            await self._watch("noted")
        return True

    async def _book(self, request: BankRequest) -> BankAnswer:
        try:
            async with asyncio.timeout(BOOK_S):
                return await self._bank.book(request)
        except TimeoutError:
            raise BankDownError("the core system does not answer") from None

    async def _note(self, posting_id: str, index: int, undo: bool, answer: BankAnswer) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            posting, steps = await lock_posting(work.session, posting_id)
            step = steps[index]
            posting.attempts = 0
            step.at = work.clock.now()
            if undo:
                step.state = PostingStepState.UNDONE if answer.done else PostingStepState.STUCK
            else:
                step.state = PostingStepState.DONE if answer.done else PostingStepState.REFUSED
            if not answer.done:
                step.code = answer.code
                posting.reason = answer.code
            work.audit(
                "posting.undo" if undo else "posting.book",
                "posting",
                posting.id,
                request_id=step.request_id,
                kind=step.kind,
                after=step.state,
                code=step.code,
            )

    async def _give_up(self, posting_id: str, reason: str, at_once: bool = False) -> bool:
        """Count an attempt without an answer; after the last one a person has to look. Whether that is so."""
        async with self._database.unit_of_work(self._actor) as work:
            posting, _ = await lock_posting(work.session, posting_id)
            posting.attempts += 1
            if posting.state not in OPEN or (posting.attempts < MAX_ATTEMPTS and not at_once):
                return False
            posting.reason = reason
            await _end(work, posting, PostingState.RECONCILE)
            return True


async def _end(work: UnitOfWork, posting: Posting, state: PostingState) -> None:
    posting.state = state
    posting.version += 1
    posting.ended_at = None if state is PostingState.RECONCILE else work.clock.now()
    if state is PostingState.RECONCILE:
        text_ = f"a posting of {posting.business_code} is unclear ({posting.reason}) and waits to be reconciled"
        raise_alarm(work, "posting.reconcile", text_, posting.call_id, posting_id=posting.id)
    work.audit("posting.end", "posting", posting.id, call_id=posting.call_id, outcome=state, reason=posting.reason)
    work.emit(
        PostingEnded(
            at=work.clock.now(),
            call_id=posting.call_id,
            posting_id=posting.id,
            case_id=posting.case_id,
            outcome=state.value,
            reason=posting.reason,
        )
    )


def subscriptions(runner: PostingRunner) -> list[Subscription]:
    """The job. The runner gives up by itself; the job engine's own limit is a backstop."""
    return [
        Subscription(
            PostingRequested, "counter.posting.run", runner.run, max_attempts=4 * MAX_ATTEMPTS, backoff_s=BACKOFF_S
        )
    ]
