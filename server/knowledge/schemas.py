"""Bodies and answers of the knowledge endpoints (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ArticleKind = Literal["product", "procedure", "faq"]
Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000, pattern=r"^[^\x00]*$")]


class ArticleProposalRequest(BaseModel):
    """A new article, or a new wording of one."""

    model_config = ConfigDict(extra="forbid")

    article_id: Id | None = None
    kind: ArticleKind = "faq"
    business_code: Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")] | None = None
    title: Line
    tags: Annotated[list[Line], Field(max_length=12)] = []
    body: Body
    reason: Line


class ArticleDecisionRequest(BaseModel):
    """What an editor says to a proposal. A refusal says why."""

    model_config = ConfigDict(extra="forbid")

    publish: bool
    verdict: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")] = ""


class ArticleHit(BaseModel):
    """An article that was found."""

    id: str
    kind: ArticleKind
    business_code: str | None
    title: str
    tags: list[str]
    snippet: str
    version: int
    updated_at: datetime


class ArticleView(BaseModel):
    """A published article."""

    id: str
    kind: ArticleKind
    business_code: str | None
    title: str
    tags: list[str]
    body: str
    version: int
    updated_at: datetime


class ArticleVersionView(BaseModel):
    """A wording with its history. `mine`: the reader proposed it and does not decide on it."""

    id: str
    article_id: str
    version: int
    state: Literal["proposed", "published", "replaced", "refused"]
    title: str
    tags: list[str]
    body: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    verdict: str
    mine: bool
    before: ArticleView | None
