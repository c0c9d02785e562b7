"""Bodies and answers of search (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

SearchText = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]+$", strip_whitespace=True)
]
SearchParty = Literal["", "customer", "teller"]
SearchBy = Literal["text", "sound"]
SearchCursor = Annotated[str, StringConstraints(max_length=120, pattern=r"^[\w:.+\-]*$")]


class SearchHit(BaseModel):
    """One utterance. `snippet` begins at character `cut` of it; `marks` are [from, to) of the hit in the snippet."""

    call_id: str
    call_number: int
    business_code: str
    teller_name: str
    party: Literal["customer", "teller"]
    said_at: datetime
    start_s: float
    snippet: str
    marks: list[tuple[int, int]]


class SearchPage(BaseModel):
    """Hits, newest first. `next` asks for what is older; empty at the end."""

    items: list[SearchHit]
    next: str
