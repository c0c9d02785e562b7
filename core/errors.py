"""One coded error base. An expected refusal carries a stable code that the pages translate."""

from typing import Any


class CounterError(Exception):
    """An expected refusal.

    Attributes:
        code: Stable dotted code, e.g. ``call.not_found``. Part of the public protocol.
        http_status: Status for HTTP answers.
        retryable: Whether trying the same again later may succeed.
        fields: Facts safe to show to the caller.
    """

    code = "internal"
    http_status = 500
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.fields = fields

    def as_dict(self) -> dict[str, Any]:
        """The error as it travels: ``{"code", "message", "retryable", "fields"}``."""
        return {"code": self.code, "message": str(self), "retryable": self.retryable, "fields": self.fields}


class BadInputError(CounterError):
    """The message does not have the declared shape or value."""

    code = "input.invalid"
    http_status = 400


class NotSignedInError(CounterError):
    """Nobody is signed in, or the session or token has ended."""

    code = "auth.required"
    http_status = 401


class DeniedError(CounterError):
    """The actor may not do this."""

    code = "auth.denied"
    http_status = 403


class NotFoundError(CounterError):
    """There is no such object, or the actor may not know of it."""

    code = "object.not_found"
    http_status = 404


class ConflictError(CounterError):
    """The object is not in a state that allows this."""

    code = "state.conflict"
    http_status = 409


class RateLimitedError(CounterError):
    """Too many attempts."""

    code = "rate.limited"
    http_status = 429
    retryable = True


class UnavailableError(CounterError):
    """A part this needs is not there right now."""

    code = "service.unavailable"
    http_status = 503
    retryable = True
