"""What somebody may see of a call's words: numbers are covered for those without the permission."""

from collections.abc import Sequence

from core.models.qa import Finding
from core.models.transcript import TranscriptSegment
from core.redaction import redact, redact_talk
from core.security.actor import Actor
from core.security.permissions import Permission


def shown_text(actor: Actor, text: str) -> str:
    """A text as this actor may read it."""
    return text if actor.may(Permission.CUSTOMER_NUMBERS) else redact(text)


def shown_segments(actor: Actor, rows: Sequence[TranscriptSegment]) -> list[dict[str, object]]:
    """Fields of the utterances, in the given order. A number may be spoken in several utterances of one party."""
    if actor.may(Permission.CUSTOMER_NUMBERS):
        return [row.model_dump() for row in rows]
    texts = covered(rows)
    # Single words would tell the numbers again.
    return [row.model_dump() | {"text": texts[row.id], "words": []} for row in rows]


def covered(rows: Sequence[TranscriptSegment]) -> dict[str, str]:
    """Texts of the utterances by id with numbers covered, for everybody's eyes. Rows are in order of time."""
    found: dict[str, str] = {}
    for party in {row.party for row in rows}:
        mine = [row for row in rows if row.party == party]
        found |= {row.id: text for row, text in zip(mine, redact_talk(row.text for row in mine), strict=True)}
    return found


def shown_findings(actor: Actor, rows: Sequence[Finding]) -> list[dict[str, object]]:
    """Fields of the findings."""
    return [
        row.model_dump() | {"evidence": shown_text(actor, row.evidence), "phrase": shown_text(actor, row.phrase)}
        for row in rows
    ]
