"""Staff as the administrator keeps them: posts, skill groups, teams, the certificate for calls."""

import hashlib
import json
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.business import Business
from core.models.queue import SkillGroup
from core.models.staff import Role, Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from core.security.posts import one_post
from server.identity import sessions
from server.identity.accounts import OneTimePassword, StaffAccounts
from server.identity.schemas import StaffChangeRequest, StaffCreateRequest, StaffRow

_KEPT = (
    "display_name",
    "staff_number",
    "roles",
    "skill_groups",
    "team",
    "active",
    "may_take_calls",
    "post_since",
    "forced_leave_at",
)  # what is changed here, compared for the revision and written to the audit log


class StaffBook:
    """Creates and changes accounts. Nobody changes the own one."""

    def __init__(self, database: Database, accounts: StaffAccounts) -> None:
        self._database = database
        self._accounts = accounts

    async def all(self) -> list[StaffRow]:
        """Everybody, by number; also who has left, as their work stays theirs."""
        now = self._database.clock.now()
        async with self._database.read() as session:
            rows = (await session.scalars(select(Staff).order_by(col(Staff.staff_number)))).all()
            return [staff_row(row, locked=row.locked_until is not None and row.locked_until > now) for row in rows]

    async def create(self, actor: Actor, request: StaffCreateRequest) -> tuple[StaffRow, OneTimePassword]:
        """A new account with a one-time password. Tellers are not certified for calls yet.

        Raises:
            BadInputError: ``staff.posts``, ``group.not_found``. ConflictError: ``staff.username_taken``,
                ``staff.number_taken``.
        """
        actor.require(Permission.STAFF_MANAGE)
        _require_one_post(request.roles)
        async with self._database.unit_of_work(actor) as work:
            await _require_groups(work.session, request.skill_groups)
            taken = select(Staff.id).where(col(Staff.username) == request.username)
            if (await work.session.scalars(taken)).first() is not None:
                raise ConflictError("somebody has this name", code="staff.username_taken")
            await _require_free_number(work.session, request.staff_number)
            staff = Staff(
                id=new_id("staff"),
                password_hash="",
                may_take_calls=False,
                created_at=work.clock.now(),
                **request.model_dump(mode="json"),
            )
            work.session.add(staff)
            issued = await self._accounts.issue(work, staff)
            await work.session.flush()
            expires_at = issued.expires_at.isoformat()
            work.audit("staff.create", "staff", staff.id, username=staff.username, after=kept(staff), until=expires_at)
        return staff_row(staff, locked=False), issued

    async def change(self, actor: Actor, staff_id: str, request: StaffChangeRequest) -> StaffRow:
        """Change an account; one that is switched off loses its sessions at once.

        Raises:
            NotFoundError: ``staff.not_found``. DeniedError: ``staff.own_account``. BadInputError: ``staff.posts``,
                ``group.not_found``. ConflictError: ``staff.stale``, ``staff.number_taken``.
        """
        actor.require(Permission.STAFF_MANAGE)
        _require_one_post(request.roles)
        if staff_id == actor.staff_id:
            raise DeniedError("another administrator has to do this to your account", code="staff.own_account")
        async with self._database.unit_of_work(actor) as work:
            staff = await work.session.get(Staff, staff_id, with_for_update=True)
            if staff is None:
                raise NotFoundError("there is no such account", code="staff.not_found")
            if revision_of(staff) != request.revision:
                raise ConflictError("somebody else has changed this account", code="staff.stale")
            await _require_groups(work.session, request.skill_groups)
            if request.staff_number != staff.staff_number:
                await _require_free_number(work.session, request.staff_number)
            before = kept(staff)
            for name in _KEPT:
                setattr(staff, name, getattr(request, name))
            staff.roles = [role.value for role in request.roles]
            await work.session.flush()
            await self._after_change(work, staff, before)
            locked = staff.locked_until is not None and staff.locked_until > work.clock.now()
        return staff_row(staff, locked=locked)

    async def _after_change(self, work: UnitOfWork, staff: Staff, before: dict[str, object]) -> None:
        after = kept(staff)
        changed = [name for name in _KEPT if before[name] != after[name]]
        if not changed:
            return
        if not staff.active or "roles" in changed:  # what the pages show depends on the post
            await sessions.end_sessions(work, staff.id, "everywhere")
        work.audit(
            "staff.change",
            "staff",
            staff.id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


def kept(staff: Staff) -> dict[str, object]:
    """What the administrator keeps of an account, as JSON values."""
    values: dict[str, object] = staff.model_dump(mode="json", include=set(_KEPT))
    return values


def revision_of(staff: Staff) -> str:
    """Names this state of the account: who changes it says what was seen."""
    return hashlib.sha256(json.dumps(kept(staff), sort_keys=True).encode()).hexdigest()[:16]


def staff_row(staff: Staff, *, locked: bool) -> StaffRow:
    """As shown to administrators."""
    values = staff.model_dump(include={*_KEPT, "id", "username", "must_change_password", "created_at"})
    return StaffRow.model_validate(values | {"locked": locked, "revision": revision_of(staff)})


def _require_one_post(roles: Collection[Role]) -> None:
    if not one_post({role.value for role in roles}):
        raise BadInputError("these posts are kept apart", code="staff.posts")


async def _require_groups(session: AsyncSession, groups: Collection[str]) -> None:
    known = set((await session.scalars(select(SkillGroup.code))).all())
    known |= set((await session.scalars(select(Business.skill_group))).all())
    for group in groups:
        if group not in known:
            raise BadInputError("there is no such skill group", code="group.not_found", group=group)


async def _require_free_number(session: AsyncSession, number: str) -> None:
    if (await session.scalars(select(Staff.id).where(col(Staff.staff_number) == number))).first() is not None:
        raise ConflictError("somebody has this number", code="staff.number_taken")
