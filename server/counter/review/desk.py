"""The review desk: who may decide, what is shown, and decisions bound to exactly that."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.events import ReviewDecided
from core.models.authorisation import ReviewRequest, ReviewState
from core.models.business import Business
from core.models.call import Call
from core.models.case import CaseDocument
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.sealing import Sealer
from server.counter.book import CaseBook
from server.counter.documents.shelf import DocumentShelf
from server.counter.engine import Engine
from server.counter.review.requests import level_of, shown_digest
from server.counter.review.schemas import (
    ReviewDecisionRequest,
    ReviewDetail,
    ReviewList,
    ReviewRow,
)

SHOWN = 50
REASON_MIN = 10
_STATES = {"approve": ReviewState.APPROVED, "refuse": ReviewState.REFUSED, "return": ReviewState.RETURNED}


class ReviewDesk:
    """What supervisors see and decide."""

    def __init__(
        self, database: Database, engine: Engine, book: CaseBook, sealer: Sealer, shelf: DocumentShelf
    ) -> None:
        self._database = database
        self._engine = engine
        self._book = book
        self._sealer = sealer
        self._shelf = shelf

    async def list(self, actor: Actor) -> ReviewList:
        """Waiting requests, and the newest decided ones."""
        waiting = col(ReviewRequest.state) == ReviewState.WAITING
        query = select(ReviewRequest).order_by(waiting.desc(), col(ReviewRequest.requested_at).desc()).limit(SHOWN)
        async with self._database.read() as session:
            level = await level_of(session, actor.staff_id or "")
            rows = (await session.scalars(query)).all()
            return ReviewList(items=[await self._row(session, actor, level, row) for row in rows], level=level)

    async def open(self, actor: Actor, review_id: str) -> ReviewDetail:
        """Everything the second person has to see; looking is in the audit log.

        Raises:
            NotFoundError: ``review.not_found``. DeniedError: ``review.own_work``, ``review.level``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(ReviewRequest, review_id)
            if row is None:
                raise _not_found()
            level = await level_of(work.session, actor.staff_id or "")
            _require_eligible(actor, level, row)
            work.audit("review.open", "review", row.id, call_id=row.call_id)
            head = await self._row(work.session, actor, level, row)
            shown: dict[str, Any] = self._sealer.open(row.sealed_shown, row.id)
            return ReviewDetail(
                **head.model_dump(),
                case_version=row.case_version,
                shown_sha256=row.shown_sha256,
                written_reason=row.written_reason,
                reasons=row.reasons,
                shown=shown,
            )

    async def document(self, actor: Actor, review_id: str, document_id: str, *, small: bool) -> tuple[bytes, str]:
        """A picture or paper of the business under review, with its content type; audited when whole.

        Raises:
            NotFoundError: ``review.not_found``, ``document.not_found``, ``document.no_thumbnail``.
            DeniedError: ``review.own_work``, ``review.level``.
        """
        async with self._database.unit_of_work(actor) as work:
            review = await work.session.get(ReviewRequest, review_id)
            if review is None:
                raise _not_found()
            _require_eligible(actor, await level_of(work.session, actor.staff_id or ""), review)
            row = await work.session.get(CaseDocument, document_id)
            if row is None or row.case_id != review.case_id:
                raise NotFoundError("there is no such document", code="document.not_found")
            if not small:
                work.audit("document.view", "document", row.id, case_id=row.case_id, code=row.code, review=review.id)
        if small:
            return await self._shelf.thumbnail(row), "image/jpeg"
        return await self._shelf.content(row), row.content_type

    async def decide(self, actor: Actor, review_id: str, request: ReviewDecisionRequest) -> ReviewRow:
        """Decide, once, about exactly what was shown.

        Raises:
            NotFoundError: ``review.not_found``. DeniedError: ``review.own_work``, ``review.level``.
            ConflictError: ``review.decided`` (also a second time), ``review.stale``, ``review.other_content``.
            BadInputError: ``review.reason_missing``.
        """
        async with self._database.unit_of_work(actor) as work:
            # The case is locked before the request, as everywhere: two desks cannot wait for each other.
            found = await work.session.get(ReviewRequest, review_id)
            if found is None:
                raise _not_found()
            case = await self._book.load(work.session, found.case_id, lock=True)
            row = await work.session.get(ReviewRequest, review_id, with_for_update=True, populate_existing=True)
            assert row is not None
            level = await level_of(work.session, actor.staff_id or "")
            _require_eligible(actor, level, row)
            _require_bound(row, request, case.row.version, self._sealer)
            row.state, row.decided_at, row.decided_by = _STATES[request.decision], work.clock.now(), actor.staff_id
            row.decision_reason = request.reason
            reviewer = await work.session.get(Staff, actor.staff_id)
            answer = {
                "decision": request.decision,
                "review_id": row.id,
                "reason": request.reason,
                "reviewer": reviewer.staff_number if reviewer else "",
            }
            if not await self._engine.resume(work, case, row.step_key, row.attempt, answer):
                raise ConflictError("this business has moved on", code="review.stale")
            work.audit(
                f"review.{request.decision}",
                "review",
                row.id,
                call_id=row.call_id,
                case_id=row.case_id,
                shown_sha256=row.shown_sha256,
                reason=request.reason,
            )
            _tell(work, row)
            await work.session.flush()
            return await self._row(work.session, actor, level, row)

    async def _row(self, session: AsyncSession, actor: Actor, level: int, row: ReviewRequest) -> ReviewRow:
        call = await session.get_one(Call, row.call_id)
        teller = await session.get_one(Staff, row.teller_id)
        business = await session.get_one(Business, row.business_code)
        decider = await session.get(Staff, row.decided_by) if row.decided_by else None
        why_not = _why_not(actor, level, row)
        if why_not is None and row.state != ReviewState.WAITING:
            why_not = "review.decided"
        return ReviewRow(
            id=row.id,
            call_id=row.call_id,
            call_number=call.number,
            teller_name=teller.display_name,
            business_code=row.business_code,
            business_name_zh=business.name_zh,
            business_name_en=business.name_en,
            amount_fen=row.amount_fen,
            level=row.level,
            state=row.state,
            requested_at=row.requested_at,
            due_at=row.due_at,
            escalated=row.escalated_at is not None,
            decided_at=row.decided_at,
            decided_by_name=decider.display_name if decider else None,
            decision_reason=row.decision_reason,
            mine=why_not is None,
            why_not=why_not,
        )


def _why_not(actor: Actor, level: int, row: ReviewRequest) -> str | None:
    if actor.staff_id is None or actor.staff_id == row.teller_id:
        return "review.own_work"
    return None if level >= row.level else "review.level"


def _require_eligible(actor: Actor, level: int, row: ReviewRequest) -> None:
    why_not = _why_not(actor, level, row)
    if why_not is not None:
        raise DeniedError("this is for another person to review", code=why_not, level=row.level)


def _require_bound(row: ReviewRequest, request: ReviewDecisionRequest, case_version: int, sealer: Sealer) -> None:
    """The decision is about this request, undecided, and about what it shows, unchanged."""
    if row.state != ReviewState.WAITING:
        raise ConflictError("this request is decided", code="review.decided", state=row.state)
    if request.case_version != row.case_version or case_version != row.case_version:
        raise ConflictError("this business has moved on", code="review.stale")
    if (
        request.shown_sha256 != row.shown_sha256
        or shown_digest(sealer.open(row.sealed_shown, row.id)) != row.shown_sha256
    ):
        raise ConflictError("the decision is about something else than what is shown", code="review.other_content")
    needs_reason = request.decision != "approve" or row.written_reason
    if needs_reason and len(request.reason) < REASON_MIN:
        raise BadInputError("write down why, in a sentence", code="review.reason_missing", least=REASON_MIN)


def _tell(work: UnitOfWork, row: ReviewRequest) -> None:
    work.emit(ReviewDecided(at=work.clock.now(), call_id=row.call_id, review_id=row.id, state=row.state))


def _not_found() -> NotFoundError:
    return NotFoundError("there is no such request", code="review.not_found")
