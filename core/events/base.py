"""What every fact is."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from core.ids import new_id


class Event(BaseModel):
    """Base of all facts. `type` is the class name and part of the stored format.

    Fields that are not known here are left out: during a rolling upgrade a newer release may have written the fact.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    registry: ClassVar[dict[str, type["Event"]]] = {}

    event_id: str = Field(default_factory=lambda: new_id("evt"))
    at: datetime

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Event.registry[cls.__name__] = cls

    @property
    def type(self) -> str:
        """Name of the fact."""
        return type(self).__name__


def event_from_json(type_name: str, payload: str | bytes) -> Event:
    """Rebuild a stored fact. KeyError when the type is unknown."""
    return Event.registry[type_name].model_validate_json(payload)


class CallEvent(Event):
    """A fact about one call."""

    call_id: str
