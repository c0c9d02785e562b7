"""HTTP endpoints with declared permissions. A route without one does not start.

Handlers are plain functions ``async def f(request, path_arg, /, body: Model, query_arg: str = "")`` whose arguments are
validated by aiohttp-pydantic; they return a pydantic model, a list of them, or a `web.StreamResponse`.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import structlog
from aiohttp import web
from aiohttp_pydantic.decorator import inject_params
from pydantic import BaseModel, TypeAdapter, ValidationError
from redis import exceptions as redis_errors
from sqlalchemy.exc import InterfaceError, OperationalError

from core.db import DatabaseAwayError
from core.errors import BadInputError, CounterError, DeniedError, NotSignedInError, UnavailableError
from core.security.actor import Actor
from core.security.permissions import Permission

log = structlog.get_logger(__name__)

ACTOR = web.RequestKey("actor", Actor)
CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_anything: TypeAdapter[Any] = TypeAdapter(Any)


class Done(BaseModel):
    """An empty answer: nothing to say but yes."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Result of authentication. `csrf_token` is set when the actor came with a cookie."""

    actor: Actor
    csrf_token: str | None = None


Authenticate = Callable[[web.Request], Awaitable[SignedIn | None]]
"""None: nobody. NotSignedInError: somebody who no longer is, and why; on public endpoints that is nobody, too."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One declared route.

    Attributes:
        answer: Model of an answer that the handler writes itself. produces: Media type of one that is no JSON.
        consumes: Media type of a body that is no JSON. Handlers that take and return models need none of the three.
    """

    method: str
    path: str
    permission: Permission
    handler: Callable[..., Awaitable[Any]]
    answer: Any = None
    produces: str | None = None
    consumes: str | None = None


@dataclass(slots=True)
class RouteTable:
    """Routes of one room, collected by decorators and mounted by the composition root."""

    endpoints: list[Endpoint] = field(default_factory=list)

    def route(self, method: str, path: str, permission: Permission, **described: Any) -> Callable[[Any], Any]:
        """Declare a handler with the permission it needs. `described`: what `Endpoint` says beyond it."""

        def declare(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            self.endpoints.append(Endpoint(method, path, permission, handler, **described))
            return handler

        return declare

    def get(self, path: str, permission: Permission, **described: Any) -> Callable[[Any], Any]:
        """Declare a GET handler."""
        return self.route("GET", path, permission, **described)

    def post(self, path: str, permission: Permission, **described: Any) -> Callable[[Any], Any]:
        """Declare a POST handler."""
        return self.route("POST", path, permission, **described)

    def put(self, path: str, permission: Permission, **described: Any) -> Callable[[Any], Any]:
        """Declare a PUT handler."""
        return self.route("PUT", path, permission, **described)


def actor_of(request: web.Request) -> Actor:
    """Who is asking. Only for endpoints that are not public."""
    return request[ACTOR]


def mount(app: web.Application, tables: list[RouteTable], authenticate: Authenticate) -> None:
    """Add all endpoints, each guarded by its permission and the CSRF check."""
    for table in tables:
        for endpoint in table.endpoints:
            guarded = _guard(endpoint, authenticate)
            app.router.add_route(endpoint.method, endpoint.path, guarded)


def assert_declared(app: web.Application, exempt_paths: tuple[str, ...] = ()) -> None:
    """Refuse to start with a route that nobody declared a permission for.

    Args:
        exempt_paths: Canonical paths of static files and of the socket endpoint, which guards every message itself.
    """
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else "?"
        if not hasattr(route.handler, "declared_permission") and path not in exempt_paths:
            raise RuntimeError(f"{route.method} {path} declares no permission")


def _guard(endpoint: Endpoint, authenticate: Authenticate) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    inject = inject_params(on_validation_error=_bad_input).and_request
    handler: Callable[[web.Request], Awaitable[Any]] = inject(endpoint.handler)
    takes_body = _takes_body(endpoint.handler)

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            signed_in = await authenticate(request)
        except NotSignedInError:
            if endpoint.permission is not Permission.PUBLIC:
                raise
            signed_in = None
        if endpoint.permission is not Permission.PUBLIC:
            if signed_in is None:
                raise NotSignedInError("please sign in")
            signed_in.actor.require(endpoint.permission)
            if (
                signed_in.csrf_token is not None
                and request.method not in _SAFE_METHODS
                and request.headers.get(CSRF_HEADER) != signed_in.csrf_token
            ):
                raise DeniedError("the request does not carry this session's CSRF token", code="auth.csrf")
        if signed_in is not None:
            request[ACTOR] = signed_in.actor
        if unstorable(request.path) or unstorable(list(request.query.items())):
            raise BadInputError("the address holds characters that are no text")
        if takes_body:
            await _assert_json(request)
        return _respond(await handler(request))

    guarded.declared_permission = endpoint.permission  # type: ignore[attr-defined]
    return guarded


def _takes_body(handler: Callable[..., Awaitable[Any]]) -> bool:
    hints = [hint for name, hint in get_type_hints(handler).items() if name != "return"]
    return any(isinstance(hint, type) and issubclass(hint, BaseModel) for hint in hints)


async def _assert_json(request: web.Request) -> None:
    """Refuse also what the parser chokes on without a syntax error: wrong encodings, endless nesting or digits."""
    try:
        body = await request.json()
        refused = unstorable(body)
    except (ValueError, LookupError, RecursionError):
        raise BadInputError("the body is not JSON") from None
    if refused:
        raise BadInputError("the body holds characters that are no text")


def unstorable(value: Any) -> bool:
    """Whether a JSON value holds text that no database keeps: NUL, or halves of surrogate pairs."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is not None
    if isinstance(value, dict):
        return any(unstorable(key) or unstorable(part) for key, part in value.items())
    return isinstance(value, list | tuple) and any(unstorable(part) for part in value)


def _respond(result: Any) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    body = result.model_dump_json().encode() if isinstance(result, BaseModel) else _anything.dump_json(result)
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def _bad_input(error: ValidationError, context: Any) -> web.StreamResponse:
    raise bad_input_from(error)


def bad_input_from(error: ValidationError) -> BadInputError:
    """The coded form of a validation error, without echoing the values that were sent."""
    problems = [
        {"field": ".".join(str(part) for part in item["loc"]), "problem": item["type"]}
        for item in error.errors(include_url=False, include_input=False)
    ]
    return BadInputError("the message does not have the expected shape", problems=problems)


@web.middleware
async def error_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every refusal and every failure leaves as ``{"error": {"code", "message", "retryable", "fields"}}``."""
    try:
        return await handler(request)
    except CounterError as error:
        return web.json_response({"error": error.as_dict()}, status=error.http_status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = {404: "http.not_found", 405: "http.method_not_allowed", 413: "input.too_large"}.get(
            error.status, "input.invalid" if error.status < 500 else "internal"
        )
        body = {"code": code, "message": error.reason, "retryable": False, "fields": {}}
        return web.json_response({"error": body}, status=error.status)
    except (DatabaseAwayError, OperationalError, InterfaceError) as error:
        log.error("request refused: the database is away", path=request.path, error=str(error))
        away = UnavailableError("the database does not answer", code="database.away")
        return web.json_response({"error": away.as_dict()}, status=away.http_status)
    except (redis_errors.ConnectionError, redis_errors.TimeoutError) as error:
        log.error("request refused: Redis is away", path=request.path, error=str(error))
        away = UnavailableError("the queue does not answer", code="queue.away")
        return web.json_response({"error": away.as_dict()}, status=away.http_status)
    except ConnectionResetError:
        # The browser went away, as players do when they have seen enough. Nobody is there to read this answer.
        return web.Response(status=499, reason="Client Closed Request")
    except Exception as error:
        log.error("request failed", method=request.method, path=request.path, exc_info=error)
        body = {"code": "internal", "message": "something failed on our side", "retryable": True, "fields": {}}
        return web.json_response({"error": body}, status=500)
