"""Jobs between steps and the core system: facts that steps wait for, and what came of a transaction."""

from dataclasses import asdict
from typing import Any

from core.db import Database
from core.events import CaseStepChanged, PostingEnded, PostingRequested
from core.jobs import Subscription
from core.models.case import CaseState, StepState
from core.models.posting import Posting, PostingState
from core.ports.banking import BankDownError, CoreBanking
from core.security.actor import system_actor
from server.counter.banking.rows import lock_posting
from server.counter.book import CaseBook
from server.counter.engine import Engine

ASKS_FACTS = frozenset({"review.facts", "questions.account"})


class BankAnswers:
    """Brings answers of the core system back to the steps that wait for them."""

    def __init__(self, database: Database, bank: CoreBanking, engine: Engine, book: CaseBook) -> None:
        self._database = database
        self._bank = bank
        self._engine = engine
        self._book = book
        self._actor = system_actor("banking")

    async def facts(self, event: CaseStepChanged) -> None:
        """A step waits for facts of an account. Without an answer it hears that there is none and can ask again."""
        if event.state != StepState.WAITING or event.reason not in ASKS_FACTS:
            return
        async with self._database.read() as session:
            case = await self._book.load(session, event.case_id)
            number = case.step(event.step).result.get("account")
        told: dict[str, Any] = {"known": False}
        try:
            found = await self._bank.account(number) if number else None
            if found is not None:
                told = {"known": True, **asdict(found)}
        except BankDownError:
            told = {}
        async with self._database.unit_of_work(self._actor) as work:
            case = await self._book.load(work.session, event.case_id, lock=True)
            await self._engine.resume(work, case, event.step, event.attempt, {"facts": told})

    async def ended(self, event: PostingEnded) -> None:
        """A transaction has come to an end, or to a person: its step goes on.

        Was it booked although its business is over (the call ended meanwhile), it is undone: nothing is half done.
        """
        async with self._database.unit_of_work(self._actor) as work:
            found = await work.session.get_one(Posting, event.posting_id)
            case = await self._book.load(work.session, found.case_id, lock=True)
            posting, _ = await lock_posting(work.session, event.posting_id)
            if str(posting.state) != event.outcome:
                return  # it has moved on since; a newer fact follows
            booked = posting.state in (PostingState.DONE, PostingState.SETTLED)
            answer = {"outcome": event.outcome, "reason": event.reason, "booked": booked, "posting_id": posting.id}
            if await self._engine.resume(work, case, posting.step_key, posting.attempt, answer):
                return
            step = case.step(posting.step_key)
            known = step.row.state == StepState.DONE and step.result.get("posting_id") == posting.id
            if posting.state == PostingState.DONE and not known and case.row.state != CaseState.RUNNING:
                posting.state, posting.reason = PostingState.UNDOING, "posting.business_over"
                posting.ended_at = None
                posting.version += 1
                work.audit("posting.undo_orphan", "posting", posting.id, call_id=posting.call_id, case_id=case.row.id)
                work.emit(
                    PostingRequested(
                        at=work.clock.now(), call_id=posting.call_id, posting_id=posting.id, run=posting.version
                    )
                )


def subscriptions(answers: BankAnswers) -> list[Subscription]:
    """Jobs."""
    return [
        Subscription(CaseStepChanged, "counter.bank.facts", answers.facts),
        Subscription(PostingEnded, "counter.posting.answer", answers.ended),
    ]
