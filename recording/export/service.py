"""Exports: asked for by people with permission and purpose, made by a job, fetched by the one who asked."""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from av.error import FFmpegError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError, UnavailableError
from core.events import RecordingExportRequested
from core.ids import new_id
from core.jobs import Subscription
from core.models.call import Call
from core.models.handover import CallGuest, CallLeg
from core.models.recording import ExportState, Recording, RecordingExport, RecordingFile, RecordingState
from core.models.staff import Staff
from core.security.actor import Actor, system_actor
from core.security.keys import MasterKey, unwrap_key
from core.security.permissions import Permission
from core.store import Store
from core.tasks import TaskOwner
from recording.catalogue.service import READ_CHUNKS, Catalogue
from recording.export.compose import Source
from recording.export.job import PROGRESS_NAME, ExportPlan, run_export
from recording.finalize.manifest import object_key
from recording.finalize.service import own_process
from recording.seal import HEADER_B, Sealed, SealedFile

log = structlog.get_logger(__name__)

_ACTOR = system_actor("recording")
PROGRESS_S = 0.5


class ExportService:
    """Takes requests and gives results (edge), makes exports (worker).

    Args:
        executor: Makes the executor in which the encoding runs; a process of its own by default.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        master_key: MasterKey,
        executor: Callable[[], Executor] = own_process,
    ) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._executor = executor
        self._catalogue = Catalogue(database, store, master_key)

    async def request(self, actor: Actor, call_id: str, purpose: str) -> RecordingExport:
        """Ask for an export of a finalized recording; audited with its purpose.

        Raises:
            DeniedError: no permission, or ``qa.own_call``. NotFoundError: ``recording.not_found``.
            ConflictError: ``recording.not_ready``.
        """
        actor.require(Permission.RECORDING_EXPORT)
        async with self._database.unit_of_work(actor) as work:
            found = (await work.session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).first()
            call = await work.session.get(Call, call_id)
            staff = await work.session.get(Staff, actor.staff_id)
            if found is None or call is None or staff is None:
                raise NotFoundError("this call has no recording", code="recording.not_found")
            own_leg = select(CallLeg.id).where(col(CallLeg.call_id) == call_id, col(CallLeg.teller_id) == staff.id)
            if call.teller_id == staff.id or (await work.session.scalars(own_leg)).first() is not None:
                raise DeniedError("nobody exports own work", code="qa.own_call")
            if found.state != RecordingState.FINALIZED:
                raise ConflictError("the recording is not finalized", code="recording.not_ready")
            now = work.clock.now()
            row = RecordingExport(
                id=new_id("export"),
                recording_id=found.id,
                call_id=call_id,
                requested_by=staff.id,
                purpose=purpose,
                watermark=f"{staff.staff_number} {staff.username} {now:%Y-%m-%d %H:%M}Z CALL {call.number}",
                state=ExportState.WAITING,
                created_at=now,
            )
            work.session.add(row)
            work.audit("recording.export", "call", call_id, export=row.id, purpose=purpose, watermark=row.watermark)
            work.emit(RecordingExportRequested(at=now, call_id=call_id, export_id=row.id))
        return row

    async def access(self, actor: Actor, export_id: str) -> RecordingExport:
        """One's own export. NotFoundError ``recording.export_not_found`` for everybody else's."""
        actor.require(Permission.RECORDING_EXPORT)
        async with self._database.read() as session:
            row = await session.get(RecordingExport, export_id)
        if row is None or row.requested_by != actor.staff_id:
            raise NotFoundError("there is no such export", code="recording.export_not_found")
        return row

    async def newest(self, actor: Actor, call_id: str) -> RecordingExport | None:
        """The last export of a call that the actor asked for, to go on watching it."""
        actor.require(Permission.RECORDING_EXPORT)
        query = select(RecordingExport).where(
            col(RecordingExport.call_id) == call_id, col(RecordingExport.requested_by) == actor.staff_id
        )
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(col(RecordingExport.created_at).desc()).limit(1))).first()

    async def open_file(self, actor: Actor, export_id: str) -> "ExportFile":
        """The finished file; every fetching is audited.

        Raises:
            ConflictError: ``recording.not_ready``. NotFoundError: ``recording.export_not_found``.
        """
        row = await self.access(actor, export_id)
        if row.state != ExportState.READY or row.object_key is None:
            raise ConflictError("the export is not ready", code="recording.not_ready")
        async with self._database.unit_of_work(actor) as work:
            recording = await work.session.get_one(Recording, row.recording_id)
            work.audit("recording.export_download", "call", row.call_id, export=row.id, sha256=row.sha256)
        data_key = unwrap_key(self._master_key, recording.wrapped_key, recording.id)
        header = await self._store.get_range(row.object_key, 0, HEADER_B)
        return ExportFile(self._store, row.object_key, SealedFile(header, data_key, row.id))

    # the job

    async def on_requested(self, event: RecordingExportRequested) -> None:
        """Make the export. A recording that cannot be decoded ends as FAILED, all else is tried again."""
        async with self._database.read() as session:
            row = await session.get_one(RecordingExport, event.export_id)
            recording = await session.get_one(Recording, row.recording_id)
            files = await _files(session, recording.id)
            titles = await _titles(session, recording)
        if row.state in (ExportState.READY, ExportState.FAILED):
            return
        await self._set(row.id, state=ExportState.RUNNING)
        data_key = unwrap_key(self._master_key, recording.wrapped_key, recording.id)
        async with AsyncExitStack() as stack:
            folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="aircounter-")
            stack.callback(folder.cleanup)
            paths = {file.id: await stack.enter_async_context(self._catalogue.plain_file(file.id)) for file in files}
            sources = sources_of(files, paths, titles)
            duration_s = max(file.offset_s + file.duration_s for file in files)
            plan = ExportPlan(row.id, sources, duration_s, row.watermark, data_key, Path(folder.name))
            try:
                path, made = await self._run(plan)
            except FFmpegError as error:
                await self._set(row.id, state=ExportState.FAILED, error=str(error)[:300])
                return
            await self._keep(recording, row.id, path, made, data_key)

    async def _run(self, plan: ExportPlan) -> tuple[Path, Sealed]:
        executor, owner = self._executor(), TaskOwner("export")
        owner.start("progress", self._follow(plan))
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, run_export, plan)
        except BrokenProcessPool as error:
            raise UnavailableError("the exporting process died", code="recording.build_died") from error
        finally:
            await owner.close()
            executor.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, plan: ExportPlan) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            with contextlib.suppress(OSError, ValueError):  # not begun, or just being written
                text = await asyncio.to_thread((plan.work / PROGRESS_NAME).read_text)
                await self._set(plan.export_id, progress=float(text))

    async def _keep(self, recording: Recording, export_id: str, path: Path, made: Sealed, data_key: bytes) -> None:
        key = object_key(recording, f"{export_id}.sealed")
        await self._store.put(key, path)
        digest = hashlib.sha256()
        file = ExportFile(
            self._store, key, SealedFile(await self._store.get_range(key, 0, HEADER_B), data_key, export_id)
        )
        for start in range(0, file.size_b, file.step_b):
            digest.update(await file.read(start))
        if digest.hexdigest() != made.plain_sha256:
            raise UnavailableError("the stored file differs from the one made", code="recording.verify_failed")
        await self._set(
            export_id,
            state=ExportState.READY,
            progress=1.0,
            object_key=key,
            size_b=made.plain_b,
            sha256=made.plain_sha256,
            finished_at=self._database.clock.now(),
        )

    async def _set(self, export_id: str, **fields: object) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(RecordingExport, export_id, with_for_update=True)
            for name, value in fields.items():
                setattr(row, name, value)


async def _files(session: AsyncSession, recording_id: str) -> list[RecordingFile]:
    query = select(RecordingFile).where(col(RecordingFile.recording_id) == recording_id)
    return list((await session.scalars(query.order_by(col(RecordingFile.party), col(RecordingFile.track)))).all())


async def _titles(session: AsyncSession, recording: Recording) -> dict[str, list[tuple[float, str]]]:
    """Who is to be seen in a party's picture, and from which second of the call on."""
    legs = select(col(CallLeg.began_at), col(Staff.staff_number)).join(Staff, col(Staff.id) == col(CallLeg.teller_id))
    guests = select(col(CallGuest.joined_at), col(Staff.staff_number)).join(
        Staff, col(Staff.id) == col(CallGuest.staff_id)
    )
    tellers = (await session.execute(legs.where(col(CallLeg.call_id) == recording.call_id))).all()
    is_guest = col(CallGuest.call_id) == recording.call_id, col(CallGuest.joined_at).is_not(None)
    experts = (await session.execute(guests.where(*is_guest, col(CallGuest.seat) == "expert"))).all()
    titles = {"customer": [(0.0, "CUSTOMER")]}
    for party, rows in (("teller", tellers), ("expert", experts)):
        titles[party] = sorted(
            ((at - recording.started_at).total_seconds(), f"{party} {number}") for at, number in rows if at is not None
        )
    return titles


def sources_of(
    files: Sequence[RecordingFile], paths: Mapping[str, Path], titles: Mapping[str, Sequence[tuple[float, str]]]
) -> tuple[Source, ...]:
    """The two parties first, whether they have files or not, then whoever else was heard or seen, then the screen."""
    mains = {file.party: file for file in files if file.track == "main"}
    parties = ["customer", "teller", *sorted(set(mains) - {"customer", "teller"})]
    found = [
        Source(
            party,
            paths[file.id] if file else None,
            file.offset_s if file else 0.0,
            titles=tuple(titles.get(party, ())),
            is_seen=party in ("customer", "teller") or (file is not None and file.video_codec is not None),
        )
        for party in parties
        for file in (mains.get(party),)
    ]
    for file in files:
        if file.track == "screen":
            spans = tuple((span["from_s"], span["to_s"]) for span in file.spans)
            found.append(Source(file.party, paths[file.id], file.offset_s, "screen", spans))
    return tuple(found)


class ExportFile:
    """A stored export, read piece by piece."""

    def __init__(self, store: Store, key: str, sealed: SealedFile) -> None:
        self._store = store
        self._key = key
        self._sealed = sealed
        self.size_b = sealed.size_b
        self.step_b = READ_CHUNKS * sealed.chunk_b

    async def read(self, start: int) -> bytes:
        """The next `step_b` plain bytes from a multiple of `step_b`."""
        span = self._sealed.span(start, min(start + self.step_b, self.size_b))
        sealed = await self._store.get_range(self._key, span.start_b, span.end_b)
        return await asyncio.to_thread(self._sealed.open, span.first, sealed)


def subscriptions(service: ExportService) -> list[Subscription]:
    """The job that makes exports."""
    return [Subscription(RecordingExportRequested, "recording.export", service.on_requested, max_attempts=3)]
