"""The knowledge base: articles and their versions. Writer: server.knowledge."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class VersionState(StrEnum):
    """Life of a version of an article."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    REPLACED = "replaced"
    REFUSED = "refused"


class Article(SQLModel, table=True):
    """What is published now, in the form it is searched in; its wording over time is in `ArticleVersion`.

    Attributes:
        slug: Stable name of an article shipped with the product; None for the bank's own.
        kind: ``product``, ``procedure`` or ``faq``.
        search: Title, tags and body in lower case, indexed by trigrams.
        version: Number of the published version; 0 while the first one is only proposed.
    """

    id: str = Field(primary_key=True)
    slug: str | None = Field(default=None, unique=True)
    kind: str
    business_code: str | None = Field(default=None, foreign_key="business.code", index=True)
    title: str = ""
    tags: list[str] = json_field(list)
    body: str = ""
    search: str = ""
    version: int = 0
    updated_at: datetime = utc_field()
    retired_at: datetime | None = utc_field(nullable=True)


class ArticleVersion(SQLModel, table=True):
    """A wording: proposed by somebody, published or refused by an editor who did not write it."""

    __tablename__ = "article_version"
    __table_args__ = (UniqueConstraint("article_id", "version"),)

    id: str = Field(primary_key=True)
    article_id: str = Field(foreign_key="article.id", index=True)
    version: int
    state: str = Field(index=True)
    title: str
    tags: list[str] = json_field(list)
    body: str
    reason: str = ""
    proposed_by: str
    proposed_at: datetime = utc_field()
    decided_by: str | None = None
    decided_at: datetime | None = utc_field(nullable=True)
    verdict: str = ""
