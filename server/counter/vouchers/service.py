"""Reading vouchers and signed documents: own ones and those staff may see whole, anybody's by their code, masked."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.models.business import Business
from core.models.call import Call
from core.models.signing import Signature, SignedDocument, SignedDocumentState, Voucher
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor
from core.security.permissions import Permission
from core.security.seal import Seal
from core.vault import Vault
from server.counter.book import takes_part
from server.counter.signing.codes import read_code
from server.counter.vouchers.schemas import OwnVoucher, PaperRow, VerificationView

VERIFICATIONS, WINDOW_S = 20, 60


class DocumentService:
    """See the module."""

    def __init__(self, database: Database, vault: Vault, limiter: RateLimiter, seal: Seal) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self.seal = seal

    async def verify(self, text: str, address: str | None) -> VerificationView:
        """What anybody may know about a code.

        Raises:
            NotFoundError: ``verify.unknown``. RateLimitedError: too many tries from this address.
        """
        await self._limiter.hit(f"verify:{address_key(address)}", VERIFICATIONS, WINDOW_S)
        code = read_code(text)
        unknown = NotFoundError("there is no such document", code="verify.unknown")
        if code is None:
            raise unknown
        async with self._database.read() as session:
            voucher = (await session.scalars(select(Voucher).where(col(Voucher.code) == code))).first()
            if voucher is not None and voucher.sha256 is not None:
                business = await session.get_one(Business, voucher.business_code)
                return _view("voucher", code, business, voucher.issued_at, voucher.masked, voucher.sha256)
            query = select(SignedDocument).where(col(SignedDocument.code) == code)
            document = (await session.scalars(query)).first()
            if document is None or document.state != SignedDocumentState.SEALED:
                raise unknown
            business = await session.get_one(Business, document.business_code)
            signers = select(Signature.masked_name).where(col(Signature.document_id) == document.id)
            masked = " ".join((await session.scalars(signers)).all())
            at, digest = document.sealed_at or document.created_at, document.sealed_sha256 or ""
            return _view("document", code, business, at, masked, digest)

    async def own_document(self, actor: Actor, document_id: str) -> bytes:
        """The customer's own document, sealed or still to be read. NotFoundError ``document.not_found``."""
        async with self._database.read() as session:
            row = await session.get(SignedDocument, document_id)
        if row is None or actor.visit_id is None or row.visit_id != actor.visit_id:
            raise NotFoundError("there is no such document", code="document.not_found")
        return await self._vault.get(row.sealed_key or row.object_key)

    async def own_vouchers(self, actor: Actor) -> list[OwnVoucher]:
        """The vouchers of the customer's visit, newest first."""
        query = (
            select(Voucher, Business)
            .join(Business, col(Business.code) == col(Voucher.business_code))
            .where(col(Voucher.visit_id) == (actor.visit_id or ""))
            .order_by(col(Voucher.issued_at).desc())
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return [
            OwnVoucher(
                id=row.id,
                code=row.code,
                business_name_zh=business.name_zh,
                business_name_en=business.name_en,
                issued_at=row.issued_at,
                url=f"/api/visit/vouchers/{row.id}" if row.object_key else None,
            )
            for row, business in rows
        ]

    async def own_voucher(self, actor: Actor, voucher_id: str) -> bytes:
        """The PDF. NotFoundError ``voucher.not_found``, also while it is being made."""
        async with self._database.read() as session:
            row = await session.get(Voucher, voucher_id)
        if row is None or actor.visit_id is None or row.visit_id != actor.visit_id or row.object_key is None:
            raise NotFoundError("there is no such voucher", code="voucher.not_found")
        return await self._vault.get(row.object_key)

    async def papers(self, actor: Actor, call_id: str) -> list[PaperRow]:
        """Signed documents and vouchers of a call, oldest first. NotFoundError ``call.not_found``."""
        async with self._database.read() as session:
            await _access_call(session, actor, call_id)
            names = {row.code: row for row in (await session.scalars(select(Business))).all()}
            documents = await session.scalars(select(SignedDocument).where(col(SignedDocument.call_id) == call_id))
            vouchers = await session.scalars(select(Voucher).where(col(Voucher.call_id) == call_id))
        rows = [
            _paper("document", row.id, row.code, names[row.business_code], row.state, row.created_at, True)
            for row in documents.all()
        ] + [
            _paper(
                "voucher",
                row.id,
                row.code,
                names[row.business_code],
                "issued",
                row.issued_at,
                row.object_key is not None,
            )
            for row in vouchers.all()
        ]
        return sorted(rows, key=lambda row: row.at)

    async def paper(self, actor: Actor, paper_id: str) -> bytes:
        """A signed document or voucher as PDF; looking is in the audit log. NotFoundError ``document.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            document = await work.session.get(SignedDocument, paper_id)
            voucher = None if document else await work.session.get(Voucher, paper_id)
            row = document or voucher
            key = (document.sealed_key or document.object_key) if document else voucher.object_key if voucher else None
            if row is None or key is None:
                raise NotFoundError("there is no such document", code="document.not_found")
            try:
                await _access_call(work.session, actor, row.call_id)
            except NotFoundError:
                raise NotFoundError("there is no such document", code="document.not_found") from None
            work.audit("paper.view", "signed_document" if document else "voucher", row.id, call_id=row.call_id)
        return await self._vault.get(key)


async def _access_call(session: AsyncSession, actor: Actor, call_id: str) -> None:
    """Tellers see the papers of their own calls, the other posts that may see papers those of every call."""
    call = await session.get(Call, call_id)
    own_only = actor.may(Permission.CALL_TAKE)
    if call is None or (own_only and not takes_part(actor, call)):
        raise NotFoundError("there is no such call", code="call.not_found")


def _paper(kind: str, row_id: str, code: str, business: Business, state: str, at: datetime, ready: bool) -> PaperRow:
    return PaperRow.model_validate(
        {
            "id": row_id,
            "kind": kind,
            "code": code,
            "business_name_zh": business.name_zh,
            "business_name_en": business.name_en,
            "state": state,
            "at": at,
            "ready": ready,
        }
    )


def _view(kind: str, code: str, business: Business, at: object, masked: str, sha256: str) -> VerificationView:
    return VerificationView.model_validate(
        {
            "kind": kind,
            "code": code,
            "business_name_zh": business.name_zh,
            "business_name_en": business.name_en,
            "at": at,
            "masked": masked,
            "sha256": sha256,
        }
    )
