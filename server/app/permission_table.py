"""The permission matrix as a page of the documentation: ``python -m server.app.permission_table``.

Endpoints and messages are those of the edge itself; nothing is written by hand.
"""

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path

import aiohttp
from aiohttp import web

from core.security.permissions import NOT_OWN_WORK, SCOPES, Permission, own_only, permissions_of, roles
from core.settings import Settings
from server.app import edge
from server.app.connections import open_connections
from signaling.messages import MESSAGES

_HEAD = """# Who may do what

Made from `core/security/permissions.py` and the endpoints and messages of the edge by `./dev gen`; a test compares it
with the running edge, and another tries every endpoint and message as everybody.

● may · ○ may, own rows only (own visit, own calls, own account) · † never for own work, whatever other posts one holds
(separation of posts). `PUBLIC` is open to anybody on purpose. What is not listed is refused.

| permission |"""


def page_of(app: web.Application) -> str:
    """The page for what this application mounts."""
    opened: dict[Permission, list[str]] = defaultdict(list)
    for route in app.router.routes():
        permission = getattr(route.handler, "declared_permission", None)
        if permission is not None and route.method != "HEAD" and route.resource is not None:
            opened[permission].append(f"{route.method} {route.resource.canonical}")
    for namespace, messages in MESSAGES.items():
        for message in messages:
            if message.permission is not None:
                opened[message.permission].append(f"{namespace} {message.name}")
    posts = roles()
    lines = [_HEAD + "".join(f" {role} |" for role in posts), "|---|" + ":-:|" * len(posts)]
    for permission in Permission:
        if permission is not Permission.PUBLIC:
            mark = " †" if permission in NOT_OWN_WORK else ""
            lines.append(f"| `{permission}`{mark} |" + "".join(f" {_held(role, permission)} |" for role in posts))
    lines += ["", "## API keys", "", "| scope | permissions |", "|---|---|"]
    lines += [f"| `{scope}` | {_list(sorted(given))} |" for scope, given in SCOPES.items()]
    lines += ["", "## What each permission opens", ""]
    lines += [f"* `{permission}`: {_list(sorted(opened[permission]))}" for permission in Permission]
    return "\n".join(lines) + "\n"


def _held(role: str, permission: Permission) -> str:
    if permission not in permissions_of([role]):
        return ""
    return "○" if own_only(role, permission) else "●"


def _list(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing by itself: asked within other endpoints"


async def _page() -> str:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), database_url="postgresql+asyncpg://nobody@/none", redis_url="redis://127.0.0.1:1"
        )
        async with open_connections(settings) as connections, aiohttp.ClientSession() as http:
            app, _ = edge.build(connections, http, lambda task, error: None)
            return page_of(app)


if __name__ == "__main__":
    print(asyncio.run(_page()), end="")
