"""The permission matrix, in one place. What is not written here is denied."""

from collections.abc import Iterable
from enum import StrEnum


class Permission(StrEnum):
    """What can be allowed. Rows (own calls, own team) are checked by `access_*` functions on top."""

    PUBLIC = "public"  # anybody, signed in or not: declared on purpose, never by omission
    VISIT_OWN = "visit.own"
    CALL_JOIN = "call.join"
    CALL_RESULT = "call.result"
    SESSION_OWN = "session.own"  # who is signed in, second step, sign-out: also before the sign-in is complete
    ACCOUNT_OWN = "account.own"  # own password and authenticator: also while one of them has to be set
    STAFF_SELF = "staff.self"
    CALL_TAKE = "call.take"
    CALL_OVERSEE = "call.oversee"
    CALL_ASSIST = "call.assist"
    QUEUE_NOTICE = "queue.notice"
    BOOKING_VIEW = "booking.view"  # who comes when; never the number that opens a booking
    ROUTING_SETUP = "routing.setup"
    ALARM_VIEW = "alarm.view"
    QA_VIEW = "qa.view"
    QA_SCORE = "qa.score"
    QA_MANAGE = "qa.manage"  # forms, sample plans, who inspects what, calibration
    QA_VERDICT = "qa.verdict"  # last word on an appeal
    QA_REPORT = "qa.report"
    EVALUATION_OWN = "evaluation.own"  # a teller's evaluations, appeals and rectifications
    APPEAL_SUPPORT = "appeal.support"  # a supervisor's opinion on an appeal of the own team
    CUSTOMER_NUMBERS = "customer.numbers"  # identity, card and phone numbers in transcripts, uncovered
    RULES_EDIT = "rules.edit"  # script rules: draft, try, submit
    RULES_APPROVE = "rules.approve"  # never the own draft
    RECORDING_PLAY = "recording.play"
    RECORDING_EXPORT = "recording.export"
    RECORDING_VIEW = "recording.view"  # look on, with purpose and watermark; keep nothing
    EVIDENCE_EXPORT = "evidence.export"  # everything known of a call, uncovered, in one package
    AUDIT_VIEW = "audit.view"
    RETENTION_VIEW = "retention.view"  # how long what is kept, legal holds, what was deleted; no content
    RETENTION_SET = "retention.set"
    HOLD_SET = "hold.set"  # set, confirm and lift legal holds; a second person each time
    PURGE_PROPOSE = "purge.propose"  # list what is due
    PURGE_APPROVE = "purge.approve"  # have it deleted, never from the own list
    SUBJECT_SERVE = "subject.serve"  # give customers what is kept about them, propose to delete it
    JOB_RETRY = "job.retry"
    EMERGENCY_SWITCH = "emergency.switch"
    TICKET_OPEN = "ticket.open"
    TICKET_WORK = "ticket.work"
    KNOWLEDGE_READ = "knowledge.read"  # and propose
    KNOWLEDGE_PUBLISH = "knowledge.publish"
    STATISTICS_VIEW = "statistics.view"
    PEER_REVIEW = "peer.review"
    CUSTOMER_HISTORY = "customer.history"
    STAFF_MANAGE = "staff.manage"
    CATALOGUE_EDIT = "catalogue.edit"  # how businesses are done; never what customers hand in
    PAPERS_VIEW = (
        "papers.view"  # signed documents and vouchers: a teller those of own calls; looking is in the audit log
    )
    CHANGE_APPROVE = "change.approve"  # a change of businesses, review rules or authorisation levels; never the own
    NOTICE_VIEW = "notice.view"
    NOTICE_RETRY = "notice.retry"
    POSTING_RECONCILE = "posting.reconcile"
    REVIEW_DECIDE = "review.decide"
    REVIEW_RULES = "review.rules"
    FRAUD_ASSESS = "fraud.assess"  # alerts of own calls
    FRAUD_DECIDE = "fraud.decide"  # of all calls; lets a business go on
    OPEN_BOOK = "open.book"  # other systems of the bank, by API key: see SCOPES
    OPEN_CALLS = "open.calls"
    OPEN_RESULTS = "open.results"
    OPEN_EVERYBODY = "open.everybody"  # calls of all customers, not only of own bookings
    OPEN_MANAGE = "open.manage"  # API keys and webhooks
    NODE_DRAIN = "node.drain"  # see the processes, take media nodes out
    BACKUP_MANAGE = "backup.manage"  # see the plan and its results, make one now


_MATRIX: dict[str, frozenset[Permission]] = {
    "customer": frozenset({Permission.VISIT_OWN, Permission.CALL_JOIN, Permission.CALL_RESULT}),
    "teller": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.CALL_TAKE,
            Permission.FRAUD_ASSESS,
            Permission.EVALUATION_OWN,
            Permission.CALL_ASSIST,
        }
    ),
    "expert": frozenset({Permission.STAFF_SELF, Permission.CALL_ASSIST}),
    "supervisor": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.CALL_OVERSEE,
            Permission.ALARM_VIEW,
            Permission.JOB_RETRY,
            Permission.APPEAL_SUPPORT,
            Permission.QA_REPORT,
            Permission.NOTICE_VIEW,
            Permission.NOTICE_RETRY,
            Permission.POSTING_RECONCILE,
            Permission.QUEUE_NOTICE,
            Permission.CALL_ASSIST,
            Permission.REVIEW_DECIDE,
            Permission.FRAUD_ASSESS,
            Permission.FRAUD_DECIDE,
            Permission.CHANGE_APPROVE,
        }
    ),
    "inspector": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.CALL_RESULT,
            Permission.QA_VIEW,
            Permission.QA_SCORE,
            Permission.QA_REPORT,
            Permission.RECORDING_PLAY,
            Permission.RECORDING_EXPORT,
        }
    ),
    "qa_lead": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.CALL_RESULT,
            Permission.QA_VIEW,
            Permission.QA_MANAGE,
            Permission.QA_VERDICT,
            Permission.CUSTOMER_NUMBERS,
            Permission.RULES_EDIT,
            Permission.RULES_APPROVE,
            Permission.QA_REPORT,
            Permission.RECORDING_PLAY,
            Permission.EVIDENCE_EXPORT,
        }
    ),
    "auditor": frozenset(
        {
            Permission.STAFF_SELF,
            Permission.AUDIT_VIEW,
            Permission.RECORDING_VIEW,
            Permission.EVIDENCE_EXPORT,
            Permission.RETENTION_VIEW,
            Permission.HOLD_SET,
            Permission.PURGE_APPROVE,
            Permission.SUBJECT_SERVE,
        }
    ),
    "admin": frozenset(
        {
            Permission.CATALOGUE_EDIT,
            Permission.CHANGE_APPROVE,
            Permission.STAFF_SELF,
            Permission.ALARM_VIEW,
            Permission.JOB_RETRY,
            Permission.NOTICE_VIEW,
            Permission.RULES_EDIT,
            Permission.RULES_APPROVE,
            Permission.QUEUE_NOTICE,
            Permission.ROUTING_SETUP,
            Permission.REVIEW_RULES,
            Permission.RETENTION_VIEW,
            Permission.RETENTION_SET,
            Permission.HOLD_SET,
            Permission.PURGE_PROPOSE,
            Permission.PURGE_APPROVE,
        }
    ),
}

# Supervision and people: a second table over the same roles, so that each stays readable.
_EVERYBODY_AT_THE_COUNTER = frozenset({Permission.KNOWLEDGE_READ, Permission.TICKET_OPEN})
_PEOPLE: dict[str, frozenset[Permission]] = {
    "teller": _EVERYBODY_AT_THE_COUNTER
    | {Permission.PEER_REVIEW, Permission.CUSTOMER_HISTORY, Permission.BOOKING_VIEW, Permission.PAPERS_VIEW},
    "expert": _EVERYBODY_AT_THE_COUNTER | {Permission.KNOWLEDGE_PUBLISH},
    "supervisor": _EVERYBODY_AT_THE_COUNTER
    | {
        Permission.EMERGENCY_SWITCH,
        Permission.TICKET_WORK,
        Permission.KNOWLEDGE_PUBLISH,
        Permission.STATISTICS_VIEW,
        Permission.CUSTOMER_HISTORY,
        Permission.BOOKING_VIEW,
        Permission.PAPERS_VIEW,
    },
    "inspector": _EVERYBODY_AT_THE_COUNTER | {Permission.TICKET_WORK},
    "qa_lead": frozenset(
        {Permission.KNOWLEDGE_READ, Permission.TICKET_WORK, Permission.STATISTICS_VIEW, Permission.PAPERS_VIEW}
    ),
    "auditor": frozenset({Permission.PAPERS_VIEW}),
    "admin": frozenset(
        {Permission.STAFF_MANAGE, Permission.OPEN_MANAGE, Permission.NODE_DRAIN, Permission.BACKUP_MANAGE}
    ),
}

NOT_OWN_WORK = frozenset(
    {
        Permission.QA_VIEW,
        Permission.QA_SCORE,
        Permission.QA_VERDICT,
        Permission.APPEAL_SUPPORT,
        Permission.REVIEW_DECIDE,
        Permission.FRAUD_DECIDE,
        Permission.POSTING_RECONCILE,
        Permission.RULES_APPROVE,
        Permission.CHANGE_APPROVE,
        Permission.KNOWLEDGE_PUBLISH,
        Permission.CALL_OVERSEE,
        Permission.TICKET_WORK,
        Permission.STAFF_MANAGE,
        Permission.EVIDENCE_EXPORT,
        Permission.RECORDING_VIEW,
        Permission.HOLD_SET,
        Permission.PURGE_APPROVE,
    }
)
"""Separation of posts: whoever holds these does not use them on own calls, own cases, own drafts, the own account."""

CUSTOMER = "customer"

_OWN = frozenset(
    {
        Permission.VISIT_OWN,
        Permission.CALL_JOIN,
        Permission.SESSION_OWN,
        Permission.ACCOUNT_OWN,
        Permission.CALL_TAKE,
        Permission.CALL_ASSIST,
        Permission.EVALUATION_OWN,
    }
)
_OWN_BY_ROLE = {
    "customer": frozenset({Permission.CALL_RESULT}),
    "teller": frozenset(
        {Permission.FRAUD_ASSESS, Permission.CUSTOMER_HISTORY, Permission.TICKET_OPEN, Permission.PAPERS_VIEW}
    ),
}

SCOPES: dict[str, frozenset[Permission]] = {
    "appointments": frozenset({Permission.OPEN_BOOK}),
    "calls": frozenset({Permission.OPEN_CALLS}),
    "results": frozenset({Permission.OPEN_CALLS, Permission.OPEN_RESULTS}),
    "everybody": frozenset({Permission.OPEN_EVERYBODY}),
}
"""What an API key may be given."""


def roles() -> tuple[str, ...]:
    """Every role of the matrix, customers first."""
    return tuple(_MATRIX)


def own_only(role: str, permission: Permission) -> bool:
    """Whether a role holds a permission for own rows only: the own visit, own calls, the own account."""
    return permission in _OWN or permission in _OWN_BY_ROLE.get(role, frozenset())


def roles_with(permission: Permission) -> frozenset[str]:
    """The roles that hold a permission."""
    return frozenset(role for role in _MATRIX if permission in _MATRIX[role] | _PEOPLE.get(role, frozenset()))


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """All permissions of an API key with the given scopes. An unknown scope grants nothing."""
    return frozenset({Permission.PUBLIC}).union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """All permissions of the given roles. An unknown role grants nothing."""
    granted = {Permission.PUBLIC}
    for role in roles:
        granted |= _MATRIX.get(role, frozenset()) | _PEOPLE.get(role, frozenset())
    if Permission.STAFF_SELF in granted:
        granted |= {Permission.SESSION_OWN, Permission.ACCOUNT_OWN}
    return frozenset(granted)
