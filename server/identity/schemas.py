"""Bodies and answers of the sign-in endpoints (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

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
