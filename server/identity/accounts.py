"""What an administrator does to somebody else's account: one-time password, unlock, sign-out, second step off."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.staff import Role, Staff, StaffPassword
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission
from server.identity import second_step, sessions
from server.identity.hashing import Hashing
from server.identity.rules import AccountRules

_ALPHABETS = ("abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKMNPQRSTUVWXYZ", "23456789")  # nothing to misread
_GROUPS, _GROUP = 3, 5


@dataclass(frozen=True, slots=True)
class OneTimePassword:
    """Told to the administrator once and stored only as a hash; good for one sign-in until `expires_at`."""

    password: str
    expires_at: datetime


def make_one_time_password() -> str:
    """15 unambiguous characters in groups of five: about 85 bits."""
    letters = "".join(_ALPHABETS)
    while True:
        groups = ["".join(secrets.choice(letters) for _ in range(_GROUP)) for _ in range(_GROUPS)]
        if all(any(char in alphabet for group in groups for char in group) for alphabet in _ALPHABETS):
            return "-".join(groups)


class StaffAccounts:
    """Accounts of others. Nobody does these things to the own account."""

    def __init__(self, database: Database, rules: AccountRules | None = None) -> None:
        self._database = database
        self._rules = rules or AccountRules()
        self._hashing = Hashing()

    async def issue(self, work: UnitOfWork, staff: Staff) -> OneTimePassword:
        """Give an account (a new one, too) a one-time password, within a running unit of work. Audit it there."""
        password = make_one_time_password()
        if staff.password_hash:
            remember(work, staff)
        staff.password_hash = await self._hashing.hash(password)
        staff.must_change_password = True
        staff.one_time_until = work.clock.now() + self._rules.one_time_life
        staff.failed_logins, staff.locked_until = 0, None
        return OneTimePassword(password, staff.one_time_until)

    async def reset_password(self, actor: Actor, staff_id: str) -> OneTimePassword:
        """Replace somebody's password by a one-time one, end their sessions and lift a lock.

        Raises:
            NotFoundError: ``staff.not_found``. DeniedError: ``staff.own_account``.
        """
        async with self._database.unit_of_work(actor) as work:
            staff = await self._other(work, actor, staff_id)
            issued = await self.issue(work, staff)
            await sessions.end_sessions(work, staff.id, "reset")
            work.audit("staff.password_reset", "staff", staff.id, expires_at=issued.expires_at.isoformat())
        return issued

    async def unlock(self, actor: Actor, staff_id: str) -> None:
        """Lift the lock of too many failures. Nothing happens when there is none."""
        async with self._database.unit_of_work(actor) as work:
            staff = await self._other(work, actor, staff_id)
            if staff.locked_until is None and staff.failed_logins == 0:
                return
            before = {
                "failed_logins": staff.failed_logins,
                "locked_until": staff.locked_until.isoformat() if staff.locked_until else None,
            }
            staff.failed_logins, staff.locked_until = 0, None
            work.audit("staff.unlock", "staff", staff.id, before=before)

    async def sign_out(self, actor: Actor, staff_id: str) -> int:
        """End all sessions of somebody. Returns how many were open."""
        async with self._database.unit_of_work(actor) as work:
            staff = await self._other(work, actor, staff_id)
            ended = await sessions.end_sessions(work, staff.id, "everywhere")
            if ended:
                work.audit("staff.sign_out", "staff", staff.id, sessions=ended)
        return ended

    async def reset_second_step(self, actor: Actor, staff_id: str) -> None:
        """Remove somebody's authenticator app and recovery codes (phone lost) and end their sessions."""
        async with self._database.unit_of_work(actor) as work:
            staff = await self._other(work, actor, staff_id)
            if await second_step.forget(work, staff.id):
                await sessions.end_sessions(work, staff.id, "reset")
                work.audit("staff.totp_reset", "staff", staff.id)

    async def ensure_admin(self, username: str, display_name: str, staff_number: str) -> OneTimePassword:
        """For whoever has the machine: a one-time password for an administrator, who is created when there is none.

        Raises:
            ConflictError: ``staff.number_taken``; ``staff.no_admin`` – the account is another post's.
        """
        async with self._database.unit_of_work(system_actor("console")) as work:
            query = select(Staff).where(col(Staff.username) == username).with_for_update()
            staff = (await work.session.scalars(query)).first()
            created = staff is None
            if staff is None:
                taken = select(Staff.id).where(col(Staff.staff_number) == staff_number)
                if (await work.session.scalars(taken)).first() is not None:
                    raise ConflictError("this staff number is another person's", code="staff.number_taken")
                staff = Staff(
                    id=new_id("staff"),
                    username=username,
                    display_name=display_name,
                    staff_number=staff_number,
                    roles=[Role.ADMIN.value],
                    password_hash="",
                    created_at=work.clock.now(),
                )
                work.session.add(staff)
            elif Role.ADMIN.value not in staff.roles:
                raise ConflictError("an administrator resets this account", code="staff.no_admin")
            issued = await self.issue(work, staff)
            await sessions.end_sessions(work, staff.id, "reset")
            action = "staff.create" if created else "staff.password_reset"
            work.audit(action, "staff", staff.id, username=username, roles=staff.roles)
        return issued

    async def _other(self, work: UnitOfWork, actor: Actor, staff_id: str) -> Staff:
        actor.require(Permission.STAFF_MANAGE)
        if staff_id == actor.staff_id:
            raise DeniedError("another administrator has to do this to your account", code="staff.own_account")
        staff = await work.session.get(Staff, staff_id, with_for_update=True)
        if staff is None:
            raise NotFoundError("there is no such account", code="staff.not_found")
        return staff


def remember(work: UnitOfWork, staff: Staff) -> None:
    """Keep the hash of the password that is about to be replaced."""
    work.session.add(
        StaffPassword(
            id=new_id("pw"), staff_id=staff.id, password_hash=staff.password_hash, replaced_at=work.clock.now()
        )
    )
