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
        password_changed_at: When the own password was chosen; None counts as `created_at`.
        one_time_until: The password is a one-time password, which is no good from then on. None: it is the own one.
        oidc_subject: ``<issuer> <subject>`` of the account at the bank's identity provider, bound at the first sign-in.
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
    password_changed_at: datetime | None = utc_field(nullable=True)
    one_time_until: datetime | None = utc_field(nullable=True)
    oidc_subject: str | None = Field(default=None, unique=True)
    post_since: datetime | None = utc_field(nullable=True)
    forced_leave_at: datetime | None = utc_field(nullable=True)
    created_at: datetime = utc_field()


class StaffSession(SQLModel, table=True):
    """A signed-in browser. Only the SHA-256 of the session cookie is stored.

    Attributes:
        second_step: The password was right, the one-time code is still missing. Such a session opens nothing.
        by_provider: Signed in at the bank's identity provider.
        end_reason: As in `core.events.StaffSessionEnded`; None while open, and for one that ran out.
    """

    __tablename__ = "staff_session"

    token_sha256: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    csrf_token: str
    created_at: datetime = utc_field()
    last_seen_at: datetime = utc_field()
    ended_at: datetime | None = utc_field(nullable=True)
    end_reason: str | None = None
    second_step: bool = False
    by_provider: bool = False


class StaffPassword(SQLModel, table=True):
    """Hash of a password somebody had before, so that it is not chosen again."""

    __tablename__ = "staff_password"

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    password_hash: str
    replaced_at: datetime = utc_field()


class StaffTotp(SQLModel, table=True):
    """The authenticator app of a member of staff (RFC 6238).

    Attributes:
        secret_sealed: The shared secret, encrypted with the installation's master key.
        confirmed_at: When the first code proved that the app has the secret; None: enrolment is not finished.
        last_step: Time step of the newest code that was accepted. It and older ones are never accepted again.
    """

    __tablename__ = "staff_totp"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    secret_sealed: bytes
    created_at: datetime = utc_field()
    confirmed_at: datetime | None = utc_field(nullable=True)
    last_step: int = 0


class StaffRecoveryCode(SQLModel, table=True):
    """A code for who lost the authenticator app; works once. Stored as SHA-256 of the staff id and 80 random bits."""

    __tablename__ = "staff_recovery_code"

    code_sha256: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    created_at: datetime = utc_field()
    used_at: datetime | None = utc_field(nullable=True)
