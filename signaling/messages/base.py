"""What a declared message is."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.security.permissions import Permission


class Payload(BaseModel):
    """Base of all payloads: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Request(Payload):
    """Base of what clients send: nothing is converted, ``"1"`` is no number and bytes are no text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Empty(Request):
    """Nothing to say."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message a client may send.

    Attributes:
        permission: Who may. A message without one does not start.
        request / answer: Payload and what the acknowledgement carries beside ``ok``.
    """

    name: str
    permission: Permission | None
    request: type[BaseModel]
    answer: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Push:
    """A message the server sends by itself."""

    name: str
    payload: type[BaseModel]

    def dump(self, payload: BaseModel | dict[str, Any]) -> dict[str, Any]:
        """The payload as it travels. ValidationError when it is not of the declared shape."""
        if not isinstance(payload, self.payload):
            payload = self.payload.model_validate(payload)
        return payload.model_dump(mode="json")
