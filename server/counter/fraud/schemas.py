"""Bodies and answers of fraud alerts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Words = Annotated[str, StringConstraints(min_length=2, max_length=500, pattern=r"^[^\x00]*$", strip_whitespace=True)]


class FraudView(BaseModel):
    """An alert. `may`: what this person may do now. `signs`: see `core.models.fraud.FraudAlert`."""

    id: str
    version: int
    call_id: str
    call_number: int
    teller_name: str
    state: str
    signs: list[dict[str, Any]]
    proposal: str
    raised_at: datetime
    assess_by: datetime
    late: bool
    assessment: str | None
    outcome: str | None
    told: str | None
    delay_h: int | None
    decided_at: datetime | None
    decision_reason: str | None
    may: list[Literal["assess", "continue", "delay", "stop", "report"]]


class FraudRaiseRequest(BaseModel):
    """Somebody in the call has a feeling that words cannot catch."""

    model_config = ConfigDict(extra="forbid", strict=True)

    words: Words


class FraudAssessRequest(BaseModel):
    """The first assessment, in the teller's words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int
    assessment: Words


class FraudDecisionRequest(BaseModel):
    """What is done. `told`: the reason as the customer hears it; compulsory unless it goes on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int
    outcome: Literal["continue", "delay", "stop", "report"]
    reason: Words
    told: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$", strip_whitespace=True)] = ""
    delay_h: Annotated[int, Field(ge=1, le=168)] | None = None
