"""Staff accounts and their sessions. Writer: server.identity."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field


class Role(StrEnum):
    """Posts of the bank. Post separation is enforced by `core.security`."""

    TELLER = "teller"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"
    INSPECTOR = "inspector"
    QA_LEAD = "qa_lead"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Staff(SQLModel, table=True):
    """One member of staff.

    Attributes:
        staff_number: The number a teller states in the greeting, e.g. ``1001``.
        roles: Values of `Role`.
        skill_groups: Skill groups whose queues this teller serves.
        team: Name of the team, e.g. ``一组``; supervisors answer for the tellers of their own team. None: of no team.
        may_take_calls: Certified. Without it no call rings, whatever the presence.
        must_change_password: The password was set by somebody else; nothing else works before it is changed.
        post_since: Since when in this post, for the rotation alert. forced_leave_at: End of the last compulsory leave.
    """

    id: str = Field(primary_key=True)
    username: str = Field(unique=True)
    display_name: str
    staff_number: str = Field(unique=True)
    roles: list[str] = json_field(list)
    skill_groups: list[str] = json_field(list)
    team: str | None = Field(default=None, index=True)
    password_hash: str
    failed_logins: int = 0
    locked_until: datetime | None = utc_field(nullable=True)
    active: bool = True
    may_take_calls: bool = True
    must_change_password: bool = False
    post_since: datetime | None = utc_field(nullable=True)
    forced_leave_at: datetime | None = utc_field(nullable=True)
    created_at: datetime = utc_field()


class StaffSession(SQLModel, table=True):
    """A signed-in browser. Only the SHA-256 of the session cookie is stored."""

    __tablename__ = "staff_session"

    token_sha256: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    csrf_token: str
    created_at: datetime = utc_field()
    last_seen_at: datetime = utc_field()
    ended_at: datetime | None = utc_field(nullable=True)
