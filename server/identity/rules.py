"""Rules of staff accounts. Pure: what a password must be like, when it is due, what a sign-in still waits for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from core.models.staff import Staff

Awaits = Literal["second_step", "password", "enrolment"]
Problem = Literal["too_short", "too_simple", "contains_name", "repeats"]

KINDS_OF_CHARACTERS = 3  # of lower case, upper case, digits, everything else
RUN = 4  # characters in a row that are the same or follow one another, as in 1111 or abcd
HISTORY = 5


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What the bank asks of accounts.

    Attributes:
        min_length: Of a password, in characters. max_age: Of a password; None: it never grows old.
        one_time_life: Of a one-time password. totp_roles: Roles that must have an authenticator app.
    """

    min_length: int = 10
    max_age: timedelta | None = timedelta(days=90)
    one_time_life: timedelta = timedelta(hours=24)
    totp_roles: frozenset[str] = field(default_factory=frozenset)


def password_problems(password: str, names: Iterable[str], rules: AccountRules) -> list[Problem]:
    """What is wrong with a new password; empty: nothing.

    Args:
        names: User name and staff number, which a password must not contain (in any case).
    """
    found: list[Problem] = []
    if len(password) < rules.min_length:
        found.append("too_short")
    if _kinds(password) < KINDS_OF_CHARACTERS:
        found.append("too_simple")
    folded = password.casefold()
    if any(name and name.casefold() in folded for name in names):
        found.append("contains_name")
    if _has_run(folded):
        found.append("repeats")
    return found


def _kinds(password: str) -> int:
    lower = any(char.islower() for char in password)
    upper = any(char.isupper() for char in password)
    digit = any(char.isdigit() for char in password)
    other = any(not (char.islower() or char.isupper() or char.isdigit()) for char in password)
    return lower + upper + digit + other


def _has_run(text: str) -> bool:
    codes = [ord(char) for char in text]
    steps = [after - before for before, after in pairwise(codes)]
    return any(
        steps[at] in (0, 1, -1) and len(set(steps[at : at + RUN - 1])) == 1 for at in range(len(steps) - RUN + 2)
    )


def password_due(staff: Staff, rules: AccountRules) -> datetime | None:
    """When the password has to be changed; None: never."""
    if rules.max_age is None:
        return None
    return (staff.password_changed_at or staff.created_at) + rules.max_age


def totp_obligatory(roles: Iterable[str], rules: AccountRules) -> bool:
    """Whether somebody with these roles must have an authenticator app."""
    return not rules.totp_roles.isdisjoint(roles)


def awaits(
    staff: Staff, signed_in_at: datetime, *, second_step: bool, has_totp: bool, by_provider: bool, rules: AccountRules
) -> Awaits | None:
    """What has to happen before this session opens anything; None: it is open.

    A password that grows old during a session is asked for at the next sign-in, not in the middle of a call.

    Args:
        second_step: The one-time code of this session is still missing.
        by_provider: Signed in at the bank's identity provider, whose business password and second step are.
    """
    if second_step:
        return "second_step"
    if by_provider:
        return None
    due = password_due(staff, rules)
    if staff.must_change_password or (due is not None and due <= signed_in_at):
        return "password"
    return "enrolment" if totp_obligatory(staff.roles, rules) and not has_totp else None
