"""Documents of cases: encrypted in the object store under a key of their own, one row each."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.events import CaseDocumentChanged
from core.files import SeenFile, look_at
from core.ids import new_id
from core.models.case import CaseDocument, DocumentState, EarlyDocument
from core.security.keys import MasterKey, new_data_key, unwrap_key, wrap_key
from core.store import Store
from server.counter.kind import Json, Step

_looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


class DocumentShelf:
    """Keeps documents. What is in the object store can be opened only with the row's wrapped key."""

    def __init__(self, store: Store, master_key: MasterKey) -> None:
        self._store = store
        self._master_key = master_key

    async def look(self, content: bytes, declared: str) -> SeenFile:
        """`look_at` beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(_looking, look_at, content, declared)

    async def put(self, content: bytes, seen: SeenFile) -> Json:
        """Store it encrypted; the fields of the row that belong to the objects.

        Raises:
            UnavailableError: ``store.write_failed``.
        """
        document_id, key = new_id("doc"), new_data_key()
        object_key, thumbnail_key = f"documents/{document_id}", f"documents/{document_id}.thumbnail"
        await self._store.put(object_key, wrap_key(key, content, document_id))
        if seen.thumbnail:
            await self._store.put(thumbnail_key, wrap_key(key, seen.thumbnail, thumbnail_key))
        return {
            "id": document_id,
            "content_type": seen.content_type,
            "pages": seen.pages,
            "size_b": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "object_key": object_key,
            "thumbnail_key": thumbnail_key if seen.thumbnail else "",
            "wrapped_key": wrap_key(self._master_key, key, document_id),
        }

    async def discard(self, stored: Json) -> None:
        """Remove objects whose row was not written."""
        for key in filter(None, (stored["object_key"], stored["thumbnail_key"])):
            await self._store.delete(key)

    async def content(self, row: CaseDocument | EarlyDocument) -> bytes:
        """The plain file. NotFoundError ``document.forgotten`` when the customer has taken the consent to it back."""
        key = self._key(row)
        return unwrap_key(key, await self._store.get(row.object_key), row.id)

    def _key(self, row: CaseDocument | EarlyDocument) -> bytes:
        if not row.wrapped_key:
            raise NotFoundError("the consent to this picture was taken back", code="document.forgotten")
        return unwrap_key(self._master_key, row.wrapped_key, row.id)

    async def thumbnail(self, row: CaseDocument | EarlyDocument) -> bytes:
        """The small picture. NotFoundError ``document.no_thumbnail`` for PDF files."""
        if not row.thumbnail_key:
            raise NotFoundError("there is no small picture of this file", code="document.no_thumbnail")
        key = self._key(row)
        return unwrap_key(key, await self._store.get(row.thumbnail_key), row.thumbnail_key)


async def documents_of(session: AsyncSession, case_id: str, step_key: str) -> list[CaseDocument]:
    """Documents of a step that count, oldest first."""
    query = select(CaseDocument).where(
        col(CaseDocument.case_id) == case_id,
        col(CaseDocument.step_key) == step_key,
        col(CaseDocument.state) != DocumentState.REPLACED,
    )
    return list((await session.scalars(query.order_by(col(CaseDocument.created_at), col(CaseDocument.id)))).all())


async def take(step: Step, document_id: str) -> CaseDocument:
    """A document just handed in; older ones of its code are replaced. NotFoundError ``document.not_found``."""
    row = await step.work.session.get(CaseDocument, document_id)
    if row is None or (row.case_id, row.step_key) != (step.case.row.id, step.this.row.key):
        raise NotFoundError("there is no such document", code="document.not_found")
    for older in await documents_of(step.work.session, row.case_id, row.step_key):
        if older.code == row.code and older.id != row.id:
            older.state = DocumentState.REPLACED
    tell(step.work, step, row)
    return row


def tell(work: UnitOfWork, step: Step, row: CaseDocument) -> None:
    """Put a document's change on the time line and into the audit log."""
    work.emit(
        CaseDocumentChanged(
            at=step.now,
            call_id=row.call_id,
            call_s=step.call_s,
            case_id=row.case_id,
            step=row.step_key,
            document_id=row.id,
            code=row.code,
            state=row.state,
        )
    )
    work.audit(
        "document.change", "document", row.id, case_id=row.case_id, code=row.code, after=row.state, sha256=row.sha256
    )


def shown(row: CaseDocument) -> Json:
    """A document as pages see it."""
    return {
        "id": row.id,
        "code": row.code,
        "state": row.state,
        "content_type": row.content_type,
        "pages": row.pages,
        "size_b": row.size_b,
        "checks": row.checks,
        "reason": row.reason,
        "note": row.note,
        "at": row.created_at.isoformat(),
    }
