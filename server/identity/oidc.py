"""Sign-in at the bank's provider: sent there with state, nonce and PKCE, taken back once, mapped to an account.

Nobody gets an account by it: an administrator has made one, with roles. The first sign-in binds it to the provider's
lasting name for the person; from then on that name counts, and the account is nobody else's.
"""

import base64
import hashlib
import json

from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import DeniedError
from core.models.staff import Staff
from core.rate_limit import RateLimiter, address_key
from core.security.actor import staff_actor, system_actor
from core.security.tokens import new_secret, sha256_hex
from server.identity import sessions
from server.identity.provider import Identity, Provider, ProviderError
from server.identity.service import NewSession
from server.identity.sessions import session_label

LASTS_S = 600
BEGINS_PER_MINUTE = 30


class ProviderSignIn:
    """Begins and ends sign-ins."""

    def __init__(
        self, database: Database, redis: Redis, limiter: RateLimiter, provider: Provider, issuer: str, name: str
    ) -> None:
        self._database = database
        self._redis = redis
        self._limiter = limiter
        self._provider = provider
        self._issuer = issuer
        self.name = name

    async def begin(self, following: str, redirect_uri: str, address: str | None) -> tuple[str, str]:
        """Where the browser goes, and a secret that it keeps in a cookie: only it may come back with this state.

        Raises:
            UnavailableError: ``oidc.unavailable``. RateLimitedError: too many from this address.
        """
        await self._limiter.hit(f"oidc:{address_key(address)}", BEGINS_PER_MINUTE, 60)
        state, nonce, verifier, browser = new_secret(), new_secret(), new_secret(), new_secret()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        url = await self._provider.sign_in_url(state, nonce, challenge, redirect_uri)
        kept = {
            "nonce": nonce,
            "verifier": verifier,
            "browser": sha256_hex(browser),
            "redirect_uri": redirect_uri,
            "next": following,
        }
        await self._redis.set(_name(state), json.dumps(kept), ex=LASTS_S)
        return url, browser

    async def end(self, state: str, code: str, browser: str, address: str | None) -> tuple[NewSession, str]:
        """Open the session of whoever came back. Returns it, and the page that was wanted.

        Raises:
            ProviderError: ``oidc.refused``: not begun here, in this browser, within ten minutes, or the first time.
            DeniedError: ``oidc.no_account``: nobody here goes by that name, or the account is switched off.
            UnavailableError: ``oidc.unavailable``.
        """
        await self._limiter.hit(f"oidc:{address_key(address)}", BEGINS_PER_MINUTE, 60)
        stored = await self._redis.getdel(_name(state))
        kept = json.loads(stored) if stored else None
        if kept is None or kept["browser"] != sha256_hex(browser):
            raise ProviderError("this sign-in was not begun in this browser, or it took too long")
        identity = await self._provider.identify(code, kept["verifier"], kept["nonce"], kept["redirect_uri"])
        async with self._database.unit_of_work(system_actor("identity")) as work:
            session = await self._open(work, identity, address)
        if session is None:  # raised after the commit: the failure has to be on the books
            raise DeniedError("there is no account for this person", code="oidc.no_account")
        return session, kept["next"]

    async def _open(self, work: UnitOfWork, identity: Identity, address: str | None) -> NewSession | None:
        staff = await self._account(work, identity)
        if staff is None or not staff.active or not staff.roles:
            who = staff.id if staff else "unknown"
            work.audit("auth.login_failed", "staff", who, reason="provider", address=address)
            return None
        work.actor = staff_actor(staff.id, staff.roles)
        cookie, row = await sessions.open_session(work, staff.id, by_provider=True)
        label = session_label(row.token_sha256)
        work.audit("auth.login", "staff", staff.id, session=label, address=address, way="provider")
        return NewSession(staff, row.csrf_token, cookie)

    async def _account(self, work: UnitOfWork, identity: Identity) -> Staff | None:
        """The bound account; else the one of that user name that is not bound yet, which is bound now."""
        subject = f"{self._issuer} {identity.subject}"
        bound = select(Staff).where(col(Staff.oidc_subject) == subject).with_for_update()
        if (staff := (await work.session.scalars(bound)).first()) is not None:
            return staff
        free = (
            select(Staff)
            .where(col(Staff.username) == identity.username, col(Staff.oidc_subject).is_(None))
            .with_for_update()
        )
        staff = (await work.session.scalars(free)).first()
        if staff is not None and staff.active:
            await work.session.execute(update(Staff).where(col(Staff.id) == staff.id).values(oidc_subject=subject))
            work.audit("account.provider_bound", "staff", staff.id, before=None, after=subject)
        return staff


def _name(state: str) -> str:
    return f"oidc:{sha256_hex(state)}"
