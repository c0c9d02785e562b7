"""The word a customer has given: stored per purpose, the newest one counts, and taking it back has effect."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import ConflictError
from core.ids import new_id
from core.models.call import Call
from core.models.case import CaseDocument, DocumentState
from core.models.visit import Consent
from server.counter.wordings import Wording, current_wording, published_wording


def worded(purpose: str, version: str, granted: bool) -> Wording:
    """The text a word is about: to agree takes the one in force; to refuse or take back, any that was published.

    Raises:
        ConflictError: ``consent.outdated`` when another wording is current: show that one and ask again.
    """
    current = current_wording(purpose)
    wording = current if version == current.version else None if granted else published_wording(purpose, version)
    if wording is None:
        raise ConflictError("the wording has changed", code="consent.outdated", current_version=current.version)
    return wording


def add_consent(work: UnitOfWork, visit_id: str, language: str, wording: Wording, granted: bool) -> Consent:
    """Store a consent or a refusal with version and digest of what was read; audited."""
    consent = Consent(
        id=new_id("consent"),
        visit_id=visit_id,
        purpose=wording.purpose,
        wording_version=wording.version,
        wording_sha256=wording.sha256(language),
        granted=granted,
        at=work.clock.now(),
    )
    work.session.add(consent)
    after = {"purpose": wording.purpose, "version": wording.version, "granted": granted}
    work.audit("consent.record", "consent", consent.id, visit_id=visit_id, after=after)
    return consent


async def newest_consents(session: AsyncSession, visit_id: str) -> Sequence[Consent]:
    """The word that counts, one per purpose, in the order in which they were first asked for."""
    query = select(Consent).where(col(Consent.visit_id) == visit_id).order_by(col(Consent.at), col(Consent.id))
    newest: dict[str, Consent] = {}
    for row in (await session.scalars(query)).all():
        newest[row.purpose] = row
    return list(newest.values())


async def face_word(session: AsyncSession, visit_id: str) -> bool | None:
    """Whether the face may be compared; None while nobody has asked."""
    query = select(Consent.granted).where(col(Consent.visit_id) == visit_id, col(Consent.purpose) == "face")
    return (await session.scalars(query.order_by(col(Consent.at).desc(), col(Consent.id).desc()).limit(1))).first()


async def forget_faces(work: UnitOfWork, visit_id: str) -> None:
    """Forget the keys of a visit's pictures of the face: nobody can open them any more. Their rows stay."""
    query = (
        select(CaseDocument)
        .join(Call, col(Call.id) == col(CaseDocument.call_id))
        .where(col(Call.visit_id) == visit_id, col(CaseDocument.code) == "face", col(CaseDocument.wrapped_key) != b"")
        .with_for_update(of=CaseDocument)
    )
    for row in (await work.session.scalars(query)).all():
        row.wrapped_key, row.state = b"", DocumentState.REPLACED
        work.audit(
            "document.forgotten", "document", row.id, case_id=row.case_id, code=row.code, reason="consent.withdrawn"
        )
