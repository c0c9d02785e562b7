"""Marks a running call whose recording has failed or is paused, until it goes on."""

from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database, UnitOfWork
from core.errors import NotFoundError
from core.events import Event, RecordingFailed, RecordingPaused, RecordingPauseEnded, RecordingResumed, event_from_json
from core.models.call import Call
from core.models.system import OutboxEvent
from core.security.actor import system_actor
from server.calls import rows
from server.calls.states import RUNNING

FACTS = (RecordingFailed, RecordingResumed, RecordingPaused, RecordingPauseEnded)
Fact = RecordingFailed | RecordingResumed | RecordingPaused | RecordingPauseEnded


class RecordingFlag:
    """Handles facts of the recorder twice over: at once from the bus, and at least once as a job.

    So they may come late, twice and in the wrong order: what counts is always the newest fact stored for the call.
    """

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def recording_changed(self, event: Fact) -> None:
        """Both pages see it within a second; finalizing an ended call's recording is not the call's matter."""
        async with self._database.unit_of_work(system_actor("calls")) as work:
            try:
                call = await rows.lock_call(work.session, event.call_id)
            except NotFoundError:
                return
            if call.state not in RUNNING:
                return
            if isinstance(event, RecordingFailed | RecordingResumed):
                changed = await self._judge_failure(work, call, event)
            else:
                changed = await self._judge_pause(work, call, event)
            if not changed:
                return
            call.version += 1
        await self._bus.publish(LIVE, {"kind": "call", "call_id": event.call_id})

    async def _judge_failure(self, work: UnitOfWork, call: Call, event: RecordingFailed | RecordingResumed) -> bool:
        newest = await _newest(work, call.id, RecordingFailed, RecordingResumed) or event
        is_ok = isinstance(newest, RecordingResumed)
        if call.recording_ok == is_ok:
            return False
        call.recording_ok = is_ok
        what = "call.recording_resumed" if is_ok else "call.recording_failed"
        work.audit(what, "call", call.id, recording=event.recording_id, reason=event.reason)
        return True

    async def _judge_pause(self, work: UnitOfWork, call: Call, event: RecordingPaused | RecordingPauseEnded) -> bool:
        newest = await _newest(work, call.id, RecordingPaused, RecordingPauseEnded) or event
        until = newest.until if isinstance(newest, RecordingPaused) else None
        if call.recording_paused_until == until:
            return False
        call.recording_paused_until = until
        return True


async def _newest(work: UnitOfWork, call_id: str, *types: type[Event]) -> Event | None:
    query = select(OutboxEvent).where(
        col(OutboxEvent.call_id) == call_id, col(OutboxEvent.type).in_([kind.__name__ for kind in types])
    )
    row = (await work.session.scalars(query.order_by(col(OutboxEvent.seq).desc()).limit(1))).first()
    return event_from_json(row.type, row.payload) if row else None
