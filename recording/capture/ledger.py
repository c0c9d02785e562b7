"""The rows and facts of capture. Every function is one idempotent unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import col, select

from core.alarms import clear_alarms, raise_alarm
from core.db import Database, UnitOfWork
from core.errors import ConflictError
from core.events import (
    RecordingFailed,
    RecordingPaused,
    RecordingPauseEnded,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
)
from core.models.recording import Recording, RecordingState
from core.models.system import Alarm
from core.ports.speech import Party
from core.security.actor import system_actor
from recording.capture.meta import Meta

_ACTOR = system_actor("recorder")
_RUNNING = (RecordingState.CAPTURING, RecordingState.CAPTURED)

Gap = dict[str, object]


@dataclass(frozen=True, slots=True)
class Ending:
    """How capture ended.

    Attributes:
        interrupted: With its process, not with the call.
        error: Set when nothing at all could be written.
    """

    stopped_at: datetime
    interrupted: bool
    gaps: Sequence[Gap] = ()
    error: str | None = None


class Ledger:
    """Writes `Recording` rows for the recorder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def started(self, meta: Meta) -> None:
        """The first packets are in the journal: the row exists and is CAPTURING.

        Raises:
            ConflictError: ``recording.exists``: this call's recording is already closed, or is another one.
        """
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await _row_of(work, meta)
            row.state = RecordingState.CAPTURING
            row.node_id = meta.node_id
            work.emit(RecordingStarted(at=work.clock.now(), call_id=meta.call_id, recording_id=meta.recording_id))

    async def stopped(self, meta: Meta, ending: Ending) -> bool:
        """Capture is over: the journals wait to be finalized. Returns whether this changed anything."""
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await _row_of(work, meta)
            if row.state == RecordingState.CAPTURED:
                return False
            row.stopped_at, row.gaps = ending.stopped_at, list(ending.gaps)
            row.interrupted = row.interrupted or ending.interrupted
            # Somebody whose line was gone when the call ended; what it meant for the file is the file check's to say.
            await clear_alarms(work, "recording.stalled", recording_id=meta.recording_id)
            if ending.error is not None:
                row.state, row.error = RecordingState.FAILED, ending.error
                _failed(work, meta.recording_id, meta.call_id, ending.error, "recording.failed")
                return True
            row.state = RecordingState.CAPTURED
            work.emit(
                RecordingStopped(
                    at=work.clock.now(),
                    call_id=meta.call_id,
                    recording_id=meta.recording_id,
                    interrupted=ending.interrupted,
                )
            )
            return True

    async def failed(self, recording_id: str, call_id: str, reason: str, alarm: str) -> None:
        """A running recording does not get or cannot keep its packets: alarm and fact."""
        async with self._database.unit_of_work(_ACTOR) as work:
            _failed(work, recording_id, call_id, reason, alarm)

    async def resumed(self, recording_id: str, call_id: str, reason: str) -> None:
        """It gets and keeps them again: nobody has to see to it any more; the gap stays marked."""
        async with self._database.unit_of_work(_ACTOR) as work:
            await clear_alarms(work, "recording.stalled", recording_id=recording_id)
            work.emit(RecordingResumed(at=work.clock.now(), call_id=call_id, recording_id=recording_id, reason=reason))

    async def paused(self, meta: Meta, parties: list[str], reason: str, by: str, until: datetime) -> None:
        """A secure pause has begun."""
        async with self._database.unit_of_work(_ACTOR) as work:
            work.emit(
                RecordingPaused(
                    at=work.clock.now(),
                    call_id=meta.call_id,
                    recording_id=meta.recording_id,
                    parties=[Party(party) for party in parties],
                    reason=reason,
                    by=by,
                    until=until,
                )
            )

    async def pause_ended(self, meta: Meta, by: str, *, expired: bool) -> None:
        """It is over; when nobody ended it, a person has to see that."""
        async with self._database.unit_of_work(_ACTOR) as work:
            work.emit(
                RecordingPauseEnded(
                    at=work.clock.now(),
                    call_id=meta.call_id,
                    recording_id=meta.recording_id,
                    by=by,
                    expired=expired,
                )
            )
            if expired:
                reason = "Recording: a secure pause was not ended in time; it goes on recording"
                work.audit("recording.pause_expired", "call", meta.call_id, recording=meta.recording_id)
                raise_alarm(work, "recording.pause_expired", reason, meta.call_id, recording_id=meta.recording_id)

    async def alarm(self, call_id: str, reason: str) -> None:
        """Something is wrong on the disk that belongs to no known recording; one alarm until it is cleared."""
        async with self._database.unit_of_work(_ACTOR) as work:
            query = select(Alarm.id).where(
                col(Alarm.kind) == "recording.failed",
                col(Alarm.call_id) == call_id,
                col(Alarm.message) == reason,
                col(Alarm.cleared_at).is_(None),
            )
            if (await work.session.execute(query.limit(1))).first() is None:
                raise_alarm(work, "recording.failed", reason, call_id)

    async def left_behind(self, node_id: str) -> list[Meta]:
        """What this node is still CAPTURING according to the rows."""
        async with self._database.read() as session:
            query = select(Recording).where(
                col(Recording.node_id) == node_id, col(Recording.state) == RecordingState.CAPTURING
            )
            return [
                Meta(row.id, row.call_id, row.node_id, row.wrapped_key, round(row.started_at.timestamp() * 1e6) * 1000)
                for row in (await session.scalars(query)).all()
            ]

    async def lost(self, recording_id: str) -> None:
        """The journals of a recording are gone: FAILED, and a person must see it."""
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(Recording, recording_id, with_for_update=True)
            if row.state != RecordingState.CAPTURING:
                return
            row.state, row.interrupted, row.error = RecordingState.FAILED, True, "the journals are gone"
            row.stopped_at = work.clock.now()
            _failed(work, row.id, row.call_id, row.error, "recording.failed")


async def _row_of(work: UnitOfWork, meta: Meta) -> Recording:
    query = select(Recording).where(col(Recording.call_id) == meta.call_id).with_for_update()
    row = (await work.session.scalars(query)).first()
    if row is None:
        row = Recording(
            id=meta.recording_id,
            call_id=meta.call_id,
            state=RecordingState.CAPTURING,
            node_id=meta.node_id,
            wrapped_key=meta.wrapped_key,
            started_at=datetime.fromtimestamp(meta.started_ns / 1e9, UTC),
        )
        work.session.add(row)
    elif row.id != meta.recording_id or row.state not in _RUNNING:
        raise ConflictError(
            "this call already has a recording that is closed", code="recording.exists", state=row.state
        )
    return row


def _failed(work: UnitOfWork, recording_id: str, call_id: str, reason: str, alarm: str) -> None:
    work.emit(
        RecordingFailed(at=work.clock.now(), call_id=call_id, recording_id=recording_id, stage="capture", reason=reason)
    )
    raise_alarm(work, alarm, f"Recording: {reason}", call_id, recording_id=recording_id)
