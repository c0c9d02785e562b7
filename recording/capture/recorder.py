"""The recorder: a subscriber of every seat, in the media process.

Four owned tasks, none on the packet path: *flush* writes what was collected, *sync* makes it survive a power failure
and closes what has ended, *watch* notices silence and a disk that hangs, and one *row* task per call brings the
database up to date. The journal comes first: no packet waits for a row.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from core.db import Database
from core.errors import ConflictError, CounterError
from core.ids import new_id
from core.ports.media import MediaSink, Seat, SeatStream, SinkFailure, track_name
from core.security.keys import MasterKey, new_data_key, wrap_key
from core.tasks import TaskOwner
from recording.capture.journal import Record
from recording.capture.ledger import Ending, Ledger
from recording.capture.meta import Meta
from recording.capture.pause import Gate, GatedSink, Pauses, mark
from recording.capture.recovery import recover
from recording.capture.reporter import Reporter
from recording.capture.running import Capture, gaps_between, sync_batch, write_batch
from recording.capture.sink import SegmentSink

log = structlog.get_logger(__name__)

FLUSH_S = 0.4
"""Packets wait in memory at most this long plus one write: well below the second that a crash may cost."""

SYNC_S = 1.0
WATCH_S = 0.25
STALL_S = 2.5
"""Silence, or a write that does not return, for this long is reported: with `WATCH_S` and a commit, within 3 s."""

KEYFRAME_S = 10.0
"""How often a key frame is asked for: players seek to one, the file check looks at them, and loss ends at one."""

STOP_DEADLINE_S = 10.0


class Recorder:
    """Keeps every packet of every seat. `sinks_for` is the sink factory for the media room.

    Args:
        journal_path: Folder of the journals; one folder per call in it.
        on_crash: Called when one of the recorder's own tasks dies: the process should end and be restarted.
    """

    def __init__(
        self,
        database: Database,
        journal_path: Path,
        master_key: MasterKey,
        node_id: str,
        on_crash: Callable[[str, BaseException], None] | None = None,
    ) -> None:
        self.ledger = Ledger(database)
        self._clock = database.clock
        self._journal_path = journal_path
        self._master_key = master_key
        self._node_id = node_id
        self._captures: dict[str, Capture] = {}
        self._live: list[tuple[Capture, SegmentSink]] = []
        self._owner = TaskOwner("recorder", on_crash)
        self._reporter = Reporter(self.ledger, self._owner)
        self._pauses = Pauses(self.ledger, self._reporter, self._clock)
        self._pool = ThreadPoolExecutor(2, "recorder")
        self._flush_now = asyncio.Event()
        self._sync_now = asyncio.Event()
        self._write_began_s: float | None = None
        self._started = False

    @property
    def call_ids(self) -> set[str]:
        """Calls that are being recorded now."""
        return set(self._captures)

    # the packet path

    def sinks_for(self, stream: SeatStream) -> list[MediaSink]:
        """A sink for a transport that becomes live. Does not block; must run in the event loop."""
        self._start()
        capture = self._captures.get(stream.call_id)
        if capture is None:
            capture = self._captures[stream.call_id] = self._new_capture(stream)
            self._owner.start(f"row {stream.call_id}", self._enter(capture))
        sink = SegmentSink(stream, time.time_ns(), self._clock.monotonic_s())
        if capture.pause is not None and stream.seat in capture.pause.seats:  # who rejoins stays paused
            sink.gate = Gate()
            if sink.takes_marks:
                sink.mark(time.time_ns(), mark("pause", capture.pause.reason, capture.pause.by))
        capture.sinks.append(sink)
        self._live.append((capture, sink))
        return [sink]

    def guard(self, stream: SeatStream, sinks: Iterable[MediaSink]) -> list[MediaSink]:
        """Wrap other subscribers of a recorded transport, so that a secure pause holds for them too."""
        capture = self._captures.get(stream.call_id)
        paused = capture is not None and capture.pause is not None and stream.seat in capture.pause.seats
        guarded = [GatedSink(sink, Gate() if paused else None) for sink in sinks]
        if capture is not None:
            capture.others += [(stream.seat, sink) for sink in guarded]
        return list[MediaSink](guarded)

    def pause(self, call_id: str, seats: Collection[Seat], reason: str, by: str, longest_s: float) -> datetime:
        """Begin a secure pause; see `recording.capture.pause`. Returns when it ends by itself.

        Raises:
            ConflictError: ``recording.not_running``.
        """
        capture = self._captures.get(call_id)
        if capture is None:
            raise ConflictError("this call is not being recorded", code="recording.not_running")
        return self._pauses.begin(capture, seats, reason, by, longest_s)

    def resume(self, call_id: str, by: str) -> None:
        """End a secure pause. Idempotent."""
        capture = self._captures.get(call_id)
        if capture is not None:
            self._pauses.end(capture, by)

    def report_sink_failure(self, failure: SinkFailure) -> None:
        """The media room had to detach our sink: that segment is no longer recorded. Never silent."""
        capture = self._captures.get(failure.call_id)
        if capture is None or failure.sink not in (SegmentSink.__name__, "factory"):
            return
        for sink in capture.sinks:
            stream = sink.stream
            if (stream.seat, stream.segment, stream.track) == (failure.seat, failure.segment, failure.track):
                sink.close("detached")
        name = track_name(failure.seat, failure.track)
        reason = f"the {name}'s packets are no longer taken: {failure.error}"
        self._reporter.begins(capture, f"detached {name}", reason, "recording.failed")

    def _new_capture(self, stream: SeatStream) -> Capture:
        recording_id = new_id("rec")
        wrapped = wrap_key(self._master_key, new_data_key(), recording_id)
        started_ns = stream.started_ns or time.time_ns()
        meta = Meta(recording_id, stream.call_id, self._node_id, wrapped, started_ns)
        return Capture(self._journal_path / stream.call_id, meta)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._owner.start("flush", self._flush_forever())
            self._owner.start("sync", self._sync_forever())
            self._owner.start("watch", self._watch_forever())

    # the end of a call

    async def stop(self, call_id: str, *, interrupted: bool = False) -> None:
        """The call has ended: complete its journals, mark gaps, hand over to finalize. Idempotent.

        Returns when that is done, or after `STOP_DEADLINE_S`; then it goes on by itself.
        """
        capture = self._captures.pop(call_id, None)
        if capture is None:
            return
        self._pauses.end(capture, "system:recorder")
        for sink in capture.sinks:
            sink.close("call ended")
        self._flush_now.set()
        ending = self._owner.start(f"stop {call_id}", self._finish(capture, interrupted))
        await asyncio.wait({ending}, timeout=STOP_DEADLINE_S)

    async def close(self) -> None:
        """The process ends: running recordings are completed as interrupted, what cannot be is left to `recover`."""
        if self._captures:
            await asyncio.gather(*(self.stop(call_id, interrupted=True) for call_id in list(self._captures)))
        await self._owner.close()
        self._pool.shutdown(wait=True)

    async def _finish(self, capture: Capture, interrupted: bool) -> None:
        cut_off = interrupted
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                for sink in capture.sinks:
                    await sink.closed.wait()
        except TimeoutError:
            cut_off = True
            log.error("journal not closed in time", call_id=capture.meta.call_id)
            self._live = [pair for pair in self._live if pair[0] is not capture]
            open_sinks = [sink for sink in capture.sinks if not sink.closed.is_set()]
            self._pool.submit(sync_batch, [], open_sinks)  # after the write that hangs, if one does
        error = None if capture.on_disk.is_set() else "nothing could be written to the journal"
        ending = Ending(self._clock.now(), cut_off, gaps_between(capture), error)
        capture.stopped = True
        async with capture.lock:
            await self._persist(capture, lambda: self.ledger.stopped(capture.meta, ending))

    # the row

    async def _enter(self, capture: Capture) -> None:
        await capture.on_disk.wait()
        async with capture.lock:
            if not capture.stopped:
                await self._persist(capture, lambda: self.ledger.started(capture.meta))

    async def _persist(self, capture: Capture, use_case: Callable[[], Awaitable[object]]) -> None:
        """Run a unit of work until the database takes it; the journal and its sidecar hold the truth meanwhile."""
        pause_s = 0.5
        while True:
            try:
                await use_case()
                return
            except (CounterError, IntegrityError) as error:
                log.error("recording row refused", call_id=capture.meta.call_id, error=str(error))
                reason = f"the recording cannot be entered: {error}"
                self._reporter.begins(capture, "row", reason, "recording.failed")
                return
            except (SQLAlchemyError, OSError) as error:
                log.warning("database does not answer", call_id=capture.meta.call_id, error=str(error))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 5.0)

    # flush, sync, watch

    async def _flush_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._flush_now.wait(), FLUSH_S)
            self._flush_now.clear()
            batch = [(sink, capture, sink.take()) for capture, sink in self._live if sink.has_work()]
            if not batch:
                continue
            self._write_began_s = self._clock.monotonic_s()
            for outcome in await asyncio.get_running_loop().run_in_executor(
                self._pool, write_batch, self._master_key, batch
            ):
                self._flushed(*outcome)
            self._write_began_s = None

    def _flushed(self, sink: SegmentSink, capture: Capture, records: list[Record], error: Exception | None) -> None:
        if error is not None:
            sink.give_back(records)
            if sink.trim():
                log.error("recording lost packets", call_id=capture.meta.call_id, dropped=sink.dropped)
            reason = f"the journal cannot be written: {error}"
            self._reporter.begins(capture, f"disk {sink.stream.name}", reason, "recording.failed")
            return
        sink.written()
        sink.dirty = True
        capture.on_disk.set()
        self._reporter.over(capture, f"disk {sink.stream.name}", "the journal can be written again")
        if sink.is_complete():
            self._sync_now.set()

    async def _sync_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sync_now.wait(), SYNC_S)
            self._sync_now.clear()
            done = [(capture, sink) for capture, sink in self._live if sink.is_complete()]
            finished = {sink for _, sink in done}
            dirty = [sink for _, sink in self._live if sink.dirty and sink not in finished]
            for sink in dirty:
                sink.dirty = False
            failed = await asyncio.get_running_loop().run_in_executor(self._pool, sync_batch, dirty, list(finished))
            self._live = [pair for pair in self._live if pair[1] not in finished]
            for sink in finished:
                sink.closed.set()
            for sink, error in failed:
                for capture, other in [*self._live, *done]:
                    if other is sink:
                        reason = f"the journal cannot be synced: {error}"
                        self._reporter.begins(capture, f"sync {sink.stream.name}", reason, "recording.failed")

    async def _watch_forever(self) -> None:
        hanging = False
        while True:
            await asyncio.sleep(WATCH_S)
            now_s = self._clock.monotonic_s()
            began_s = self._write_began_s
            hangs = began_s is not None and now_s - began_s > STALL_S
            for capture in self._captures.values():
                self._pauses.tick(capture, now_s)
            for capture, sink in self._live:
                self._watch_silence(capture, sink, now_s)
                if sink.ended is None and now_s >= sink.keyframe_due_s:
                    sink.keyframe_due_s = now_s + KEYFRAME_S
                    sink.stream.request_keyframe()
                if hangs:
                    sink.trim()
            if hangs != hanging:
                hanging = hangs
                for capture in self._captures.values():
                    if hangs:
                        reason = "the disk does not take the packets"
                        self._reporter.begins(capture, "disk hangs", reason, "recording.failed")
                    else:
                        self._reporter.over(capture, "disk hangs", "the disk takes the packets again")

    def _watch_silence(self, capture: Capture, sink: SegmentSink, now_s: float) -> None:
        seat = sink.stream.name
        if sink.ended is not None:
            return
        if sink.silent_s(now_s) > STALL_S and not sink.may_be_empty:
            self._reporter.begins(capture, f"silent {seat}", f"no packets from the {seat}", "recording.stalled")
        elif sink.has_media:  # of this transport or, after a rejoin, of the one before
            for trouble in (f"silent {seat}", f"detached {seat}"):
                self._reporter.over(capture, trouble, f"packets from the {seat} again")

    # after a crash

    async def recover(self) -> int:
        """Complete what an earlier process of this node left behind. Call once at start-up, before the first stream.

        Returns how many recordings were completed.
        """
        return await recover(self.ledger, self._journal_path, self._node_id, self.call_ids)
