"""Segments as rows."""

from core.ids import new_id
from core.models.transcript import Transcript, TranscriptSegment
from core.ports.speech import Segment


def segment_row(transcript: Transcript, segment: Segment) -> TranscriptSegment:
    """A segment of this transcript, as stored."""
    return TranscriptSegment(
        id=new_id("seg"),
        transcript_id=transcript.id,
        call_id=transcript.call_id,
        party=transcript.party,
        start_s=segment.start_s,
        end_s=segment.end_s,
        text=segment.text,
        words=[[word.start_s, word.end_s, word.text] for word in segment.words],
        level_db=segment.level_db,
    )
