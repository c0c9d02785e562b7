"""Who sees which ticket, and by when what is due. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

Department = Literal["operations", "quality", "product", "technology"]
DEPARTMENTS: tuple[Department, ...] = get_args(Department)

SEE_WITHIN = timedelta(minutes=15)
ANSWER_WITHIN = {"complaint": timedelta(hours=24), "low_rating": timedelta(hours=48)}
_OF_ROLE: dict[str, tuple[Department, ...]] = {
    "supervisor": ("operations", "product", "technology"),
    "inspector": ("quality",),
    "qa_lead": ("quality",),
}


@dataclass(frozen=True, slots=True)
class Due:
    """By when the department has to have seen it, and the customer to have an answer."""

    see_by: datetime
    answer_by: datetime


def due(kind: str, opened_at: datetime) -> Due:
    """The times of a ticket."""
    return Due(opened_at + SEE_WITHIN, opened_at + ANSWER_WITHIN[kind])


def is_overdue(see_by: datetime, seen: bool, answer_by: datetime, answered: bool, now: datetime) -> bool:
    """Whether somebody above has to hear of it."""
    return (not seen and now > see_by) or (not answered and now > answer_by)


def departments_of(roles: Collection[str]) -> frozenset[str]:
    """Departments whose tickets these roles work on."""
    return frozenset(department for role in roles for department in _OF_ROLE.get(role, ()))


def may_see(staff_id: str, roles: Collection[str], teller_id: str | None, department: str) -> bool:
    """Those of the department, but never the person it is about."""
    return staff_id != teller_id and department in departments_of(roles)


def may_judge(staff_id: str, opened_by: str) -> bool:
    """Who opened it does not answer or close it: nobody judges an own complaint."""
    return opened_by != f"staff:{staff_id}"
