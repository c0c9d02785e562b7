"""Sign-in, sign-out and who is behind a cookie."""

import asyncio
from dataclasses import dataclass

from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import CounterError, NotSignedInError
from core.http import SignedIn
from core.models.staff import Staff, StaffSession
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, staff_actor, system_actor
from core.security.passwords import password_matches
from core.security.tokens import sha256_hex
from server.identity import sessions
from server.identity.lockout import Books, after_failure, is_locked
from server.identity.sessions import LiveSession, SessionLimits, session_label

HASHING_AT_ONCE = 4  # Argon2 takes 64 MiB and a core each: more at once would starve the calls
LOGIN_WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in that succeeded. `cookie` is told to the browser once and not stored."""

    staff: Staff
    csrf_token: str
    cookie: str


class LoginFailedError(CounterError):
    """Name, password or account state do not allow a sign-in; on purpose it does not say which."""

    code = "auth.failed"
    http_status = 401


class IdentityService:
    """Staff accounts and sessions."""

    def __init__(
        self, database: Database, limiter: RateLimiter, limits: SessionLimits, logins_per_minute: int = 30
    ) -> None:
        """`logins_per_minute` counts per client address."""
        self._database = database
        self._limiter = limiter
        self._limits = limits
        self._logins_per_minute = logins_per_minute
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)

    async def login(self, username: str, password: str, address: str | None) -> NewSession:
        """Sign in and end every other session of this person.

        Raises:
            LoginFailedError: ``auth.failed``; the same for an unknown name, a wrong password and a locked account,
                and after the same work, so that neither names nor passwords can be probed.
            RateLimitedError: too many attempts from this address.
        """
        await self._limiter.hit(f"login:{address_key(address)}", self._logins_per_minute, LOGIN_WINDOW_S)
        checked = await self._stored_hash(username)
        async with self._hashing:
            matches = await asyncio.to_thread(password_matches, password, checked)
        async with self._database.unit_of_work(system_actor("identity")) as work:
            outcome = await self._settle(work, username, checked, matches, address)
        if outcome is None:  # raised after the commit: the failure has to be on the books
            raise LoginFailedError("name or password is wrong, or the account is locked after too many failures")
        return outcome

    async def _stored_hash(self, username: str) -> str | None:
        async with self._database.read() as session:
            query = select(Staff.password_hash).where(col(Staff.username) == username, col(Staff.active).is_(True))
            return (await session.scalars(query)).first()

    async def _settle(
        self, work: UnitOfWork, username: str, checked: str | None, matches: bool, address: str | None
    ) -> NewSession | None:
        # The row is locked, so parallel guesses are counted one after the other and cannot slip past the lock.
        query = select(Staff).where(col(Staff.username) == username).with_for_update()
        staff = (await work.session.scalars(query)).first()
        if staff is None:
            # What was typed is not kept: people type passwords into the wrong field.
            work.audit("auth.login_failed", "staff", "unknown", reason="unknown_name", address=address)
            return None
        books, now = Books(staff.failed_logins, staff.locked_until), work.clock.now()
        reason = _refusal(staff, books, matches and staff.password_hash == checked, work)
        if reason is not None:
            if reason == "wrong_password":
                books = after_failure(books, now)
                staff.failed_logins, staff.locked_until = books.failed_logins, books.locked_until
            locked = is_locked(books, now)
            work.audit("auth.login_failed", "staff", staff.id, reason=reason, locked=locked, address=address)
            return None
        staff.failed_logins, staff.locked_until = 0, None
        work.actor = staff_actor(staff.id, staff.roles)
        cookie, row = await sessions.open_session(work, staff.id)
        work.audit("auth.login", "staff", staff.id, session=session_label(row.token_sha256), address=address)
        return NewSession(staff, row.csrf_token, cookie)

    async def logout(self, actor: Actor, cookie: str) -> None:
        """End the session behind the cookie. Nothing happens when it has ended already."""
        if actor.staff_id is None:
            raise NotSignedInError("please sign in")
        async with self._database.unit_of_work(actor) as work:
            if await sessions.end_session(work, actor.staff_id, cookie):
                work.audit("auth.logout", "staff", actor.staff_id, session=session_label(sha256_hex(cookie)))

    async def current(self, cookie: str | None) -> LiveSession | None:
        """The live session behind a cookie's value; using it keeps it from getting idle."""
        if not cookie:
            return None
        now = self._database.clock.now()
        async with self._database.read() as session:
            found = await sessions.find(session, cookie, self._limits, now)
        if found is not None and self._seen_is_stale(found.row):
            await sessions.mark_seen(self._database, found.row, now)
        return found

    def _seen_is_stale(self, row: StaffSession) -> bool:
        return (self._database.clock.now() - row.last_seen_at).total_seconds() >= self._limits.seen_every_s

    async def authenticate_cookie(self, cookie: str | None) -> SignedIn | None:
        """For the HTTP guard: actor and CSRF token of a live session."""
        found = await self.current(cookie)
        return found.signed_in if found else None

    async def authenticate_staff(self, cookie: str | None) -> Actor | None:
        """For sockets: the actor of a live session."""
        found = await self.current(cookie)
        return found.signed_in.actor if found else None


def _refusal(staff: Staff, books: Books, matches: bool, work: UnitOfWork) -> str | None:
    if not staff.active:
        return "inactive"
    if is_locked(books, work.clock.now()):
        return "locked"
    return None if matches else "wrong_password"
