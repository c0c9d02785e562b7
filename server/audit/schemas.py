"""Answers of the audit log (they become the pages' TypeScript types)."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

AuditWords = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True, pattern=r"^[^\x00]*$")]
AuditDay = Annotated[date | None, Field()]
BeforeSeq = Annotated[int, Field(ge=0, le=2**53)]


class AuditRow(BaseModel):
    """One entry.

    Attributes:
        who: The name behind `actor` where there is one. name_zh / name_en: What the action is called.
        detail: Often holds `before` and `after`.
    """

    seq: int
    at: datetime
    actor: str
    who: str
    action: str
    name_zh: str
    name_en: str
    object_type: str
    object_id: str
    detail: dict[str, object]
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first. `next` asks for older ones; 0 at the end."""

    items: list[AuditRow]
    next: int
