"""What other rooms may ask of the recording room."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from core.ports.speech import Party
from core.security.actor import Actor


class RecordingReader(Protocol):
    """Read access to finalized recordings for the house's own jobs (people go through audited playback)."""

    def plain_file(self, file_id: str) -> AbstractAsyncContextManager[Path]:
        """A decrypted copy of one playable file, in a private temporary folder that is removed at the end.

        Raises:
            NotFoundError: ``recording.file_not_found``. UnavailableError: the store does not answer.
        """
        ...


class PauseRequest(BaseModel):
    """Begin or end a secure pause (PIN entry).

    Attributes:
        parties: Whose packets are not kept. by: Who asks, as in the audit log.
        longest_s: Then the pause ends by itself; at most 60 s.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    on: bool
    parties: tuple[Party, ...] = (Party.CUSTOMER, Party.TELLER)
    reason: Annotated[str, Field(max_length=200)] = "pin"
    by: Annotated[str, Field(max_length=100)]
    longest_s: Annotated[float, Field(ge=1, le=60)] = 60.0


class RecordingPauses(Protocol):
    """Secure pauses of running recordings."""

    async def set_pause(self, call_id: str, request: PauseRequest) -> datetime | None:
        """Begin or end a pause; neither is recorded nor transcribed what is sent meanwhile.

        Returns:
            When the pause ends by itself; None after its end. Once this returns, no packet is kept any more.

        Raises:
            ConflictError: ``recording.not_running``. UnavailableError: ``media.unavailable``.
        """
        ...


class TellerPauses(Protocol):
    """What signaling asks of server.calls."""

    async def pause_recording(
        self, actor: Actor, call_id: str, on: bool, parties: Collection[Party]
    ) -> datetime | None:
        """Begin or end a secure pause of the teller's own running call; audited.

        Returns:
            When it ends by itself; None after its end.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``, ``recording.not_running``.
            UnavailableError: ``media.unavailable``.
        """
        ...
