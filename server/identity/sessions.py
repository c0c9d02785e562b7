"""Server-side sessions: rows named by the SHA-256 of a random cookie."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import NotSignedInError
from core.events import StaffSessionEnd, StaffSessionEnded
from core.http import SignedIn
from core.models.staff import Staff, StaffSession, StaffTotp
from core.security.actor import Actor, staff_actor, withheld_actor
from core.security.permissions import Permission
from core.security.tokens import new_secret, sha256_hex
from server.identity.rules import AccountRules, Awaits, awaits

SEEN_EVERY_S = 30.0
SECOND_STEP_S = 300.0
"""How long a session may wait for its one-time code."""

_WITHHELD: dict[Awaits, tuple[str, frozenset[Permission]]] = {
    "second_step": ("auth.second_step_required", frozenset({Permission.SESSION_OWN})),
    "password": ("auth.password_change_required", frozenset({Permission.SESSION_OWN, Permission.ACCOUNT_OWN})),
    "enrolment": ("auth.enrolment_required", frozenset({Permission.SESSION_OWN, Permission.ACCOUNT_OWN})),
}
_ENDINGS: dict[str, str] = {"logout": "auth.required"}  # what is not named here is told as ``auth.<reason>``


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives: without a request, and in any case (seconds)."""

    idle_s: float
    max_s: float

    @property
    def seen_every_s(self) -> float:
        """How stale `last_seen_at` may get; well below the idle time, so that a busy session never looks idle."""
        return min(SEEN_EVERY_S, self.idle_s / 4)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A valid session, whose it is, and what it waits for before it opens anything."""

    staff: Staff
    row: StaffSession
    awaits: Awaits | None = None

    @property
    def actor(self) -> Actor:
        """Who acts: with the permissions of the roles, or the few that are needed to get them."""
        if self.awaits is None:
            return staff_actor(self.staff.id, self.staff.roles)
        code, permissions = _WITHHELD[self.awaits]
        return withheld_actor(self.staff.id, permissions, code)

    @property
    def signed_in(self) -> SignedIn:
        """As the HTTP guard wants it."""
        return SignedIn(self.actor, self.row.csrf_token)


def session_label(token_sha256: str) -> str:
    """Short name of a session for facts and audit entries."""
    return token_sha256[:16]


def is_alive(row: StaffSession, limits: SessionLimits, now: datetime) -> bool:
    """Whether the session is neither ended, idle for too long nor too old."""
    return row.ended_at is None and ran_out(row, limits, now) is None


def ran_out(row: StaffSession, limits: SessionLimits, now: datetime) -> str | None:
    """Code of why a session is over without anybody having ended it; None: it is not."""
    if now - row.last_seen_at >= timedelta(seconds=limits.idle_s):
        return "auth.idle"
    life_s = SECOND_STEP_S if row.second_step else limits.max_s
    return "auth.too_long" if now - row.created_at >= timedelta(seconds=life_s) else None


async def find(
    session: AsyncSession, cookie: str, limits: SessionLimits, rules: AccountRules, now: datetime
) -> LiveSession | None:
    """The live session behind a cookie; None for a cookie nobody was given.

    Raises:
        NotSignedInError: There was a session and it is over; the code says why: ``auth.required`` (signed out),
            ``auth.replaced`` (signed in elsewhere), ``auth.everywhere``, ``auth.reset``, ``auth.switched_off``,
            ``auth.idle``, ``auth.too_long``.
    """
    has_totp = exists().where(col(StaffTotp.staff_id) == col(Staff.id), col(StaffTotp.confirmed_at).is_not(None))
    found = (
        await session.execute(
            select(StaffSession, Staff, has_totp)
            .join(Staff, col(Staff.id) == col(StaffSession.staff_id))
            .where(col(StaffSession.token_sha256) == sha256_hex(cookie))
        )
    ).first()
    if found is None:
        return None
    row, staff, enrolled = found
    over = _over(row, staff, limits, now)
    if over is not None:
        raise NotSignedInError("this session is over; please sign in", code=over)
    waits = awaits(
        staff,
        row.created_at,
        second_step=row.second_step,
        has_totp=enrolled,
        by_provider=row.by_provider,
        rules=rules,
    )
    return LiveSession(staff, row, waits)


def _over(row: StaffSession, staff: Staff, limits: SessionLimits, now: datetime) -> str | None:
    if row.ended_at is not None:
        reason = row.end_reason or "logout"
        return _ENDINGS.get(reason, f"auth.{reason}")
    return ran_out(row, limits, now) or (None if staff.active else "auth.switched_off")


async def mark_seen(database: Database, row: StaffSession, now: datetime) -> None:
    """Note that the session is in use. Not an event and not audited: it says nothing new about anybody."""
    async with database.transaction() as session:
        await session.execute(
            update(StaffSession)
            .where(col(StaffSession.token_sha256) == row.token_sha256, col(StaffSession.ended_at).is_(None))
            .values(last_seen_at=now)
        )


async def open_session(work: UnitOfWork, staff_id: str, *, by_provider: bool = False) -> tuple[str, StaffSession]:
    """Begin a session and end every other one of this person. The staff row must be locked by the caller.

    Returns:
        The cookie's value (never stored) and the row.
    """
    await end_sessions(work, staff_id, "replaced")
    return _begin(work, staff_id, second_step=False, by_provider=by_provider)


def open_second_step(work: UnitOfWork, staff_id: str) -> tuple[str, StaffSession]:
    """Begin a session that waits for the one-time code; whoever is signed in stays so until the code is right."""
    return _begin(work, staff_id, second_step=True, by_provider=False)


def _begin(work: UnitOfWork, staff_id: str, *, second_step: bool, by_provider: bool) -> tuple[str, StaffSession]:
    cookie, now = new_secret(), work.clock.now()
    row = StaffSession(
        token_sha256=sha256_hex(cookie),
        staff_id=staff_id,
        csrf_token=new_secret(),
        created_at=now,
        last_seen_at=now,
        second_step=second_step,
        by_provider=by_provider,
    )
    work.session.add(row)
    return cookie, row


async def end_session(work: UnitOfWork, staff_id: str, cookie: str) -> bool:
    """End one session. Returns whether it was open."""
    return await _end(work, staff_id, "logout", col(StaffSession.token_sha256) == sha256_hex(cookie)) > 0


async def end_sessions(work: UnitOfWork, staff_id: str, reason: StaffSessionEnd, but: str | None = None) -> int:
    """End all sessions of a person; their sockets go as well. Returns how many were open.

    Args:
        but: SHA-256 of the cookie of one that stays.
    """
    return await _end(work, staff_id, reason, *([] if but is None else [col(StaffSession.token_sha256) != but]))


async def _end(work: UnitOfWork, staff_id: str, reason: StaffSessionEnd, *which: object) -> int:
    now = work.clock.now()
    open_ones = update(StaffSession).where(
        col(StaffSession.staff_id) == staff_id,
        col(StaffSession.ended_at).is_(None),
        *which,  # type: ignore[arg-type]
    )
    closed = open_ones.values(ended_at=now, end_reason=reason).returning(col(StaffSession.token_sha256))
    ended = (await work.session.scalars(closed)).all()
    for token in ended:
        work.emit(StaffSessionEnded(at=now, staff_id=staff_id, session=session_label(token), reason=reason))
    return len(ended)
