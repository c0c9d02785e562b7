"""API keys: made, shown once, used, expired, revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select, update

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.ids import new_id
from core.models.open import ApiKey
from core.rate_limit import RateLimiter
from core.security.actor import Actor, key_actor
from core.security.tokens import new_secret, sha256_hex
from server.open.schemas import KeyRequest, KeyView, NewKey

PREFIX = "ack_"  # tells people and secret scanners what it is
PER_MINUTE = 600
_NOTED_EVERY = timedelta(minutes=1)


class KeyBook:
    """The only writer of `ApiKey`."""

    def __init__(self, database: Database, limiter: RateLimiter) -> None:
        self._database = database
        self._limiter = limiter

    async def authenticate(self, token: str) -> Actor | None:
        """The actor behind a key; None for one that is unknown, expired or revoked.

        Raises:
            RateLimitedError: the key is used too often.
        """
        if not token.startswith(PREFIX):
            return None
        now = self._database.clock.now()
        async with self._database.transaction() as session:
            query = select(ApiKey).where(col(ApiKey.sha256) == sha256_hex(token))
            row = (await session.scalars(query)).first()
            if row is None or state_of(row, now) != "active":
                return None
            if row.last_used_at is None or row.last_used_at + _NOTED_EVERY <= now:
                await session.execute(update(ApiKey).where(col(ApiKey.id) == row.id).values(last_used_at=now))
        await self._limiter.hit(f"key:{row.id}", PER_MINUTE, 60)
        return key_actor(row.id, row.scopes)

    async def all(self) -> Sequence[KeyView]:
        """All keys, newest first."""
        async with self._database.read() as session:
            rows = (await session.scalars(select(ApiKey).order_by(col(ApiKey.created_at).desc()))).all()
        now = self._database.clock.now()
        return [_view(row, now) for row in rows]

    async def make(self, actor: Actor, request: KeyRequest) -> NewKey:
        """A new key; the answer is the only place where it stands whole."""
        token = PREFIX + new_secret()
        async with self._database.unit_of_work(actor) as work:
            now = work.clock.now()
            row = ApiKey(
                id=new_id("key"),
                name=request.name,
                sha256=sha256_hex(token),
                scopes=sorted(set(request.scopes)),
                created_by=actor.name,
                created_at=now,
                expires_at=now + timedelta(days=request.days),
            )
            work.session.add(row)
            work.audit(
                "key.make", "api_key", row.id, name=row.name, scopes=row.scopes, until=row.expires_at.isoformat()
            )
        return NewKey(key=_view(row, now), token=token)

    async def revoke(self, actor: Actor, key_id: str) -> None:
        """It lets nobody in from now on, and its webhooks are told nothing more.

        Raises:
            NotFoundError: ``key.not_found``. ConflictError: ``key.revoked``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(ApiKey, key_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such key", code="key.not_found")
            if row.revoked_at is not None:
                raise ConflictError("this key is revoked already", code="key.revoked")
            row.revoked_at = work.clock.now()
            work.audit("key.revoke", "api_key", row.id, name=row.name)


def state_of(row: ApiKey, now: datetime) -> str:
    """``active``, ``expired`` or ``revoked``."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= now else "active"


def _view(row: ApiKey, now: datetime) -> KeyView:
    return KeyView.model_validate({**row.model_dump(exclude={"sha256", "revoked_at"}), "state": state_of(row, now)})
