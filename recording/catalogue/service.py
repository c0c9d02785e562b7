"""Reading finalized recordings: by people (permission, audit) and by the house's own jobs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError, UnavailableError
from core.models.recording import Recording, RecordingFile
from core.models.system import AuditEntry
from core.security.actor import Actor
from core.security.keys import MasterKey, unwrap_key
from core.security.permissions import Permission
from core.store import Store
from recording.seal import HEADER_B, SealedFile

AUDIT_EVERY = timedelta(minutes=10)
"""Players ask for a file in many ranges; one playback is one entry."""

READ_CHUNKS = 16
"""Chunks fetched and opened at a time: 1 MiB."""

PLAY = "recording.play"
THUMBNAILS = "recording.thumbnails"


class PlainFile:
    """An open recording file: gives plain bytes of any range, touching only the chunks that hold them."""

    def __init__(self, row: RecordingFile, store: Store, sealed: SealedFile) -> None:
        self.row = row
        self._store = store
        self._sealed = sealed

    @property
    def size_b(self) -> int:
        """Size of the playable file."""
        return self._sealed.size_b

    @property
    def content_type(self) -> str:
        """Media type (RFC 9110 section 8.3)."""
        return {None: "audio/webm", "H264": "video/mp4"}.get(self.row.video_codec, "video/webm")

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes ``start`` up to, not including, ``end``, piece by piece.

        Raises:
            SealError: the stored file was changed. NotFoundError: it is gone.
        """
        step = READ_CHUNKS * self._sealed.chunk_b
        for at in range(start - start % self._sealed.chunk_b, end, step):
            span = self._sealed.span(max(at, start), min(at + step, end))
            sealed = await self._store.get_range(self.row.object_key, span.start_b, span.end_b)
            plain = await asyncio.to_thread(self._sealed.open, span.first, sealed)
            base = span.first * self._sealed.chunk_b
            yield plain[max(start - base, 0) : end - base]


class Catalogue:
    """The finalized recordings. Implements `core.ports.recording.RecordingReader`."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key

    async def access_recording_file(self, actor: Actor, file_id: str) -> PlainFile:
        """The only way for people to a recording.

        Raises:
            DeniedError: no permission to play recordings. NotFoundError: ``recording.file_not_found``.
        """
        actor.require(Permission.RECORDING_PLAY)
        return await self.open_file(file_id)

    async def access_thumbnail(self, actor: Actor, file_id: str, number: int) -> bytes:
        """One small JPEG of a file; the first one somebody sees is audited like a playback.

        Raises:
            DeniedError: no permission to play recordings. NotFoundError: ``recording.file_not_found``.
        """
        actor.require(Permission.RECORDING_PLAY)
        row, data_key = await self._row(file_id)
        if row.thumbnails_key is None or not 0 <= number < len(row.thumbnails):
            raise NotFoundError("no such picture", code="recording.file_not_found")
        sealed = await self._open_sealed(row.thumbnails_key, data_key, f"{row.id}_thumbs")
        start, end = row.thumbnails[number]["start_b"], row.thumbnails[number]["end_b"]
        span = sealed.span(start, end)
        piece = await self._store.get_range(row.thumbnails_key, span.start_b, span.end_b)
        plain = await asyncio.to_thread(sealed.open, span.first, piece)
        await self.note_access(actor, row, THUMBNAILS)
        base = span.first * sealed.chunk_b
        return plain[start - base : end - base]

    async def note_access(self, actor: Actor, row: RecordingFile, action: str = PLAY) -> None:
        """Write ``recording.play`` to the audit log, once per file, person and `AUDIT_EVERY`."""
        async with self._database.unit_of_work(actor) as work:
            # Players open several connections at once: the second waits here and then sees the first one's entry.
            lock = text("select pg_advisory_xact_lock(hashtextextended(:what, 0))")
            await work.session.execute(lock, {"what": f"{action} {actor.name} {row.id}"})
            recent = select(AuditEntry.seq).where(
                col(AuditEntry.at) > work.clock.now() - AUDIT_EVERY,
                col(AuditEntry.actor) == actor.name,
                col(AuditEntry.action) == action,
                col(AuditEntry.object_id) == row.id,
            )
            if (await work.session.execute(recent.limit(1))).first() is None:
                work.audit(action, "recording_file", row.id, call_id=row.call_id, party=row.party)

    @asynccontextmanager
    async def plain_file(self, file_id: str) -> AsyncIterator[Path]:
        """A decrypted copy in a private temporary folder that is removed at the end. For the house's own jobs.

        Raises:
            NotFoundError: ``recording.file_not_found``. UnavailableError: the store does not answer.
        """
        file = await self.open_file(file_id)
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="aircounter-")
        try:
            path = Path(folder.name) / f"{file.row.party}.{file.content_type.split('/')[1]}"
            with await asyncio.to_thread(path.open, "wb") as target:
                if file.size_b:
                    async for piece in file.read(0, file.size_b):
                        await asyncio.to_thread(target.write, piece)
            yield path
        finally:
            await asyncio.to_thread(folder.cleanup)

    async def open_file(self, file_id: str) -> PlainFile:
        """A file for the house itself, or for somebody whose access was checked already. Raises as `plain_file`."""
        row, data_key = await self._row(file_id)
        return PlainFile(row, self._store, await self._open_sealed(row.object_key, data_key, row.id))

    async def _row(self, file_id: str) -> tuple[RecordingFile, bytes]:
        async with self._database.read() as session:
            query = (
                select(RecordingFile, Recording)
                .join(Recording, col(Recording.id) == col(RecordingFile.recording_id))
                .where(col(RecordingFile.id) == file_id)
            )
            found = (await session.execute(query)).first()
        if found is None:
            raise NotFoundError("no such recording", code="recording.file_not_found")
        row, recording = found
        return row, unwrap_key(self._master_key, recording.wrapped_key, recording.id)

    async def _open_sealed(self, key: str, data_key: bytes, file_id: str) -> SealedFile:
        try:
            header = await self._store.get_range(key, 0, HEADER_B)
        except NotFoundError as error:
            raise UnavailableError("the store does not have the file", code="recording.file_gone") from error
        return SealedFile(header, data_key, file_id)
