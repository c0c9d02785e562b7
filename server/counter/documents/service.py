"""Handing documents in and looking at them, for both sides of a call."""

from typing import Literal

from sqlmodel import col, func, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.models.call import Call
from core.models.case import CaseDocument, DocumentState
from core.rate_limit import RateLimiter
from core.security.actor import Actor
from server.counter.book import not_found, takes_part
from server.counter.cases import CaseService
from server.counter.documents.shelf import DocumentShelf
from server.counter.preconditions import blocked_by

Source = Literal["camera", "snapshot", "file"]
UPLOADS_PER_MINUTE, MOST_OF_A_CASE = 30, 100  # replaced ones are kept, too: nobody fills the store


class DocumentService:
    """Uploads and downloads of a call's documents."""

    def __init__(self, database: Database, cases: CaseService, shelf: DocumentShelf, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._database = database
        self._cases = cases
        self._shelf = shelf

    async def hand_in(
        self, actor: Actor, case_id: str, step: str, code: str, source: Source, content: bytes, content_type: str
    ) -> str:
        """Store a file and give it to the open step; returns its id.

        Raises:
            NotFoundError: ``case.not_found``. BadInputError: ``document.…``.
            ConflictError: why the step takes nothing now; ``document.too_many``. RateLimitedError: too fast.
        """
        await self._limiter.hit(f"upload:{actor.name}", UPLOADS_PER_MINUTE, 60)
        await self._require_open(actor, case_id, step)
        seen = await self._shelf.look(content, content_type)
        stored = await self._shelf.put(content, seen)
        try:
            async with self._database.unit_of_work(actor) as work:
                case = await self._cases.engine.book.load(work.session, case_id, lock=True)
                work.session.add(
                    CaseDocument(
                        **stored,
                        case_id=case_id,
                        call_id=case.row.call_id,
                        step_key=step,
                        code=code,
                        state=DocumentState.UPLOADED,
                        source=source,
                        by=actor.name,
                        created_at=work.clock.now(),
                    )
                )
                await work.session.flush()
                inputs = {"document_id": stored["id"], "code": code}
                await self._cases.engine.act(work, case, step, None, "add", "system", inputs)
        except BaseException:
            await self._shelf.discard(stored)
            raise
        return str(stored["id"])

    async def open(self, actor: Actor, document_id: str, *, small: bool) -> tuple[bytes, str]:
        """A document's plain bytes and content type, for the two of its call; audited when whole.

        Raises:
            NotFoundError: ``document.not_found``, ``document.no_thumbnail``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(CaseDocument, document_id)
            call = await work.session.get(Call, row.call_id) if row else None
            if row is None or call is None or not takes_part(actor, call):
                raise NotFoundError("there is no such document", code="document.not_found")
            if not small:
                work.audit("document.view", "document", row.id, case_id=row.case_id, code=row.code)
        if small:
            return await self._shelf.thumbnail(row), "image/jpeg"
        return await self._shelf.content(row), row.content_type

    async def _require_open(self, actor: Actor, case_id: str, key: str) -> None:
        """Refuse before anything is stored; what counts is checked again inside the unit of work."""
        async with self._database.read() as session:
            case = await self._cases.engine.book.load(session, case_id)
            if not takes_part(actor, case.scene.call):
                raise not_found()
            now = self._database.clock.now()
            reason = blocked_by(case.scene.circumstances(now))
            if reason is not None:
                raise ConflictError("no business step can be done now", code=reason)
            kept = select(func.count()).where(col(CaseDocument.case_id) == case_id)
            if (await session.scalars(kept)).one() >= MOST_OF_A_CASE:
                raise ConflictError("there are enough documents", code="document.too_many")
            states = {step.row.key: step.row.state for step in case.steps}
            if states.get(key) not in ("active", "waiting"):
                raise ConflictError("this step is not open", code="step.not_open", step=key)
