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
    fields = [row.model_dump() for row in rows]
    if actor.may(Permission.CUSTOMER_NUMBERS):
        return fields
    for party in {row.party for row in rows}:
        mine = [n for n, row in enumerate(rows) if row.party == party]
        for n, text in zip(mine, redact_talk(rows[n].text for n in mine), strict=True):
            fields[n]["text"] = text
            fields[n]["words"] = []  # they would tell the numbers again
    return fields


def shown_findings(actor: Actor, rows: Sequence[Finding]) -> list[dict[str, object]]:
    """Fields of the findings."""
    return [
        row.model_dump() | {"evidence": shown_text(actor, row.evidence), "phrase": shown_text(actor, row.phrase)}
        for row in rows
    ]
