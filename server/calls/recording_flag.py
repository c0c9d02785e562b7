"""Marks a running call whose recording has failed, until it is whole again."""

from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database
from core.errors import NotFoundError
from core.events import Event, RecordingFailed, RecordingResumed, event_from_json
from core.models.system import OutboxEvent
from core.security.actor import system_actor
from server.calls import rows
from server.calls.states import RUNNING

Fact = RecordingFailed | RecordingResumed


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
            query = select(OutboxEvent).where(
                col(OutboxEvent.call_id) == event.call_id,
                col(OutboxEvent.type).in_([RecordingFailed.__name__, RecordingResumed.__name__]),
            )
            row = (await work.session.scalars(query.order_by(col(OutboxEvent.seq).desc()).limit(1))).first()
            newest: Event = event_from_json(row.type, row.payload) if row else event
            is_ok = isinstance(newest, RecordingResumed)
            if call.state not in RUNNING or call.recording_ok == is_ok:
                return
            call.recording_ok = is_ok
            call.version += 1
            what = "call.recording_resumed" if is_ok else "call.recording_failed"
            reason = newest.reason if isinstance(newest, Fact) else ""
            work.audit(what, "call", call.id, recording=event.recording_id, reason=reason)
        await self._bus.publish(LIVE, {"kind": "call", "call_id": event.call_id})
