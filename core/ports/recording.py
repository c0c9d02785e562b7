"""What other rooms may ask of the recording room."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class RecordingReader(Protocol):
    """Read access to finalized recordings for the house's own jobs (people go through audited playback)."""

    def plain_file(self, file_id: str) -> AbstractAsyncContextManager[Path]:
        """A decrypted copy of one playable file, in a private temporary folder that is removed at the end.

        Raises:
            NotFoundError: ``recording.file_not_found``. UnavailableError: the store does not answer.
        """
        ...
