"""Links with which another system of the bank sends a customer it knows: a VIP waits as a VIP."""

from datetime import timedelta

from sqlmodel import col, delete, select

from core.db import Database
from core.errors import NotFoundError
from core.ids import new_id
from core.models.business import Business
from core.models.open import EntryPass
from core.models.visit import Visit
from core.rate_limit import RateLimiter
from core.security.actor import Actor
from core.security.tokens import new_secret, sha256_hex
from server.open.calls import key_of
from server.open.schemas import OpenEntry, OpenEntryRequest

GOOD_FOR = timedelta(minutes=15)
TRIES_PER_MINUTE = 10


class PassBook:
    """The only writer of `EntryPass`."""

    def __init__(self, database: Database, limiter: RateLimiter, site_url: str) -> None:
        """`site_url`: where customers find the pages."""
        self._database = database
        self._limiter = limiter
        self._site_url = site_url

    async def issue(self, actor: Actor, request: OpenEntryRequest) -> OpenEntry:
        """A link for one visit. NotFoundError ``business.not_found``."""
        key_id, token = key_of(actor), new_secret()
        async with self._database.unit_of_work(actor) as work:
            business = await work.session.get(Business, request.business_code)
            if business is None or not business.enabled:
                raise NotFoundError("this business is not offered", code="business.not_found")
            now = work.clock.now()
            unused = col(EntryPass.visit_id).is_(None) & (col(EntryPass.expires_at) < now)
            await work.session.execute(delete(EntryPass).where(unused))
            row = EntryPass(
                id=new_id("pass"),
                token_sha256=sha256_hex(token),
                key_id=key_id,
                business_code=business.code,
                customer_class=request.customer_class,
                created_at=now,
                expires_at=now + GOOD_FOR,
            )
            work.session.add(row)
            work.audit("entry.issue", "entry_pass", row.id, customer_class=row.customer_class)
        link = f"{self._site_url}/?business={row.business_code}&entry={token}"
        return OpenEntry(link=link, expires_at=row.expires_at)

    async def claim(self, actor: Actor, token: str) -> None:
        """Use a link for the own visit; once, and before joining the queue.

        Raises:
            NotFoundError: ``entry.not_found`` for unknown, used and expired links, and for those of another business.
            RateLimitedError: too many tries.
        """
        await self._limiter.hit(f"entry:{actor.visit_id}", TRIES_PER_MINUTE, 60)
        async with self._database.unit_of_work(actor) as work:
            visit = await work.session.get(Visit, actor.visit_id or "", with_for_update=True)
            query = select(EntryPass).where(col(EntryPass.token_sha256) == sha256_hex(token)).with_for_update()
            row = (await work.session.scalars(query)).first()
            has_one = select(EntryPass.id).where(col(EntryPass.visit_id) == actor.visit_id)
            if (
                row is None
                or visit is None
                or row.visit_id is not None
                or row.expires_at <= work.clock.now()
                or row.business_code != visit.business_code
                or (await work.session.scalars(has_one)).first() is not None
            ):
                raise NotFoundError("this link is not valid any more", code="entry.not_found")
            row.visit_id = visit.id
            work.audit("entry.claim", "entry_pass", row.id, visit=visit.id, customer_class=row.customer_class)
