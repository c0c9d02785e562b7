"""The articles shipped with the product. What a bank has edited since is left as it is."""

from functools import lru_cache
from importlib import resources

import yaml
from pydantic import TypeAdapter
from sqlmodel import col, select

from core.db import UnitOfWork
from core.ids import new_id
from core.models.business import Business
from core.models.knowledge import Article, ArticleVersion, VersionState
from server.knowledge.schemas import ArticleProposalRequest
from server.knowledge.service import publish


class PackagedArticle(ArticleProposalRequest):
    """One entry of ``data/articles.yaml``."""

    slug: str
    reason: str = "随产品提供"


@lru_cache(maxsize=1)
def packaged_articles() -> tuple[PackagedArticle, ...]:
    """As shipped."""
    text = (resources.files("server.knowledge") / "data" / "articles.yaml").read_text(encoding="utf-8")
    entries = TypeAdapter(tuple[PackagedArticle, ...]).validate_python(yaml.safe_load(text)["articles"])
    if len({entry.slug for entry in entries}) != len(entries):
        raise ValueError("slugs of articles must be unique")
    return entries


async def seed_articles(work: UnitOfWork) -> int:
    """Add the shipped articles that are not there yet. Returns how many."""
    there = set((await work.session.scalars(select(col(Article.slug)))).all())
    codes = set((await work.session.scalars(select(col(Business.code)))).all())
    known = codes | {None}  # an article waits for its business
    new = [entry for entry in packaged_articles() if entry.slug not in there and entry.business_code in known]
    for entry in new:
        now = work.clock.now()
        article = Article(
            id=new_id("article"),
            slug=entry.slug,
            kind=entry.kind,
            business_code=entry.business_code,
            updated_at=now,
        )
        work.session.add(article)
        await work.session.flush()
        wording = ArticleVersion(
            id=new_id("wording"),
            article_id=article.id,
            version=1,
            state=VersionState.PROPOSED,
            title=entry.title,
            tags=entry.tags,
            body=entry.body,
            reason=entry.reason,
            proposed_by=work.actor.name,
            proposed_at=now,
            decided_by=work.actor.name,
            decided_at=now,
        )
        work.session.add(wording)
        await work.session.flush()
        await publish(work, wording)
        work.audit("article.seed", "article", article.id, slug=entry.slug)
    return len(new)
