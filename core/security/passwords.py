"""Argon2id password hashes (RFC 9106) with the library's current parameters."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_DUMMY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Hash for storage. Takes tens of milliseconds on purpose: run it in a thread inside the server."""
    return _hasher.hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Check a password. With no stored hash it works just as long and says no, so that names cannot be probed."""
    try:
        return _hasher.verify(stored or _DUMMY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
