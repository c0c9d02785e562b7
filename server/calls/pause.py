"""Secure pauses of the recording, asked for by the call's teller."""

from collections.abc import Collection
from datetime import datetime

from core.db import Database
from core.errors import ConflictError, NotFoundError, UnavailableError
from core.ports.recording import PauseRequest, RecordingPauses
from core.ports.speech import Party
from core.security.actor import Actor
from server.calls import rows
from server.calls.states import RUNNING


class PauseDesk:
    """Implements `core.ports.recording.TellerPauses`."""

    def __init__(self, database: Database, pauses: RecordingPauses | None) -> None:
        self._database = database
        self._pauses = pauses

    async def pause_recording(
        self, actor: Actor, call_id: str, on: bool, parties: Collection[Party]
    ) -> datetime | None:
        """Begin or end a pause of the teller's own running call; audited. Returns when it ends by itself."""
        if self._pauses is None:
            raise UnavailableError("nothing records here", code="media.unavailable")
        teller_id = rows.teller_of(actor)
        request = PauseRequest(on=on, parties=tuple(sorted(parties)), by=actor.name)
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.teller_id != teller_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if call.state not in RUNNING:
                raise ConflictError("this call is over", code="call.not_running")
            # Written before it is done: a pause that nobody could account for must not be possible.
            work.audit("recording.pause", "call", call_id, on=on, parties=[str(party) for party in request.parties])
            await work.session.flush()
            return await self._pauses.set_pause(call_id, request)
