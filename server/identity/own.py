"""What somebody does to the own account: password, authenticator app, recovery codes, signing out everywhere."""

from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError
from core.models.staff import Staff, StaffPassword, StaffTotp
from core.rate_limit import RateLimiter
from core.security.actor import Actor
from core.security.sealing import Sealer
from core.security.tokens import sha256_hex
from server.identity import second_step, sessions
from server.identity.accounts import remember
from server.identity.hashing import Hashing
from server.identity.rules import HISTORY, AccountRules, password_due, password_problems, totp_obligatory
from server.identity.service import CodeRefusedError, locked_staff

ISSUER = "AirCounter"
TRIES, TRY_WINDOW_S = 10, 600
"""Guesses at the own password or a code by whoever sits at a signed-in browser."""


@dataclass(frozen=True, slots=True)
class OwnView:
    """State of the own account."""

    password_changed_at: datetime
    password_due_at: datetime | None
    password_min_length: int
    totp_since: datetime | None
    totp_obligatory: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the authenticator app has to learn, told once."""

    secret: str
    uri: str


class OwnAccount:
    """The own account of whoever is signed in."""

    def __init__(
        self, database: Database, limiter: RateLimiter, sealer: Sealer, rules: AccountRules | None = None
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._sealer = sealer
        self._rules = rules or AccountRules()
        self._hashing = Hashing()

    async def view(self, actor: Actor) -> OwnView:
        """State of the account."""
        async with self._database.read() as session:
            staff = await session.get_one(Staff, actor.staff_id)
            totp = await session.get(StaffTotp, staff.id)
            left = await second_step.recovery_codes_left(session, staff.id)
        return OwnView(
            staff.password_changed_at or staff.created_at,
            password_due(staff, self._rules),
            self._rules.min_length,
            totp.confirmed_at if totp else None,
            totp_obligatory(staff.roles, self._rules),
            left,
        )

    async def change_password(self, actor: Actor, cookie: str, current: str, new: str) -> None:
        """Choose a new password. Every other session of this person ends.

        Raises:
            BadInputError: ``password.wrong_current``; ``password.weak`` with the `problems`; ``password.used_before``.
            RateLimitedError: too many guesses at the current one.
        """
        await self._count_try(actor)
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            await self._prove(staff, current)
            problems = password_problems(new, (staff.username, staff.staff_number), self._rules)
            if problems:
                raise BadInputError(
                    "the new password is too easy to guess",
                    code="password.weak",
                    problems=problems,
                    min_length=self._rules.min_length,
                )
            earlier = await self._earlier(work, staff)
            for stored in earlier:
                if await self._hashing.matches(new, stored):
                    raise BadInputError("this password was used before", code="password.used_before", history=HISTORY)
            remember(work, staff)
            staff.password_hash = await self._hashing.hash(new)
            staff.password_changed_at = work.clock.now()
            staff.must_change_password, staff.one_time_until = False, None
            await work.session.flush()
            await _trim_history(work, staff.id)
            await sessions.end_sessions(work, staff.id, "everywhere", but=sha256_hex(cookie))
            work.audit("account.password_changed", "staff", staff.id)

    async def _earlier(self, work: UnitOfWork, staff: Staff) -> list[str]:
        kept = select(StaffPassword.password_hash).where(col(StaffPassword.staff_id) == staff.id)
        return [staff.password_hash, *(await work.session.scalars(kept)).all()]

    async def sign_out_everywhere(self, actor: Actor) -> None:
        """End all sessions, this one as well; their sockets go with them."""
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            ended = await sessions.end_sessions(work, staff.id, "everywhere")
            work.audit("auth.logout_everywhere", "staff", staff.id, sessions=ended)

    async def begin_totp(self, actor: Actor, password: str) -> Enrolment:
        """Start enrolling an authenticator app.

        Raises:
            BadInputError: ``password.wrong_current``. ConflictError: ``totp.enrolled`` – remove the old one first.
        """
        await self._count_try(actor)
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            await self._prove(staff, password)
            secret = await second_step.begin_enrolment(work, staff.id, self._sealer)
            work.audit("account.totp_begun", "staff", staff.id)
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=staff.username, issuer_name=ISSUER))

    async def confirm_totp(self, actor: Actor, code: str) -> list[str]:
        """Finish enrolling with a first code. Returns the recovery codes, told once.

        Raises:
            ConflictError: ``totp.not_begun``. CodeRefusedError: ``auth.code_refused``.
        """
        await self._count_try(actor)
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            totp = await work.session.get(StaffTotp, staff.id)
            if totp is None or totp.confirmed_at is not None:
                raise ConflictError("no enrolment has been begun", code="totp.not_begun")
            await self._prove_code(work, staff, code)
            totp.confirmed_at = work.clock.now()
            work.audit("account.totp_enrolled", "staff", staff.id)
            return await second_step.new_recovery_codes(work, staff.id)

    async def remove_totp(self, actor: Actor, password: str, code: str) -> None:
        """Remove the authenticator app. Where it is obligatory another one has to be enrolled at once.

        Raises:
            BadInputError: ``password.wrong_current``. CodeRefusedError: ``auth.code_refused``.
        """
        await self._count_try(actor)
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            await self._prove(staff, password)
            await self._prove_code(work, staff, code)
            await second_step.forget(work, staff.id)
            work.audit("account.totp_removed", "staff", staff.id)

    async def renew_recovery_codes(self, actor: Actor, password: str, code: str) -> list[str]:
        """Replace all recovery codes. Returns them, told once.

        Raises:
            BadInputError: ``password.wrong_current``. CodeRefusedError: ``auth.code_refused``.
        """
        await self._count_try(actor)
        async with self._database.unit_of_work(actor) as work:
            staff = await locked_staff(work, actor)
            await self._prove(staff, password)
            await self._prove_code(work, staff, code)
            work.audit("account.recovery_codes_renewed", "staff", staff.id)
            return await second_step.new_recovery_codes(work, staff.id)

    async def _count_try(self, actor: Actor) -> None:
        await self._limiter.hit(f"account:{actor.staff_id}", TRIES, TRY_WINDOW_S)

    async def _prove(self, staff: Staff, password: str) -> None:
        if not await self._hashing.matches(password, staff.password_hash):
            raise BadInputError("this is not the current password", code="password.wrong_current")

    async def _prove_code(self, work: UnitOfWork, staff: Staff, code: str) -> None:
        if await second_step.check_code(work, staff.id, code, self._sealer) is None:
            raise CodeRefusedError("this code is wrong or was used already")


async def _trim_history(work: UnitOfWork, staff_id: str) -> None:
    """Keep no more old hashes than are compared."""
    kept = _newest_first(staff_id).limit(HISTORY - 1)
    await work.session.execute(
        delete(StaffPassword).where(col(StaffPassword.staff_id) == staff_id, col(StaffPassword.id).not_in(kept))
    )


def _newest_first(staff_id: str) -> SelectOfScalar[str]:
    return (
        select(StaffPassword.id)
        .where(col(StaffPassword.staff_id) == staff_id)
        .order_by(col(StaffPassword.replaced_at).desc(), col(StaffPassword.id).desc())
    )
