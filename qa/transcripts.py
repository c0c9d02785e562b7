"""Reading stored transcripts: which rows of a call count, as the rule engine and the desk need them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.models.transcript import Transcript, TranscriptKind, TranscriptSegment, TranscriptState
from core.ports.speech import Party, Segment, Word

WAITING = "waiting"
"""State of a call whose final transcription has not begun."""

# When the two sides differ, the call is as far as the side that a person has to worry about most.
_WORST_FIRST = (
    TranscriptState.FAILED,
    TranscriptState.RUNNING,
    TranscriptState.NOT_TRANSCRIBED,
    TranscriptState.READY,
)


@dataclass(frozen=True, slots=True)
class CallTranscript:
    """The transcripts of a call that count: the newest of each side and kind."""

    state: str
    kind: TranscriptKind | None = None
    rows: list[TranscriptSegment] = field(default_factory=list)


async def newest_transcripts(
    session: AsyncSession, call_ids: Sequence[str], kind: TranscriptKind
) -> dict[str, list[Transcript]]:
    """Per call the newest transcript of each side; a transcription that is done again replaces the earlier one."""
    query = (
        select(Transcript)
        .where(col(Transcript.call_id).in_(call_ids), col(Transcript.kind) == kind)
        .ext(distinct_on(col(Transcript.call_id), col(Transcript.party)))
        .order_by(
            col(Transcript.call_id),
            col(Transcript.party),
            col(Transcript.created_at).desc(),
            col(Transcript.id).desc(),
        )
    )
    found: dict[str, list[Transcript]] = {}
    for row in (await session.scalars(query)).all():
        found.setdefault(row.call_id, []).append(row)
    return found


def state_of(transcripts: Sequence[Transcript]) -> str:
    """How far the final transcription of a call is, over both sides."""
    states = {transcript.state for transcript in transcripts}
    return next((state.value for state in _WORST_FIRST if state in states), WAITING)


async def stored_segments(
    session: AsyncSession, call_ids: Sequence[str], kind: TranscriptKind
) -> list[TranscriptSegment]:
    """The segments that count, in order of time: all live ones, or those of the newest final transcripts."""
    query = (
        select(TranscriptSegment)
        .where(col(TranscriptSegment.call_id).in_(call_ids))
        .order_by(col(TranscriptSegment.start_s), col(TranscriptSegment.end_s), col(TranscriptSegment.id))
    )
    if kind is TranscriptKind.FINAL:
        newest = await newest_transcripts(session, call_ids, kind)
        transcript_ids = [row.id for rows in newest.values() for row in rows]
        query = query.where(col(TranscriptSegment.transcript_id).in_(transcript_ids))
    else:
        query = query.join(Transcript, col(Transcript.id) == col(TranscriptSegment.transcript_id))
        query = query.where(col(Transcript.kind) == kind)
    return list((await session.scalars(query)).all())


async def call_transcript(session: AsyncSession, call_id: str) -> CallTranscript:
    """What to show of a call: the final words, or the live ones while the final ones are not there."""
    final = (await newest_transcripts(session, [call_id], TranscriptKind.FINAL)).get(call_id, [])
    state = state_of(final)
    for kind in (TranscriptKind.FINAL, TranscriptKind.LIVE):
        rows = await stored_segments(session, [call_id], kind)
        if rows or (kind is TranscriptKind.FINAL and state == TranscriptState.READY):
            return CallTranscript(state, kind, rows)
    return CallTranscript(state)


def as_segment(row: TranscriptSegment) -> Segment:
    """A stored segment as the rule engine reads it."""
    words = tuple(Word(float(str(start)), float(str(end)), str(text)) for start, end, text in row.words)
    return Segment(Party(row.party), row.start_s, row.end_s, row.text, words, row.level_db)
