"""Handler: secure pause of the recording."""

from core.errors import UnavailableError
from core.ports.recording import TellerPauses
from signaling.messages import recording as messages
from signaling.table import MessageTable, Socket


def handle_recording(staff: MessageTable, pauses: TellerPauses | None) -> None:
    """Declare the family's handler. Without `pauses` nothing records here and the request is refused."""

    @staff.on(messages.PAUSE)
    async def pause(socket: Socket, body: messages.RecordingPause) -> messages.RecordingPauseSet:
        if pauses is None:
            raise UnavailableError("nothing records here", code="media.unavailable")
        until = await pauses.pause_recording(socket.actor, body.call_id, body.on, body.parties)
        return messages.RecordingPauseSet(until=until)
