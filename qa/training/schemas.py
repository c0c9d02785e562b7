"""Bodies and answers of practice (they become the pages' TypeScript types)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.ports.compliance import Severity

PracticeParty = Literal["teller", "customer"]
PracticeText = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$", strip_whitespace=True)
]


class PracticeLine(BaseModel):
    """One sentence of a practised call."""

    model_config = ConfigDict(extra="forbid")

    party: PracticeParty
    text: PracticeText


class PracticeRequest(BaseModel):
    """A practised call so far."""

    model_config = ConfigDict(extra="forbid")

    business_code: Annotated[str, StringConstraints(max_length=40, pattern=r"^\w+$")]
    lines: Annotated[list[PracticeLine], Field(max_length=80)]


class PracticeNode(BaseModel):
    """A node of the script. `line`: the sentence in which it was heard, None as long as it is missing.

    Without `required` it is wanted only after a danger word.
    """

    id: str
    label_zh: str
    label_en: str
    required: bool
    line: int | None


class PracticeWarning(BaseModel):
    """A forbidden phrase, a danger word or a complaint."""

    kind: Literal["forbidden", "danger", "complaint"]
    label_zh: str
    label_en: str
    severity: Severity
    phrase: str
    line: int


class PracticeResult(BaseModel):
    """What the script checker says of the call so far."""

    nodes: list[PracticeNode]
    warnings: list[PracticeWarning]
    rules: str


class PracticeSample(BaseModel):
    """A call to replay."""

    id: str
    title_zh: str
    title_en: str
    business_code: str
    lines: list[PracticeLine]
