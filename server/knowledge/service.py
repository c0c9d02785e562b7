"""Articles: found, proposed, published."""

from sqlalchemy import func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.events import ArticlePublished
from core.ids import new_id
from core.models.business import Business
from core.models.knowledge import Article, ArticleVersion, VersionState
from core.models.staff import Staff
from core.security.actor import Actor
from server.knowledge.schemas import (
    ArticleDecisionRequest,
    ArticleHit,
    ArticleProposalRequest,
    ArticleVersionView,
    ArticleView,
)
from server.knowledge.search import Text, folded, score, snippet, terms_of

SHOWN = 20
CANDIDATES = 400
OWN_BUSINESS = 1.15  # an article of the business at hand is a little more likely to be the one


class KnowledgeService:
    """The only writer of `Article` and `ArticleVersion`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- reading ------------------------------------------------------------------------------------------------

    async def search(self, question: str, business_code: str | None) -> list[ArticleHit]:
        """The articles that fit best; with nothing asked, those of the business at hand, newest first."""
        terms = terms_of(question)
        published = select(Article).where(col(Article.version) > 0, col(Article.retired_at).is_(None))
        async with self._database.read() as session:
            if not terms:
                query = published.order_by(
                    col(Article.business_code).is_not_distinct_from(business_code).desc(),
                    col(Article.updated_at).desc(),
                    col(Article.title),
                )
                return [_hit(row, terms) for row in (await session.scalars(query.limit(SHOWN))).all()]
            any_term = or_(*(col(Article.search).contains(term, autoescape=True) for term in terms))
            rows = (await session.scalars(published.where(any_term).limit(CANDIDATES))).all()
        ranked = []
        for row in rows:
            points = score(question, terms, Text(row.title, tuple(row.tags), row.body))
            if business_code is not None and row.business_code == business_code:
                points *= OWN_BUSINESS
            ranked.append((-points, row.title, row))
        return [_hit(row, terms) for _, _, row in sorted(ranked, key=lambda each: each[:2])[:SHOWN]]

    async def article(self, article_id: str) -> ArticleView:
        """What is published. NotFoundError ``article.not_found``."""
        async with self._database.read() as session:
            row = await session.get(Article, article_id)
        if row is None or row.version == 0 or row.retired_at is not None:
            raise _missing()
        return ArticleView.model_validate(row, from_attributes=True)

    async def versions(self, actor: Actor, article_id: str) -> list[ArticleVersionView]:
        """Every wording, newest first. NotFoundError ``article.not_found``."""
        async with self._database.read() as session:
            query = select(ArticleVersion).where(col(ArticleVersion.article_id) == article_id)
            rows = (await session.scalars(query.order_by(col(ArticleVersion.version).desc()))).all()
            if not rows:
                raise _missing()
            return [await _version_view(session, actor, row) for row in rows]

    async def proposals(self, actor: Actor) -> list[ArticleVersionView]:
        """What waits for an editor, oldest first."""
        query = select(ArticleVersion).where(col(ArticleVersion.state) == VersionState.PROPOSED.value)
        async with self._database.read() as session:
            rows = (await session.scalars(query.order_by(col(ArticleVersion.proposed_at)).limit(100))).all()
            return [await _version_view(session, actor, row) for row in rows]

    # --- writing ------------------------------------------------------------------------------------------------

    async def propose(self, actor: Actor, request: ArticleProposalRequest) -> ArticleVersionView:
        """Propose an article or a wording; an editor decides.

        Raises:
            NotFoundError: ``article.not_found``, ``business.not_found``. ConflictError: ``article.proposal_open``.
        """
        async with self._database.unit_of_work(actor) as work:
            article = await self._article_for(work, request)
            waiting = select(ArticleVersion.id).where(
                col(ArticleVersion.article_id) == article.id,
                col(ArticleVersion.state) == VersionState.PROPOSED.value,
            )
            if (await work.session.scalars(waiting)).first() is not None:
                raise ConflictError("there is a proposal for this article already", code="article.proposal_open")
            newest = select(func.max(ArticleVersion.version)).where(col(ArticleVersion.article_id) == article.id)
            row = ArticleVersion(
                id=new_id("wording"),
                article_id=article.id,
                version=((await work.session.scalars(newest)).first() or 0) + 1,
                state=VersionState.PROPOSED,
                title=request.title,
                tags=request.tags,
                body=request.body,
                reason=request.reason,
                proposed_by=actor.name,
                proposed_at=work.clock.now(),
            )
            work.session.add(row)
            await work.session.flush()
            work.audit("article.propose", "article", article.id, version=row.version, reason=request.reason)
            return await _version_view(work.session, actor, row)

    async def _article_for(self, work: UnitOfWork, request: ArticleProposalRequest) -> Article:
        if request.article_id is not None:
            found = await work.session.get(Article, request.article_id, with_for_update=True)
            if found is None or found.retired_at is not None:
                raise _missing()
            return found
        code = request.business_code
        if code is not None and await work.session.get(Business, code) is None:
            raise NotFoundError("there is no such business", code="business.not_found")
        article = Article(id=new_id("article"), kind=request.kind, business_code=code, updated_at=work.clock.now())
        work.session.add(article)
        await work.session.flush()
        return article

    async def decide(self, actor: Actor, version_id: str, request: ArticleDecisionRequest) -> ArticleVersionView:
        """An editor publishes or refuses.

        Raises:
            NotFoundError: ``article.not_found``. ConflictError: ``article.decided``.
            DeniedError: ``article.own``: nobody publishes the own words. BadInputError: ``article.verdict_missing``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(ArticleVersion, version_id, with_for_update=True)
            if row is None:
                raise _missing()
            if row.state != VersionState.PROPOSED:
                raise ConflictError("this has been decided", code="article.decided")
            if row.proposed_by == actor.name:
                raise DeniedError("nobody publishes the own words", code="article.own")
            if not request.publish and not request.verdict:
                raise BadInputError("say why", code="article.verdict_missing")
            row.decided_by, row.decided_at, row.verdict = actor.name, work.clock.now(), request.verdict
            if request.publish:
                await publish(work, row)
            else:
                row.state = VersionState.REFUSED
            after = {"version": row.version, "state": row.state, "verdict": request.verdict}
            work.audit("article.decide", "article", row.article_id, **after)
            await work.session.flush()
            return await _version_view(work.session, actor, row)


async def publish(work: UnitOfWork, row: ArticleVersion) -> None:
    """Make a wording the one that is shown and searched."""
    article = await work.session.get_one(Article, row.article_id, with_for_update=True)
    before = select(ArticleVersion).where(
        col(ArticleVersion.article_id) == article.id, col(ArticleVersion.state) == VersionState.PUBLISHED.value
    )
    for old in (await work.session.scalars(before)).all():
        old.state = VersionState.REPLACED
    row.state = VersionState.PUBLISHED
    article.title, article.tags, article.body, article.version = row.title, row.tags, row.body, row.version
    article.search = folded(f"{row.title}\n{' '.join(row.tags)}\n{row.body}")
    article.updated_at = work.clock.now()
    work.emit(ArticlePublished(at=article.updated_at, article_id=article.id, version=row.version))


def _hit(row: Article, terms: tuple[str, ...]) -> ArticleHit:
    values = {name: getattr(row, name) for name in ArticleHit.model_fields if name != "snippet"}
    return ArticleHit.model_validate(values | {"snippet": snippet(terms, row.body)})


async def _version_view(session: AsyncSession, actor: Actor, row: ArticleVersion) -> ArticleVersionView:
    article = await session.get_one(Article, row.article_id)
    ids = [name.removeprefix("staff:") for name in (row.proposed_by, row.decided_by) if name]
    named = select(Staff.id, Staff.display_name).where(col(Staff.id).in_(ids))
    names = {f"staff:{staff_id}": name for staff_id, name in (await session.execute(named)).all()}
    shown = article.version > 0 and article.version != row.version
    values = {name: getattr(row, name) for name in ArticleVersionView.model_fields if hasattr(row, name)}
    return ArticleVersionView.model_validate(
        values
        | {
            "proposed_by": names.get(row.proposed_by, row.proposed_by),
            "decided_by": names.get(row.decided_by, row.decided_by) if row.decided_by else None,
            "mine": row.proposed_by == actor.name,
            "before": ArticleView.model_validate(article, from_attributes=True) if shown else None,
        }
    )


def _missing() -> NotFoundError:
    return NotFoundError("there is no such article", code="article.not_found")
