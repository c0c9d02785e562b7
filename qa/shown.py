"""What somebody may see of a call's words: numbers are covered for those without the permission."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.qa import Finding
from core.models.transcript import TranscriptCorrection, TranscriptSegment
from core.redaction import hidden_pieces, hide, redact, redact_talk
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.transcripts import call_transcript


def sees_numbers(actor: Actor) -> bool:
    """Whether this actor reads customers' numbers."""
    return actor.may(Permission.CUSTOMER_NUMBERS)


def shown_text(actor: Actor, text: str) -> str:
    """A text as this actor may read it."""
    return text if sees_numbers(actor) else redact(text)


def shown_talk(actor: Actor, talk: Sequence[tuple[str, str]]) -> list[str]:
    """What both parties wrote, as (party, text) in order of time, as this actor may read it: what a number is may be
    told by the message before, and a number may be cut into several."""
    return [text for _, text in talk] if sees_numbers(actor) else redact_talk(talk)


def shown_segments(actor: Actor, rows: Sequence[TranscriptSegment]) -> list[dict[str, object]]:
    """Fields of the utterances, in the given order (of time)."""
    if sees_numbers(actor):
        return [row.model_dump() for row in rows]
    texts = covered(rows)
    # Single words would tell the numbers again.
    return [row.model_dump() | {"text": texts[row.id], "words": []} for row in rows]


def covered(rows: Sequence[TranscriptSegment]) -> dict[str, str]:
    """Texts of the utterances by id with numbers covered, for everybody's eyes. Rows are in order of time."""
    texts = redact_talk((row.party, row.text) for row in rows)
    return {row.id: text for row, text in zip(rows, texts, strict=True)}


async def covered_call(session: AsyncSession, call_id: str) -> dict[str, tuple[str, str]]:
    """Utterances of a call by id, with corrections in place: (text, covered text)."""
    rows = (await call_transcript(session, call_id)).rows
    query = select(TranscriptCorrection).where(col(TranscriptCorrection.call_id) == call_id)
    corrected = {row.segment_id: row.text for row in (await session.scalars(query)).all()}
    texts = [corrected.get(row.id, row.text) for row in rows]
    shown = redact_talk((row.party, text) for row, text in zip(rows, texts, strict=True))
    return {row.id: (text, other) for row, text, other in zip(rows, texts, shown, strict=True)}


def shown_findings(actor: Actor, rows: Sequence[Finding], talk: Sequence[TranscriptSegment]) -> list[dict[str, object]]:
    """Fields of the findings. Evidence is a sentence of the talk: what is covered there is covered here."""
    if sees_numbers(actor):
        return [row.model_dump() for row in rows]
    texts = covered(talk)
    secrets = {piece for row in talk for piece in hidden_pieces(row.text, texts[row.id])}
    return [
        row.model_dump() | {"evidence": hide(row.evidence, secrets), "phrase": hide(row.phrase, secrets)}
        for row in rows
    ]
