"""Facts of recordings: kept, packed and deleted."""

from datetime import datetime
from typing import Literal

from core.events.base import CallEvent, Event
from core.ports.speech import Party


class RecordingStarted(CallEvent):
    """The first packet of a call is in the journal."""

    recording_id: str


class RecordingStopped(CallEvent):
    """Capture is over (or was cut off: `interrupted`); the journals wait to be finalized."""

    recording_id: str
    interrupted: bool


class RecordingFailed(CallEvent):
    """A running recording or its finalization failed; a person must see this."""

    recording_id: str
    stage: Literal["capture", "finalize"]
    reason: str


class RecordingResumed(CallEvent):
    """A running recording that had stalled or could not write is whole again; the gap stays marked."""

    recording_id: str
    reason: str


class RecordingPaused(CallEvent):
    """A secure pause (PIN entry): nothing of these parties is recorded or transcribed until it ends."""

    recording_id: str
    parties: list[Party]
    reason: str
    by: str
    until: datetime


class RecordingPauseEnded(CallEvent):
    """Everything is recorded again. `expired`: nobody ended the pause, its time was over."""

    recording_id: str
    by: str
    expired: bool


class RecordingExportRequested(CallEvent):
    """Somebody with permission wants a side-by-side copy."""

    export_id: str


class EvidenceRequested(CallEvent):
    """Somebody with permission wants everything known of the call in one package."""

    export_id: str


class PurgeApproved(Event):
    """A second person has seen a list of what may be deleted and agrees: it is to be deleted now."""

    run_id: str


class SubjectExportAsked(Event):
    """A customer is to be given what is kept about them."""

    request_id: str


class RecordingFinalized(CallEvent):
    """Playable files are stored and verified."""

    recording_id: str
