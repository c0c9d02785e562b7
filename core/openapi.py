"""The OpenAPI 3.1 description of declared routes: made from what their handlers say, so that it cannot go stale."""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from core.http import CSRF_HEADER, Endpoint
from core.security.permissions import CUSTOMER, SCOPES, Permission, roles_with

SESSION_COOKIE = "ac_session"
_PARTS = re.compile(r"{(\w+)(?::([^{}]+))?}")
_REF = "#/components/schemas/{model}"


class Refusal(BaseModel):
    """Why something was not done. `code` is stable; docs/refusal-codes.md lists all. `fields` are facts about it."""

    code: str
    message: str
    retryable: bool
    fields: dict[str, Any]


class RefusalAnswer(BaseModel):
    """Body of every answer that is not a success."""

    error: Refusal


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a handler takes: name → (type, default) of path, query and headers, and the type of the body."""

    path: dict[str, Any]
    query: dict[str, tuple[Any, Any]]
    headers: dict[str, tuple[Any, Any]]
    body: type[BaseModel] | None
    answer: Any


def describe(endpoints: Iterable[Endpoint], title: str, version: str, text: str) -> dict[str, Any]:
    """The description as a JSON object.

    Args:
        text: About the whole interface, CommonMark.
    """
    parts = [(endpoint, _parts(endpoint)) for endpoint in endpoints]
    schemas, definitions = _schemas([each for _, each in parts])
    paths: dict[str, dict[str, Any]] = {}
    for endpoint, each in parts:
        where = paths.setdefault(_PARTS.sub(r"{\1}", endpoint.path), {})
        where[endpoint.method.lower()] = _operation(endpoint, each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": text, "license": {"name": "Apache-2.0"}},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": definitions, "securitySchemes": _SECURITY},
    }


_SECURITY: dict[str, Any] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of another system of the bank."},
    "visitToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A customer's visit."},
    "staffSession": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "From /api/auth/login."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "Of the staff session; with every request that is no GET.",
    },
}


def _parts(endpoint: Endpoint) -> _Parts:
    hints = get_type_hints(endpoint.handler, include_extras=True)
    parts = _Parts({}, {}, {}, None, endpoint.answer or hints.get("return"))
    body = None
    for name, parameter in list(inspect.signature(endpoint.handler).parameters.items())[1:]:
        kind, hint = parameter.kind, hints[name]
        if kind is parameter.POSITIONAL_ONLY:
            parts.path[name] = hint
        elif kind is parameter.KEYWORD_ONLY:
            parts.headers[name] = (hint, parameter.default)
        elif isinstance(hint, type) and issubclass(hint, BaseModel):
            body = hint
        else:
            parts.query[name] = (hint, parameter.default)
    return _Parts(parts.path, parts.query, parts.headers, body, parts.answer)


def _schemas(parts: list[_Parts]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Schemas by (kind, repr of type), and the named ones they refer to."""
    wanted: dict[Any, tuple[JsonSchemaMode, Any]] = {_key(RefusalAnswer, "out"): ("serialization", RefusalAnswer)}
    for each in parts:
        taken = [*each.path.values(), *(hint for hint, _ in (each.query | each.headers).values())]
        for hint in [*taken, *([each.body] if each.body else [])]:
            wanted[_key(hint, "in")] = ("validation", hint)
        if not _is_response(each.answer):
            wanted[_key(each.answer, "out")] = ("serialization", each.answer)
    inputs = [(key, mode, TypeAdapter(hint)) for key, (mode, hint) in wanted.items()]
    found, rest = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    return {key: schema for (key, _), schema in found.items()}, rest.get("$defs", {})


def _key(hint: Any, way: str) -> str:
    return f"{way} {hint!r}"


def _is_response(answer: Any) -> bool:
    return isinstance(answer, type) and issubclass(answer, web.StreamResponse)


def _operation(endpoint: Endpoint, parts: _Parts, schemas: dict[Any, Any]) -> dict[str, Any]:
    if _is_response(parts.answer):
        media_type = endpoint.produces or "application/octet-stream"
        schema: Any = {"type": "string"} if media_type.startswith("text/") else {}
    else:
        media_type, schema = "application/json", schemas[_key(parts.answer, "out")]
    refusal = {"application/json": {"schema": schemas[_key(RefusalAnswer, "out")]}}
    done = {"description": "Done", "content": {media_type: {"schema": schema}}}
    words = inspect.getdoc(endpoint.handler) or ""
    summary = words.split("\n", 1)[0] or endpoint.handler.__name__.replace("_", " ").capitalize()
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": summary,
        "tags": [_tag(endpoint.path)],
        "parameters": _parameters(endpoint, parts, schemas),
        "responses": {
            "200": done,
            "4XX": {"description": "Refused; nothing has changed", "content": refusal},
            "5XX": {"description": "Something failed on this side", "content": refusal},
        },
        "security": _security(endpoint),
        "x-permission": str(endpoint.permission),
    }
    if "\n" in words:
        operation["description"] = words.split("\n", 1)[1].strip()
    if parts.body is not None:
        content: Any = {"application/json": {"schema": schemas[_key(parts.body, "in")]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.consumes is not None:
        operation["requestBody"] = {"required": True, "content": {endpoint.consumes: {"schema": {}}}}
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.sub(r"\W+", "_", _PARTS.sub(r"\1", endpoint.path)).strip("_")
    return f"{endpoint.method.lower()}_{words}"


def _tag(path: str) -> str:
    words = path.strip("/").split("/")
    if words[:2] == ["api", "open"]:
        return "open"
    return words[1] if words[0] == "api" and len(words) > 1 else "operations"


def _parameters(endpoint: Endpoint, parts: _Parts, schemas: dict[Any, Any]) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": schemas[_key(hint, "in")]}
        for name, hint in parts.path.items()
    ]
    for where, taken in (("query", parts.query), ("header", parts.headers)):
        for name, (hint, default) in taken.items():
            schema = dict(schemas[_key(hint, "in")])
            if default is not inspect.Parameter.empty and "$ref" not in schema:
                schema["default"] = default
            shown = name.replace("_", "-").title() if where == "header" else name
            required = default is inspect.Parameter.empty
            found.append({"name": shown, "in": where, "required": required, "schema": schema})
    # Parts of the path that the handler does not take (pages) are still part of the address.
    known = {parameter["name"] for parameter in found}
    for name, pattern in _PARTS.findall(endpoint.path):
        if name not in known:
            schema = {"type": "string", **({"pattern": f"^{pattern}$"} if pattern else {})}
            found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.permission is Permission.PUBLIC:
        return []
    ways: list[dict[str, list[str]]] = []
    roles = roles_with(endpoint.permission)
    if any(endpoint.permission in held for held in SCOPES.values()):
        ways.append({"apiKey": []})
    if CUSTOMER in roles:
        ways.append({"visitToken": []})
    if roles - {CUSTOMER}:
        ways.append({"staffSession": []} if endpoint.method == "GET" else {"staffSession": [], "csrf": []})
    return ways
