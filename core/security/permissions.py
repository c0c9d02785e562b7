"""The permission matrix, in one place. What is not written here is denied."""

from collections.abc import Iterable
from enum import StrEnum


class Permission(StrEnum):
    """What can be allowed. Rows (own calls, own team) are checked by `access_*` functions on top."""

    PUBLIC = "public"  # anybody, signed in or not: declared on purpose, never by omission
    VISIT_OWN = "visit.own"
    CALL_JOIN = "call.join"
    CALL_RESULT = "call.result"
    STAFF_SELF = "staff.self"
    CALL_TAKE = "call.take"
    CALL_OVERSEE = "call.oversee"
    ALARM_VIEW = "alarm.view"
    QA_VIEW = "qa.view"
    QA_SCORE = "qa.score"
    RECORDING_PLAY = "recording.play"
    RECORDING_EXPORT = "recording.export"
    AUDIT_VIEW = "audit.view"
    JOB_RETRY = "job.retry"


_MATRIX: dict[str, frozenset[Permission]] = {
    "customer": frozenset({Permission.VISIT_OWN, Permission.CALL_JOIN, Permission.CALL_RESULT}),
    "teller": frozenset({Permission.STAFF_SELF, Permission.CALL_TAKE}),
    "expert": frozenset({Permission.STAFF_SELF}),
    "supervisor": frozenset(
        {Permission.STAFF_SELF, Permission.CALL_OVERSEE, Permission.ALARM_VIEW, Permission.JOB_RETRY}
    ),
    "inspector": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.CALL_RESULT,
            Permission.QA_VIEW,
            Permission.QA_SCORE,
            Permission.RECORDING_PLAY,
            Permission.RECORDING_EXPORT,
        }
    ),
    "auditor": frozenset({Permission.STAFF_SELF, Permission.AUDIT_VIEW}),
    "admin": frozenset({Permission.STAFF_SELF, Permission.ALARM_VIEW, Permission.JOB_RETRY}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """All permissions of the given roles. An unknown role grants nothing."""
    granted = {Permission.PUBLIC}
    for role in roles:
        granted |= _MATRIX.get(role, frozenset())
    return frozenset(granted)
