"""Bodies and answers of the sign-in endpoints (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from core.models.staff import Role

# PostgreSQL text cannot hold NUL, so it is refused at the border instead of failing inside.
_NO_NUL = r"^[^\x00]*$"


_Password = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_NO_NUL)]
_Code = Annotated[str, StringConstraints(min_length=6, max_length=40, pattern=r"^[0-9A-Za-z -]+$")]


class LoginRequest(BaseModel):
    """Name and password as typed. The lengths bound the work of hashing."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
    password: _Password


class _Secret(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ProviderView(BaseModel):
    """The bank's own sign-in, where there is one: its name on the button."""

    name: str | None


class CodeRequest(_Secret):
    """A code of the authenticator app, or a recovery code."""

    code: _Code


class PasswordChangeRequest(_Secret):
    """The current password and a new one."""

    current: _Password
    new: _Password


class PasswordRequest(_Secret):
    """The current password, to prove that it is still the same person."""

    password: _Password


class PasswordAndCodeRequest(_Secret):
    """The current password and a code of the authenticator app."""

    password: _Password
    code: _Code


class StaffView(BaseModel):
    """A member of staff as shown to the own pages."""

    id: str
    username: str
    display_name: str
    staff_number: str
    roles: list[str]
    team: str | None = None


class LoginView(BaseModel):
    """Who is signed in. The CSRF token goes back in ``X-CSRF-Token`` with unsafe methods.

    `awaits`: what has to be done before anything else works; null: nothing. `idle_s`: after so long without anybody
    touching the page it signs out.
    """

    staff: StaffView
    csrf_token: str
    awaits: Literal["second_step", "password", "enrolment"] | None = None
    idle_s: float


class OwnAccountView(BaseModel):
    """State of the own account. `password_due_at`: when a new password will be asked for; null: never."""

    password_changed_at: datetime
    password_due_at: datetime | None
    password_min_length: int
    totp_since: datetime | None
    totp_obligatory: bool
    recovery_codes_left: int


class EnrolmentView(BaseModel):
    """What the authenticator app has to learn, told once. `qr`: the address as a picture (``data:`` address)."""

    secret: str
    uri: str
    qr: str


class RecoveryCodesView(BaseModel):
    """Codes for who loses the authenticator app; each works once. Told once."""

    codes: list[str]


class OneTimePasswordView(BaseModel):
    """For handing over to its owner; told once, good for one sign-in."""

    one_time_password: str
    expires_at: datetime


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=_NO_NUL)]
_Number = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,12}$")]
_Group = Annotated[str, StringConstraints(pattern=r"^\w{1,40}$")]


class StaffFields(BaseModel):
    """What an administrator keeps of anybody. `team`: null: of no team."""

    model_config = ConfigDict(extra="forbid")

    display_name: _Name
    staff_number: _Number
    roles: Annotated[list[Role], Field(max_length=40)]
    skill_groups: Annotated[list[_Group], Field(max_length=40)]
    team: _Name | None


class StaffCreateRequest(StaffFields):
    """A new account. The name is for signing in and stays."""

    username: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]


class StaffChangeRequest(StaffFields):
    """An account as it shall be. `revision` is that of the row shown."""

    active: bool
    may_take_calls: bool
    post_since: AwareDatetime | None
    forced_leave_at: AwareDatetime | None
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class StaffRow(BaseModel):
    """An account as shown to administrators. `locked`: too many failures just now."""

    id: str
    username: str
    display_name: str
    staff_number: str
    roles: list[Role]
    skill_groups: list[str]
    team: str | None
    active: bool
    may_take_calls: bool
    must_change_password: bool
    locked: bool
    post_since: datetime | None
    forced_leave_at: datetime | None
    created_at: datetime
    revision: str


class NewStaffView(BaseModel):
    """A new account and the password to hand over, told once."""

    staff: StaffRow
    one_time_password: str
    expires_at: datetime
