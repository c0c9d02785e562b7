"""Bodies and answers of the ticket endpoints (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Department = Literal["operations", "quality", "product", "technology"]
Subject = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
Story = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ComplaintRequest(_Body):
    """A customer complains about the visit."""

    story: Story


class TicketOpenRequest(_Body):
    """Staff opens a ticket for a customer."""

    call_id: Id | None = None
    department: Department
    subject: Subject
    story: Story


class TicketNoteRequest(_Body):
    """A word to colleagues, not to the customer."""

    text: Story


class TicketMoveRequest(_Body):
    """Another department has to answer it."""

    version: int
    department: Department
    reason: Subject


class TicketAnswerRequest(_Body):
    """What the customer reads."""

    version: int
    answer: Story


class TicketCloseRequest(_Body):
    """Nothing is left to do."""

    version: int


class TicketRow(BaseModel):
    """A ticket in a list. `overdue`: a time has passed."""

    id: str
    number: int
    kind: Literal["low_rating", "complaint"]
    state: Literal["open", "answered", "closed"]
    department: Department
    subject: str
    opened_at: datetime
    see_by: datetime
    seen_at: datetime | None
    answer_by: datetime
    answered_at: datetime | None
    escalated_at: datetime | None
    overdue: bool


class TicketStepView(BaseModel):
    """What happened."""

    at: datetime
    by: str
    what: str
    text: str


class TicketDetail(TicketRow):
    """The whole story. `mine`: the reader opened it and does not answer it."""

    story: str
    answer: str
    call_id: str | None
    call_number: int | None
    business_code: str | None
    teller_name: str | None
    stars: int | None
    opened_by: str
    mine: bool
    version: int
    steps: list[TicketStepView]


class OwnTicket(BaseModel):
    """A ticket as its customer, or the member of staff who opened it, sees it."""

    number: int
    kind: str
    state: str
    subject: str
    opened_at: datetime
    answer_by: datetime
    answer: str
    answered_at: datetime | None
