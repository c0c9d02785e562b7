"""Sign-in in one or two steps, sign-out, and who is behind a cookie."""

from dataclasses import dataclass

from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import CounterError, NotSignedInError
from core.http import SignedIn
from core.models.staff import Staff, StaffSession
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, staff_actor, system_actor
from core.security.sealing import Sealer
from core.security.tokens import sha256_hex
from server.identity import second_step, sessions
from server.identity.hashing import Hashing
from server.identity.lockout import Books, after_failure, is_locked
from server.identity.rules import AccountRules, Awaits, awaits
from server.identity.sessions import LiveSession, SessionLimits, session_label

LOGIN_WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in that succeeded, or its first step. `cookie` is told to the browser once and not stored."""

    staff: Staff
    csrf_token: str
    cookie: str
    awaits: Awaits | None = None


class LoginFailedError(CounterError):
    """Name, password or account state do not allow a sign-in; on purpose it does not say which."""

    code = "auth.failed"
    http_status = 401


class CodeRefusedError(CounterError):
    """The one-time code is wrong, used already or too old."""

    code = "auth.code_refused"
    http_status = 400


class IdentityService:
    """Sign-in and sessions of staff."""

    def __init__(
        self,
        database: Database,
        limiter: RateLimiter,
        limits: SessionLimits,
        sealer: Sealer,
        rules: AccountRules | None = None,
        logins_per_minute: int = 30,
    ) -> None:
        """`logins_per_minute` counts per client address."""
        self._database = database
        self._limiter = limiter
        self._limits = limits
        self._sealer = sealer
        self._rules = rules or AccountRules()
        self._logins_per_minute = logins_per_minute
        self._hashing = Hashing()

    @property
    def idle_s(self) -> float:
        """How long a session lives without a request."""
        return self._limits.idle_s

    async def login(self, username: str, password: str, address: str | None) -> NewSession:
        """Sign in and end every other session of this person; or the first step of it, where a code is needed.

        Raises:
            LoginFailedError: ``auth.failed``; the same for an unknown name, a wrong password and a locked account,
                and after the same work, so that neither names nor passwords can be probed.
            RateLimitedError: too many attempts from this address.
        """
        await self._limiter.hit(f"login:{address_key(address)}", self._logins_per_minute, LOGIN_WINDOW_S)
        checked = await self._stored_hash(username)
        matches = await self._hashing.matches(password, checked)
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
        reason = _refusal(staff, matches and staff.password_hash == checked, work)
        if reason is not None:
            locked = _count_failure(staff, work) if reason == "wrong_password" else reason == "locked"
            work.audit("auth.login_failed", "staff", staff.id, reason=reason, locked=locked, address=address)
            return None
        work.actor = staff_actor(staff.id, staff.roles)
        if await second_step.enrolled(work.session, staff.id):
            # Failures stay counted: the right password must not buy new guesses at the code.
            cookie, row = sessions.open_second_step(work, staff.id)
            work.audit("auth.first_step", "staff", staff.id, session=session_label(row.token_sha256), address=address)
            return NewSession(staff, row.csrf_token, cookie, "second_step")
        return await self._open(work, staff, address, "password")

    async def _open(self, work: UnitOfWork, staff: Staff, address: str | None, way: str) -> NewSession:
        staff.failed_logins, staff.locked_until = 0, None
        cookie, row = await sessions.open_session(work, staff.id)
        label = session_label(row.token_sha256)
        work.audit("auth.login", "staff", staff.id, session=label, address=address, way=way)
        enrolled = await second_step.enrolled(work.session, staff.id)
        waits = awaits(
            staff, row.created_at, second_step=False, has_totp=enrolled, by_provider=False, rules=self._rules
        )
        return NewSession(staff, row.csrf_token, cookie, waits)

    async def complete(self, actor: Actor, cookie: str, code: str, address: str | None) -> NewSession:
        """The second step: a code of the authenticator app, or a recovery code.

        Raises:
            CodeRefusedError: ``auth.code_refused``. It counts like a wrong password.
            LoginFailedError: ``auth.failed`` – that was one failure too many; begin again when the lock is over.
            NotSignedInError: this session waits for no code.
        """
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            row = await work.session.get(StaffSession, sha256_hex(cookie), with_for_update=True)
            if row is None or not row.second_step or row.ended_at is not None:
                raise NotSignedInError("please sign in")
            locked = is_locked(Books(staff.failed_logins, staff.locked_until), work.clock.now())
            way = None if locked else await second_step.check_code(work, staff.id, code, self._sealer)
            if way is not None:
                return await self._open(work, staff, address, way)
            locked = _count_failure(staff, work)
            work.audit("auth.code_refused", "staff", staff.id, locked=locked, address=address)
            if locked:
                await sessions.end_session(work, staff.id, cookie)
        if locked:
            raise LoginFailedError("the account is locked after too many failures")
        raise CodeRefusedError("this code is wrong or was used already")

    async def logout(self, actor: Actor, cookie: str) -> None:
        """End the session behind the cookie. Nothing happens when it has ended already."""
        if actor.staff_id is None:
            raise NotSignedInError("please sign in")
        async with self._database.unit_of_work(actor) as work:
            if await sessions.end_session(work, actor.staff_id, cookie):
                work.audit("auth.logout", "staff", actor.staff_id, session=session_label(sha256_hex(cookie)))

    async def current(self, cookie: str | None) -> LiveSession | None:
        """The live session behind a cookie's value; using it keeps it from getting idle.

        Raises:
            NotSignedInError: It is over; the code says why.
        """
        if not cookie:
            return None
        now = self._database.clock.now()
        async with self._database.read() as session:
            found = await sessions.find(session, cookie, self._limits, self._rules, now)
        if found is not None and self._seen_is_stale(found.row):
            await sessions.mark_seen(self._database, found.row, now)
        return found

    def _seen_is_stale(self, row: StaffSession) -> bool:
        return (self._database.clock.now() - row.last_seen_at).total_seconds() >= self._limits.seen_every_s

    async def authenticate_cookie(self, cookie: str | None) -> SignedIn | None:
        """For the HTTP guard: actor and CSRF token of a live session. NotSignedInError when it is over."""
        found = await self.current(cookie)
        return found.signed_in if found else None

    async def authenticate_staff(self, cookie: str | None) -> Actor | None:
        """For sockets: the actor of a live session. NotSignedInError when it is over."""
        found = await self.current(cookie)
        return found.actor if found else None


async def locked_staff(work: UnitOfWork, actor: Actor) -> Staff:
    """The row of a signed-in member of staff, locked until the end of the unit of work."""
    if actor.staff_id is None:
        raise NotSignedInError("please sign in")
    return await work.session.get_one(Staff, actor.staff_id, with_for_update=True)


def _refusal(staff: Staff, matches: bool, work: UnitOfWork) -> str | None:
    now = work.clock.now()
    if not staff.active:
        return "inactive"
    if is_locked(Books(staff.failed_logins, staff.locked_until), now):
        return "locked"
    if not matches:
        return "wrong_password"
    return "one_time_expired" if staff.one_time_until is not None and staff.one_time_until <= now else None


def _count_failure(staff: Staff, work: UnitOfWork) -> bool:
    """Put a failure on the books. Returns whether the account is locked now."""
    now = work.clock.now()
    books = after_failure(Books(staff.failed_logins, staff.locked_until), now)
    staff.failed_logins, staff.locked_until = books.failed_logins, books.locked_until
    return is_locked(books, now)
