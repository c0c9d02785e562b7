"""Short-lived signed visit tokens (JWT, HS256) for customers, and random tokens for staff sessions."""

import hashlib
import secrets
from datetime import datetime, timedelta

import jwt

from core.errors import NotSignedInError

_AUDIENCE = "aircounter.visit"


def issue_visit_token(token_key: str, visit_id: str, now: datetime, lifetime_s: float) -> str:
    """A token that lets its bearer act on one visit."""
    claims = {"sub": visit_id, "aud": _AUDIENCE, "iat": now, "exp": now + timedelta(seconds=lifetime_s)}
    return jwt.encode(claims, token_key, algorithm="HS256")


def read_visit_token(token_key: str, token: str) -> str:
    """The visit id of a valid token.

    Raises:
        NotSignedInError: ``visit.token_expired`` or ``visit.token_invalid``.
    """
    try:
        claims = jwt.decode(token, token_key, algorithms=["HS256"], audience=_AUDIENCE)
    except jwt.ExpiredSignatureError:
        raise NotSignedInError("this visit has expired", code="visit.token_expired") from None
    except jwt.InvalidTokenError:
        raise NotSignedInError("not a valid visit token", code="visit.token_invalid") from None
    return str(claims["sub"])


def new_secret() -> str:
    """An unguessable URL-safe string."""
    return secrets.token_urlsafe(32)


def sha256_hex(text: str) -> str:
    """SHA-256 as hex; session cookies are stored only like this."""
    return hashlib.sha256(text.encode()).hexdigest()
