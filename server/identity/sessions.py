"""Server-side sessions: rows named by the SHA-256 of a random cookie."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.events import StaffSessionEnded
from core.http import SignedIn
from core.models.staff import Staff, StaffSession
from core.security.actor import staff_actor
from core.security.tokens import new_secret, sha256_hex

SEEN_EVERY_S = 30.0


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
    """A valid session and whose it is."""

    staff: Staff
    row: StaffSession

    @property
    def signed_in(self) -> SignedIn:
        """As the HTTP guard wants it."""
        return SignedIn(staff_actor(self.staff.id, self.staff.roles), self.row.csrf_token)


def session_label(token_sha256: str) -> str:
    """Short name of a session for facts and audit entries."""
    return token_sha256[:16]


def is_alive(row: StaffSession, limits: SessionLimits, now: datetime) -> bool:
    """Whether the session is neither ended, idle for too long nor too old."""
    return (
        row.ended_at is None
        and now - row.last_seen_at < timedelta(seconds=limits.idle_s)
        and now - row.created_at < timedelta(seconds=limits.max_s)
    )


async def find(session: AsyncSession, cookie: str, limits: SessionLimits, now: datetime) -> LiveSession | None:
    """The live session behind a cookie, if any; an inactive account has none."""
    found = (
        await session.execute(
            select(StaffSession, Staff)
            .join(Staff, col(Staff.id) == col(StaffSession.staff_id))
            .where(col(StaffSession.token_sha256) == sha256_hex(cookie), col(Staff.active).is_(True))
        )
    ).first()
    if found is None or not is_alive(found[0], limits, now):
        return None
    return LiveSession(found[1], found[0])


async def mark_seen(database: Database, row: StaffSession, now: datetime) -> None:
    """Note that the session is in use. Not an event and not audited: it says nothing new about anybody."""
    async with database.read() as session, session.begin():
        await session.execute(
            update(StaffSession)
            .where(col(StaffSession.token_sha256) == row.token_sha256, col(StaffSession.ended_at).is_(None))
            .values(last_seen_at=now)
        )


async def open_session(work: UnitOfWork, staff_id: str) -> tuple[str, StaffSession]:
    """Begin a session and end every other one of this person. The staff row must be locked by the caller.

    Returns:
        The cookie's value (never stored) and the row.
    """
    await _end(work, staff_id, None, "replaced")
    cookie, now = new_secret(), work.clock.now()
    row = StaffSession(
        token_sha256=sha256_hex(cookie), staff_id=staff_id, csrf_token=new_secret(), created_at=now, last_seen_at=now
    )
    work.session.add(row)
    return cookie, row


async def end_session(work: UnitOfWork, staff_id: str, cookie: str) -> bool:
    """End one session. Returns whether it was open."""
    return await _end(work, staff_id, sha256_hex(cookie), "logout")


async def _end(work: UnitOfWork, staff_id: str, token_sha256: str | None, reason: str) -> bool:
    now = work.clock.now()
    open_ones = update(StaffSession).where(col(StaffSession.staff_id) == staff_id, col(StaffSession.ended_at).is_(None))
    if token_sha256 is not None:
        open_ones = open_ones.where(col(StaffSession.token_sha256) == token_sha256)
    ended = (await work.session.scalars(open_ones.values(ended_at=now).returning(col(StaffSession.token_sha256)))).all()
    for token in ended:
        event = {"at": now, "staff_id": staff_id, "session": session_label(token), "reason": reason}
        work.emit(StaffSessionEnded.model_validate(event))
    return bool(ended)
