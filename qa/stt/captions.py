"""What is heard live, told to the pages at once and kept as the call's live transcript."""

from collections.abc import Callable, Sequence

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.alarms import raise_alarm
from core.bus import LIVE, Bus
from core.db import Database
from core.ids import new_id
from core.models.call import Call
from core.models.transcript import Transcript, TranscriptKind, TranscriptSegment, TranscriptState
from core.ports.speech import Party, Segment
from core.security.actor import system_actor
from qa.stt.leg_reader import LiveDegraded
from qa.stt.rows import segment_row

log = structlog.get_logger(__name__)

HotWords = Callable[[str], Sequence[str]]
"""Business code to terms likely to be said, most important first."""


class LiveCaptions:
    """The listener of a live worker. A caption that cannot be stored is still shown, and the other way round.

    Publishes on `LIVE`: ``{"kind": "caption", call_id, party, start_s, end_s, text, final}`` and
    ``{"kind": "transcription", call_id, mode: "live" | "final_only"}``.
    """

    def __init__(self, database: Database, bus: Bus, engine_label: str, hot_words: HotWords | None = None) -> None:
        self._database = database
        self._bus = bus
        self._engine_label = engine_label
        self._hot_words = hot_words
        self._actor = system_actor("speech")

    async def hot_words(self, call_id: str, party: Party) -> Sequence[str]:
        """From the call's business; none when the database does not answer."""
        if self._hot_words is None:
            return ()
        try:
            async with self._database.read() as session:
                code = await session.scalar(select(Call.business_code).where(col(Call.id) == call_id))
        except (SQLAlchemyError, OSError) as error:
            log.warning("no hot words", error=str(error))
            return ()
        return self._hot_words(code) if code else ()

    async def on_leg(self, call_id: str, party: Party, running: bool) -> None:
        """Mark the party's live transcript as running or ready."""
        if running:
            await self._publish({"kind": "transcription", "call_id": call_id, "mode": "live"})
        state = TranscriptState.RUNNING if running else TranscriptState.READY
        try:
            async with self._database.unit_of_work(self._actor) as work:
                transcript = await self._transcript(work.session, call_id, party)
                transcript.state, transcript.updated_at = state, work.clock.now()
        except (SQLAlchemyError, OSError) as error:
            log.error("live transcript not kept", error=str(error))

    async def on_segment(self, call_id: str, party: Party, segment: Segment, is_final: bool) -> None:
        """Show the words; keep them when they are final."""
        if is_final and not await self._keep(call_id, party, segment):
            return
        caption: dict[str, object] = {
            "kind": "caption",
            "call_id": call_id,
            "party": party.value,
            "start_s": segment.start_s,
            "end_s": segment.end_s,
            "text": segment.text,
            "final": is_final,
        }
        await self._publish(caption)

    async def on_degraded(self, what: LiveDegraded) -> None:
        """No more live text: the teller's strip says so, and supervisors get an alarm."""
        if not what.final_only:
            return
        await self._publish({"kind": "transcription", "call_id": what.call_id, "mode": "final_only"})
        try:
            async with self._database.unit_of_work(self._actor) as work:
                text = f"live captions of the {what.party.value} were given up; the file is transcribed after the call"
                raise_alarm(work, "speech.final_only", text, what.call_id, party=what.party.value)
        except (SQLAlchemyError, OSError) as error:
            log.error("alarm not raised", error=str(error))

    async def _publish(self, message: dict[str, object]) -> None:
        try:
            await self._bus.publish(LIVE, message)
        except (RedisError, OSError) as error:
            log.warning("caption not shown", error=str(error))

    async def _keep(self, call_id: str, party: Party, segment: Segment) -> bool:
        """Store a final segment. False when it was stored before (told again after a worker's death)."""
        try:
            async with self._database.unit_of_work(self._actor) as work:
                transcript = await self._transcript(work.session, call_id, party)
                last = select(func.max(col(TranscriptSegment.end_s))).where(
                    col(TranscriptSegment.transcript_id) == transcript.id
                )
                told_until_s = await work.session.scalar(last) or 0.0
                if (segment.start_s + segment.end_s) / 2 <= told_until_s:
                    return False
                work.session.add(segment_row(transcript, segment))
        except (SQLAlchemyError, OSError) as error:
            log.error("live segment not kept", error=str(error))
        return True

    async def _transcript(self, session: AsyncSession, call_id: str, party: Party) -> Transcript:
        """The party's live transcript, locked; made when it is not there."""
        query = (
            select(Transcript)
            .where(
                col(Transcript.call_id) == call_id,
                col(Transcript.party) == party.value,
                col(Transcript.kind) == TranscriptKind.LIVE,
            )
            .with_for_update()
        )
        found = (await session.scalars(query)).first()
        if found is None:
            now = self._database.clock.now()
            found = Transcript(
                id=new_id("tr"),
                call_id=call_id,
                party=party.value,
                kind=TranscriptKind.LIVE,
                state=TranscriptState.RUNNING,
                engine=self._engine_label,
                created_at=now,
                updated_at=now,
            )
            session.add(found)
            await session.flush()
        return found
