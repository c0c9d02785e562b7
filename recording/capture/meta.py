"""The sidecar of a call's journals: what the database row would say if the process dies before it is committed."""

import base64
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import CounterError
from core.security.keys import MasterKey, unwrap_key

META_NAME = "meta.json"


class MetaError(CounterError):
    """The sidecar is not readable."""

    code = "recording.bad_meta"


@dataclass(frozen=True, slots=True)
class Meta:
    """Identity of a recording, kept beside its journals.

    Attributes:
        wrapped_key: The data key, wrapped by the master key and bound to the recording's id.
        started_ns: Time zero of the call's time line, ns since the epoch.
    """

    recording_id: str
    call_id: str
    node_id: str
    wrapped_key: bytes
    started_ns: int

    def data_key(self, master_key: MasterKey) -> bytes:
        """The recording's data key. SecretsError when the master key is another."""
        return unwrap_key(master_key, self.wrapped_key, self.recording_id)


def read_meta(folder: Path) -> Meta:
    """Read the sidecar of a call's folder.

    Raises:
        MetaError: missing or damaged.
    """
    try:
        stored = json.loads((folder / META_NAME).read_text())
        return Meta(
            stored["recording_id"],
            stored["call_id"],
            stored["node_id"],
            base64.b64decode(stored["wrapped_key"], validate=True),
            stored["started_ns"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MetaError(f"the sidecar in {folder.name} cannot be read: {error}") from error


def open_folder(folder: Path, meta: Meta) -> Meta:
    """Make a call's folder with its sidecar, or take up the one an earlier process left. Blocks on the disk.

    Returns:
        The sidecar that counts: `meta`, or the one found.

    Raises:
        OSError: The disk refuses. MetaError: there is a sidecar, but a damaged one.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / META_NAME).exists():
        found = read_meta(folder)
        if found.node_id == meta.node_id:
            return found
        # Another node's process died and the call goes on here: when that one is back, it must not end the recording.
        meta = replace(found, node_id=meta.node_id)
    text = {
        "recording_id": meta.recording_id,
        "call_id": meta.call_id,
        "node_id": meta.node_id,
        "wrapped_key": base64.b64encode(meta.wrapped_key).decode(),
        "started_ns": meta.started_ns,
    }
    temporary = folder / f"{META_NAME}.tmp"
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(text, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / META_NAME)
    for directory in (folder, folder.parent):
        _sync_directory(directory)
    return meta


def _sync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
