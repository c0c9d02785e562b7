"""Bodies and answers of the sign-in endpoints (they become the pages' TypeScript types)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# PostgreSQL text cannot hold NUL, so it is refused at the border instead of failing inside.
_NO_NUL = r"^[^\x00]*$"


class LoginRequest(BaseModel):
    """Name and password as typed. The lengths bound the work of hashing."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_NO_NUL)]


class StaffView(BaseModel):
    """A member of staff as shown to the own pages."""

    id: str
    username: str
    display_name: str
    staff_number: str
    roles: list[str]
    team: str | None = None


class LoginView(BaseModel):
    """Who is signed in. The CSRF token goes back in ``X-CSRF-Token`` with unsafe methods."""

    staff: StaffView
    csrf_token: str
