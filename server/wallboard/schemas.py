"""Bodies and answers of the wallboard room (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.\-]+$")]


class FailedJob(BaseModel):
    """Names a delivery that gave up; sent back to retry it."""

    model_config = ConfigDict(extra="forbid")

    event_id: Name
    handler: Name


class AlarmView(BaseModel):
    """Something failed that a person has to see.

    Attributes:
        job: For ``job.failed``. lasts: It goes by itself when what raised it is over, and only then.
    """

    id: str
    kind: str
    call_id: str | None
    message: str
    raised_at: datetime
    cleared_at: datetime | None
    job: FailedJob | None = None
    lasts: bool = False


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Maybe = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


class HelpAskRequest(BaseModel):
    """A teller asks for a supervisor."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id | None = None
    message: Maybe = ""


class HelpView(BaseModel):
    """A request for help."""

    id: str
    kind: str
    teller_id: str
    call_id: str | None
    message: str
    at: datetime
    answered_by: str | None
    answered_at: datetime | None


class TellTellersRequest(BaseModel):
    """What a supervisor says to all tellers."""

    model_config = ConfigDict(extra="forbid")

    text: Text


class ForceStateRequest(BaseModel):
    """Move a teller to a state."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["ready", "break", "offline"]


class ReassignRequest(BaseModel):
    """Ring this teller for the call."""

    model_config = ConfigDict(extra="forbid")

    teller_id: Id


class EmergencyRequest(BaseModel):
    """Throw the emergency switch. A drill is logged and touches no customer."""

    model_config = ConfigDict(extra="forbid")

    event_class: Literal["system", "network", "power", "security", "staff"]
    drill: bool
    notice_zh: Text
    notice_en: Maybe = ""
    stop_entry: bool
    reschedule: bool


class EmergencyEndRequest(BaseModel):
    """The emergency is over."""

    model_config = ConfigDict(extra="forbid")

    review: Maybe


class EmergencyView(BaseModel):
    """An emergency or a drill in the log."""

    id: str
    event_class: str
    drill: bool
    notice_zh: str
    notice_en: str
    stop_entry: bool
    moved_calls: int
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    review: str


class ServiceNotice(BaseModel):
    """What customers are told before they choose; empty when there is nothing to tell."""

    notice_zh: str
    notice_en: str
    entry_stopped: bool
