"""Marks a running call whose recording has failed."""

from core.bus import LIVE, Bus
from core.db import Database
from core.errors import NotFoundError
from core.events import RecordingFailed
from core.security.actor import system_actor
from server.calls import rows
from server.calls.states import RUNNING


class RecordingFlag:
    """Handles RecordingFailed twice over: at once from the bus, and at least once as a job. Idempotent."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def recording_failed(self, event: RecordingFailed) -> None:
        """Both pages see it within a second; finalizing an ended call's recording is not the call's matter."""
        async with self._database.unit_of_work(system_actor("calls")) as work:
            try:
                call = await rows.lock_call(work.session, event.call_id)
            except NotFoundError:
                return
            if call.state not in RUNNING or not call.recording_ok:
                return
            call.recording_ok = False
            call.version += 1
            work.audit("call.recording_failed", "call", call.id, recording=event.recording_id, reason=event.reason)
        await self._bus.publish(LIVE, {"kind": "call", "call_id": event.call_id})
