"""Secure pause of the recording."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.ports.speech import Party
from core.security.permissions import Permission
from signaling.messages.base import Message, Payload, Request
from signaling.messages.media import Id

Parties = Annotated[list[Annotated[Party, Field(strict=False)]], Field(min_length=1, max_length=2)]


class RecordingPause(Request):
    """Begin or end it. What the parties named say and show meanwhile is neither recorded nor transcribed."""

    call_id: Id
    on: bool
    parties: Parties = Field(default_factory=lambda: [Party.CUSTOMER, Party.TELLER])


class RecordingPauseSet(Payload):
    """When the pause ends by itself; null when it is over."""

    until: datetime | None


PAUSE = Message("recording.pause", Permission.CALL_TAKE, RecordingPause, RecordingPauseSet)
