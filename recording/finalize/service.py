"""The job ``recording.finalize``: journals in, playable verified files out, journals gone last of all.

Safe to run again after a crash at any point: until the row says FINALIZED everything is made anew from the journals,
and the journals are removed only after that. A failure that may pass (disk, store, database) is raised for the job
engine to retry; only a recording without any media ends as FAILED.
"""

import asyncio
import hashlib
import json
import multiprocessing
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from sqlalchemy import delete
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.db import Database
from core.errors import NotFoundError, UnavailableError
from core.events import RecordingFailed, RecordingFinalized, RecordingStopped
from core.jobs import Subscription
from core.models.call import Call, CallState
from core.models.recording import Recording, RecordingFile, RecordingState
from core.security.actor import system_actor
from core.security.keys import MasterKey, unwrap_key
from core.store import Store
from recording.finalize.build import BuildPlan, BuildResult, begin_process, build
from recording.finalize.check import Reason, Verdict, reasons_json, verdict_of
from recording.finalize.manifest import file_check_of, file_row, manifest_of, object_key
from recording.seal import HEADER_B, Sealed, SealedFile

log = structlog.get_logger(__name__)

_ACTOR = system_actor("recording")
_VERIFY_CHUNKS = 16


def own_process() -> Executor:
    """For heavy work. Spawned, not forked: the worker has threads. One per job, so that its memory goes with it."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=begin_process)


class Finalizer:
    """Turns the journals of ended calls into files in the store.

    Args:
        journal_path: The recorder's folder: finalizing runs on the host that captured.
        executor: Makes the executor in which the heavy part runs; a process of its own by default.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        journal_path: Path,
        master_key: MasterKey,
        executor: Callable[[], Executor] = own_process,
    ) -> None:
        self._database = database
        self._store = store
        self._journal_path = journal_path
        self._master_key = master_key
        self._executor = executor

    async def on_stopped(self, event: RecordingStopped) -> None:
        """Finalize one recording.

        Raises:
            UnavailableError: ``recording.no_journals`` (another host has them), ``store.write_failed``,
                ``recording.verify_failed``, ``recording.build_died``, ``recording.call_runs``
                (its node died, the call may go on): to be tried again.
        """
        recording = await self._recording(event.recording_id)
        folder = self._journal_path / recording.call_id
        if recording.state == RecordingState.FINALIZED:
            await asyncio.to_thread(_remove, folder)  # the last run ended between its commit and this
        if recording.state != RecordingState.CAPTURED:
            return
        if recording.interrupted and await self._call_runs(recording.call_id):
            raise UnavailableError("the call may go on elsewhere", code="recording.call_runs")
        if not folder.is_dir():
            raise UnavailableError("the journals are not on this host", code="recording.no_journals", path=folder.name)
        data_key = unwrap_key(self._master_key, recording.wrapped_key, recording.id)
        async with _work_folder(folder) as work:
            result = await self._build(recording, folder, work, data_key)
            if not result.files:
                await self._fail(recording, "no media was received")
                return
            for file in result.files:
                await self._upload(
                    object_key(recording, f"{file.name}.sealed"), file.path, file.sealed, data_key, file.file_id
                )
                if (thumbs := file.thumbs) is not None:
                    await self._upload(
                        object_key(recording, f"{file.name}.thumbs"),
                        thumbs.path,
                        thumbs.sealed,
                        data_key,
                        thumbs.file_id,
                    )
        manifest = await self._upload_manifest(recording, result)
        if await self._commit(recording, result, manifest):
            await asyncio.to_thread(_remove, folder)

    async def _call_runs(self, call_id: str) -> bool:
        async with self._database.read() as session:
            state = (await session.scalars(select(Call.state).where(col(Call.id) == call_id))).first()
        return state in (CallState.ACCEPTED, CallState.CONNECTED)

    async def _recording(self, recording_id: str) -> Recording:
        async with self._database.read() as session:
            recording = await session.get(Recording, recording_id)
        if recording is None:
            raise NotFoundError("no such recording", code="recording.not_found")
        return recording

    async def _build(self, recording: Recording, folder: Path, work: Path, data_key: bytes) -> BuildResult:
        started_at, stopped_at = recording.started_at, recording.stopped_at
        plan = BuildPlan(
            recording_id=recording.id,
            folder=folder,
            work=work,
            data_key=data_key,
            started_ns=round(started_at.timestamp() * 1_000_000) * 1000,
            stopped_s=None
            if recording.interrupted or stopped_at is None
            else (stopped_at - started_at).total_seconds(),
        )
        executor = self._executor()
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, build, plan)
        except BrokenProcessPool as error:
            raise UnavailableError("the finalizing process died", code="recording.build_died") from error
        except OSError as error:
            raise UnavailableError(f"the journals cannot be read: {error}", code="recording.disk_failed") from error
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    async def _upload(self, key: str, path: Path, made: Sealed, data_key: bytes, file_id: str) -> None:
        """Store a file and read it back: what the store gives must open and have the digests of what was made."""
        await self._store.put(key, path)
        sealed_hash, plain_hash = hashlib.sha256(), hashlib.sha256()
        header = await self._store.get_range(key, 0, HEADER_B)
        sealed_hash.update(header)
        sealed = SealedFile(header, data_key, file_id)
        for first in range(0, sealed.chunk_count, _VERIFY_CHUNKS):
            span = sealed.span(first * sealed.chunk_b, min((first + _VERIFY_CHUNKS) * sealed.chunk_b, sealed.size_b))
            piece = await self._store.get_range(key, span.start_b, span.end_b)
            sealed_hash.update(piece)
            plain_hash.update(await asyncio.to_thread(sealed.open, first, piece))
        if (sealed_hash.hexdigest(), plain_hash.hexdigest()) != (made.sealed_sha256, made.plain_sha256):
            raise UnavailableError("the stored file differs from the one made", code="recording.verify_failed", key=key)

    async def _upload_manifest(self, recording: Recording, result: BuildResult) -> tuple[str, str]:
        """Store the manifest; returns its key and SHA-256."""
        text = json.dumps(manifest_of(recording, result), ensure_ascii=False, indent=1, sort_keys=True).encode()
        key = object_key(recording, "manifest.json")
        await self._store.put(key, text)
        if await self._store.get(key) != text:
            raise UnavailableError("the stored manifest differs", code="recording.verify_failed", key=key)
        return key, hashlib.sha256(text).hexdigest()

    async def _commit(self, recording: Recording, result: BuildResult, manifest: tuple[str, str]) -> bool:
        """Rows, state and fact. False when the recording has changed meanwhile (resumed, or done by another run)."""
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(Recording, recording.id, with_for_update=True)
            if row.state != RecordingState.CAPTURED or row.stopped_at != recording.stopped_at:
                log.info("finalized in vain", recording_id=row.id, state=row.state)
                return False
            await work.session.execute(delete(RecordingFile).where(col(RecordingFile.recording_id) == row.id))
            now = work.clock.now()
            for file in result.files:
                stored = file_row(row, file)
                stored.created_at = now
                work.session.add(stored)
            row.state, row.gaps, row.error = RecordingState.FINALIZED, list(result.gaps), None
            row.manifest_key, row.manifest_sha256 = manifest
            row.verdict, row.file_check = verdict_of(result.reasons), file_check_of(result)
            if result.damage:
                what = "; ".join(result.damage)[:500]
                raise_alarm(work, "recording.damaged", f"Recording: {what}", row.call_id, recording_id=row.id)
            work.audit("recording.finalize", "recording", row.id, manifest_sha256=manifest[1], verdict=str(row.verdict))
            work.emit(RecordingFinalized(at=now, call_id=row.call_id, recording_id=row.id))
        log.info("recording finalized", call_id=recording.call_id, recording_id=recording.id)
        return True

    async def _fail(self, recording: Recording, reason: str) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(Recording, recording.id, with_for_update=True)
            if row.state != RecordingState.CAPTURED:
                return
            row.state, row.error, row.verdict = RecordingState.FAILED, reason, Verdict.FAIL
            row.file_check = {"reasons": reasons_json([Reason("no_media", "fail")]), "measured": {}}
            work.emit(
                RecordingFailed(
                    at=work.clock.now(), call_id=row.call_id, recording_id=row.id, stage="finalize", reason=reason
                )
            )
            raise_alarm(work, "recording.failed", f"Recording: {reason}", row.call_id, recording_id=row.id)


def subscriptions(finalizer: Finalizer) -> list[Subscription]:
    """The room's jobs."""
    # Two minutes of attempts: the seats of a call whose node died are kept for one.
    return [Subscription(RecordingStopped, "recording.finalize", finalizer.on_stopped, max_attempts=7)]


@asynccontextmanager
async def _work_folder(folder: Path) -> AsyncIterator[Path]:
    """A fresh folder for sealed files inside the call's; removed at the end, or by the next run."""
    work = folder / "work"
    await asyncio.to_thread(_remove, work)
    try:
        await asyncio.to_thread(work.mkdir, mode=0o700)
        yield work
    finally:
        await asyncio.to_thread(_remove, work)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
