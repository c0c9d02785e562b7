"""Final transcripts: from recorded files to rows and the fact that they are ready."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, NotFoundError
from core.events import RecordingFinalized, TranscriptReady
from core.ids import new_id
from core.jobs import Subscription
from core.models.call import Call
from core.models.recording import RecordingFile
from core.models.transcript import Transcript, TranscriptKind, TranscriptSegment, TranscriptState
from core.ports.recognizer import Recognizer
from core.ports.recording import RecordingReader
from core.ports.speech import Party, Segment
from core.security.actor import system_actor
from qa.stt.captions import HotWords
from qa.stt.final import transcribe_file
from qa.stt.rows import segment_row

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Side:
    """One party's outcome."""

    party: Party
    state: TranscriptState
    segments: Sequence[Segment] = ()
    error: str | None = None


class TranscriptionService:
    """Transcribes finished calls, now or once an engine is there.

    Attributes:
        engine: The final engine; None while there is no model. May be set later, see `transcribe_pending`.
    """

    def __init__(
        self,
        database: Database,
        reader: RecordingReader,
        engine: Recognizer | None,
        hot_words: HotWords | None = None,
    ) -> None:
        self._database = database
        self._reader = reader
        self._hot_words = hot_words
        self._actor = system_actor("speech")
        self._one_at_a_time = asyncio.Lock()  # recorded calls must leave the cores to live ones
        self.engine = engine

    @property
    def subscriptions(self) -> list[Subscription]:
        """Handlers for the job engine."""
        return [Subscription(RecordingFinalized, "qa.transcribe", self.transcribe_recording)]

    async def transcribe_recording(self, event: RecordingFinalized) -> None:
        """Transcribe both sides of a recording. A call that is transcribed already is left alone.

        Raises:
            BadInputError: ``speech.bad_file`` after the rows say so: a side could not be decoded.
        """
        async with self._database.read() as session:
            done = await _states(session, event.call_id)
        if done and set(done) == {TranscriptState.READY}:
            return
        await self._transcribe(event.call_id)

    async def transcribe_pending(self) -> int:
        """Transcribe calls that ended while there was no engine, oldest first. Returns how many were done."""
        if self.engine is None:
            return 0
        query = (
            select(Transcript.call_id)
            .where(
                col(Transcript.kind) == TranscriptKind.FINAL,
                col(Transcript.state) == TranscriptState.NOT_TRANSCRIBED,
            )
            .group_by(col(Transcript.call_id))
            .order_by(col(Transcript.call_id))
        )
        async with self._database.read() as session:
            waiting = list((await session.scalars(query)).all())
        for call_id in waiting:
            try:
                await self._transcribe(call_id)
            except (BadInputError, NotFoundError) as error:
                log.error("waiting call not transcribed", call_id=call_id, error=str(error))
        return len(waiting)

    async def _transcribe(self, call_id: str) -> None:
        engine = self.engine
        if engine is None:
            sides = [_Side(party, TranscriptState.NOT_TRANSCRIBED, error="speech.no_engine") for party in Party]
            await self._store(call_id, "", sides)
            return
        async with self._one_at_a_time:
            files, hot_words = await self._material(call_id)
            sides = [await self._hear(party, files.get(party), engine, hot_words) for party in Party]
        await self._store(call_id, engine.info.label, sides)
        broken = next((side for side in sides if side.state is TranscriptState.FAILED), None)
        if broken is not None:
            raise BadInputError(broken.error or "not decoded", code="speech.bad_file", party=broken.party.value)

    async def _material(self, call_id: str) -> tuple[dict[Party, list[RecordingFile]], Sequence[str]]:
        async with self._database.read() as session:
            code = await session.scalar(select(Call.business_code).where(col(Call.id) == call_id))
            if code is None:
                raise NotFoundError("there is no such call", code="call.not_found")
            # A third party's sound and a shared screen are recorded, too, and have no side of the transcript.
            sides = col(RecordingFile.party).in_([party.value for party in Party])
            query = select(RecordingFile).where(col(RecordingFile.call_id) == call_id, sides)
            rows = (await session.scalars(query.order_by(col(RecordingFile.offset_s)))).all()
        files: dict[Party, list[RecordingFile]] = {}
        for row in rows:
            files.setdefault(Party(row.party), []).append(row)
        return files, self._hot_words(code) if self._hot_words else ()

    async def _hear(
        self, party: Party, files: list[RecordingFile] | None, engine: Recognizer, hot_words: Sequence[str]
    ) -> _Side:
        """A side without recorded sound said nothing that could be transcribed: ready and empty."""
        segments: list[Segment] = []
        for file in files or ():
            if file.audio_codec is None:
                continue
            async with self._reader.plain_file(file.id) as path:
                try:
                    segments += await asyncio.to_thread(_transcribe_path, path, party, engine, hot_words, file.offset_s)
                except BadInputError as error:
                    return _Side(party, TranscriptState.FAILED, error=str(error))
        return _Side(party, TranscriptState.READY, segments)

    async def _store(self, call_id: str, engine: str, sides: list[_Side]) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            for side in sides:
                await _replace(work, call_id, engine, side)
            transcribed = any(side.state is TranscriptState.READY for side in sides)
            work.emit(TranscriptReady(at=work.clock.now(), call_id=call_id, transcribed=transcribed, engine=engine))
        log.info("call transcribed", call_id=call_id, transcribed=transcribed, engine=engine)


def _transcribe_path(
    path: Path, party: Party, engine: Recognizer, hot_words: Sequence[str], offset_s: float
) -> list[Segment]:
    return transcribe_file(path, party, engine, hot_words=hot_words, offset_s=offset_s)


async def _states(session: AsyncSession, call_id: str) -> list[str]:
    query = select(Transcript.state).where(
        col(Transcript.call_id) == call_id, col(Transcript.kind) == TranscriptKind.FINAL
    )
    return list((await session.scalars(query)).all())


async def _replace(work: UnitOfWork, call_id: str, engine: str, side: _Side) -> None:
    """Write a side's final transcript over what an earlier attempt left."""
    now = work.clock.now()
    query = (
        select(Transcript)
        .where(
            col(Transcript.call_id) == call_id,
            col(Transcript.party) == side.party.value,
            col(Transcript.kind) == TranscriptKind.FINAL,
        )
        .with_for_update()
    )
    row = (await work.session.scalars(query)).first()
    if row is None:
        row = Transcript(
            id=new_id("tr"),
            call_id=call_id,
            party=side.party.value,
            kind=TranscriptKind.FINAL,
            state=side.state,
            created_at=now,
            updated_at=now,
        )
        work.session.add(row)
        await work.session.flush()
    row.state, row.engine, row.error, row.updated_at = side.state, engine, side.error, now
    await work.session.execute(delete(TranscriptSegment).where(col(TranscriptSegment.transcript_id) == row.id))
    work.session.add_all(segment_row(row, segment) for segment in side.segments)
