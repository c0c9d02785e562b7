"""When no step may be done: pure rules over what is known of the call."""

from dataclasses import dataclass
from datetime import datetime

RUNNING = ("accepted", "connected")

CALL_NOT_RUNNING = "step.call_not_running"
CONSENT_MISSING = "step.consent_missing"
RECORDING_NOT_RUNNING = "step.recording_not_running"
RECORDING_PAUSED = "step.recording_paused"
IDENTITY_TOO_LOW = "step.identity_too_low"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a step depends on.

    Attributes:
        recording_state: Of the recording's row; None when there is none yet. recording_ok: It has not failed.
        paused_until: A secure pause runs until then.
    """

    call_state: str
    consent: bool
    recording_state: str | None
    recording_ok: bool
    paused_until: datetime | None
    now: datetime


def blocked_by(it: Circumstances) -> str | None:
    """Why nothing can be done now, as a stable code; None when steps may go on."""
    if it.call_state not in RUNNING:
        return CALL_NOT_RUNNING
    if not it.consent:
        return CONSENT_MISSING
    if it.recording_state != "capturing" or not it.recording_ok:
        return RECORDING_NOT_RUNNING
    if it.paused_until is not None and it.paused_until > it.now:
        return RECORDING_PAUSED
    return None
