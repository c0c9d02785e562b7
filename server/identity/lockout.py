"""When an account is locked. Pure: the account's books in, the new books out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_FAILURES = 5
LOCK_S = 600.0


@dataclass(frozen=True, slots=True)
class Books:
    """Failures since the last success, and until when the account is locked."""

    failed_logins: int = 0
    locked_until: datetime | None = None


def is_locked(books: Books, now: datetime) -> bool:
    """Whether no sign-in is let through, whatever the password."""
    return books.locked_until is not None and now < books.locked_until


def after_failure(books: Books, now: datetime) -> Books:
    """Books after a wrong password. While locked nothing counts, so that a lock cannot be prolonged by others."""
    if is_locked(books, now):
        return books
    failures = 1 if books.locked_until is not None else books.failed_logins + 1  # a lock that ran out is forgiven
    if failures >= MAX_FAILURES:
        return Books(failures, now + timedelta(seconds=LOCK_S))
    return Books(failures)
