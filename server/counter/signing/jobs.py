"""Making documents and sealing them: jobs between two waits of a sign step."""

import asyncio
import hashlib
from typing import Any

from sqlmodel import col, select

from core.db import Database
from core.errors import CounterError
from core.events import SigningWanted
from core.ids import new_id
from core.jobs import Subscription
from core.models.business import Business
from core.models.call import Call
from core.models.case import StepState
from core.models.signing import Signature, SignedDocument, SignedDocumentState
from core.security.actor import system_actor
from core.security.seal import Seal
from core.security.sealing import Sealer
from core.vault import Vault
from server.counter.book import CaseBook
from server.counter.engine import Engine
from server.counter.kind import CaseData
from server.counter.kinds.sign import SignConfig, signers_needed
from server.counter.signing.codes import new_code
from server.counter.signing.ink import ink_picture
from server.counter.signing.pades import seal_pdf
from server.counter.signing.paper import draw
from server.counter.signing.papers import agreement, interpreter_line, lines_of


class SigningJobs:
    """Prepares and seals. A repeated job finds its step no longer waiting and changes nothing."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        book: CaseBook,
        vault: Vault,
        sealer: Sealer,
        seal: Seal,
        site_url: str,
    ) -> None:
        """`site_url`: where customers find the verification page; printed as QR code."""
        self._database = database
        self._engine = engine
        self._book = book
        self._vault = vault
        self._sealer = sealer
        self._seal = seal
        self._site_url = site_url
        self._actor = system_actor("signing")

    async def run(self, event: SigningWanted) -> None:
        """Make the document, or seal it."""
        async with self._database.read() as session:
            case = await self._book.load(session, event.case_id)
            step = case.step(event.step)
            if step.row.state != StepState.WAITING or step.row.attempts != event.attempt:
                return
            call = await session.get_one(Call, case.row.call_id)
            business = await session.get_one(Business, case.row.business_code)
        if event.stage == "prepare":
            await self._prepare(event, case, call, business)
        else:
            await self._seal_document(event, str(step.result["document"]["id"]))

    async def _prepare(self, event: SigningWanted, case: CaseData, call: Call, business: Business) -> None:
        summary = next(iter(case.results("confirm")), {}).get("summary", [])
        code, document_id = new_code(), new_id("doc")
        name = business.name_en if call.language == "en" else business.name_zh
        url = f"{self._site_url}/verify?code={code}"
        lines = lines_of(summary, call.language, masked=False)
        lines += interpreter_line(case.step(event.step).result, call.language)
        paper = agreement(name, call.language, lines, code, url)
        pdf = await asyncio.to_thread(draw, paper)
        key, digest = f"signing/{document_id}.pdf", hashlib.sha256(pdf).hexdigest()
        await self._vault.put(key, pdf)
        config = SignConfig.model_validate(case.step(event.step).spec.config)
        signers = signers_needed(config, case.data.get("customer_class"))
        async with self._database.unit_of_work(self._actor) as work:
            locked = await self._book.load(work.session, event.case_id, lock=True)
            told = {"id": document_id, "sha256": digest, "code": code, "signers": signers}
            row = SignedDocument(
                id=document_id,
                case_id=event.case_id,
                step_key=event.step,
                call_id=call.id,
                visit_id=call.visit_id,
                business_code=business.code,
                code=code,
                state=SignedDocumentState.READY,
                signers=signers,
                object_key=key,
                sha256=digest,
                size_b=len(pdf),
                created_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("sign.prepare", "signed_document", document_id, call_id=call.id, sha256=digest)
            if not await self._engine.resume(work, locked, event.step, event.attempt, {"document": told}):
                row.state = SignedDocumentState.WITHDRAWN

    async def _seal_document(self, event: SigningWanted, document_id: str) -> None:
        async with self._database.read() as session:
            document = await session.get_one(SignedDocument, document_id)
            query = select(Signature).where(col(Signature.document_id) == document_id).order_by(col(Signature.at))
            signatures = (await session.scalars(query)).all()
        inks = [self._sealer.open(row.sealed_ink, row.id)["strokes"] for row in signatures]
        pdf = await self._vault.get(document.object_key)
        if hashlib.sha256(pdf).hexdigest() != document.sha256:
            raise CounterError("the stored document is not the one that was signed", code="sign.document_changed")
        sealed = await asyncio.to_thread(
            seal_pdf, pdf, self._seal, _reason(document, list(signatures)), ink_picture(*inks)
        )
        key, digest = f"signing/{document_id}.sealed.pdf", hashlib.sha256(sealed).hexdigest()
        await self._vault.put(key, sealed)
        async with self._database.unit_of_work(self._actor) as work:
            locked = await self._book.load(work.session, event.case_id, lock=True)
            row = await work.session.get_one(SignedDocument, document_id, with_for_update=True)
            if await self._engine.resume(work, locked, event.step, event.attempt, {"sealed_sha256": digest}):
                row.state, row.sealed_key, row.sealed_sha256 = SignedDocumentState.SEALED, key, digest
                row.sealed_at = work.clock.now()
                work.audit("sign.seal", "signed_document", document_id, call_id=row.call_id, sha256=digest)


def _reason(document: SignedDocument, signatures: list[Signature]) -> str:
    """What the seal binds together: document, call, and for each signature its ink, consent and time."""
    parts: list[Any] = [f"code {document.code}", f"call {document.call_id}", f"document sha256 {document.sha256}"]
    for row in signatures:
        parts.append(f"{row.role}: ink sha256 {row.ink_sha256}, consent {row.consent_id}, at {row.at.isoformat()}")
    return "; ".join(parts)


def subscriptions(jobs: SigningJobs) -> list[Subscription]:
    """The job."""
    return [Subscription(SigningWanted, "counter.signing", jobs.run)]
