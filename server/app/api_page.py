"""``/openapi.json`` and ``/api/docs``: the description of every endpoint, for programs and for people."""

import json
from html import escape
from importlib.metadata import version
from typing import Any

from aiohttp import web

from core.http import Endpoint, RouteTable
from core.openapi import describe
from core.security.permissions import Permission

_TEXT = (
    "Endpoints of one AirCounter installation. Other systems of a bank use those under `/api/open/v1` with an API key; "
    "the others are the pages' own and change with them.\n\nWhat is refused is answered with a stable code, "
    'e.g. `{"error": {"code": "slot.gone", …}}`.'
)
_HEAD = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>AirCounter 开放接口 · Open API</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/api/docs.css">'
    "</head><body><header><h1>AirCounter 开放接口 <small>Open API</small></h1>"
    "<p>银行其他系统凭 API 密钥调用 <code>/api/open/v1</code> 下的接口；其余接口供本系统页面使用，随页面变化。"
    '机器可读的描述：<a href="/openapi.json">/openapi.json</a>（OpenAPI 3.1）。</p>'
    "<p>Other systems of the bank use the endpoints under <code>/api/open/v1</code> with an API key; "
    "the others are the pages' own and change with them.</p></header><main>"
)
_CSS = """
:root { color-scheme: light; --ink: #1d2733; --quiet: #5a6878; --line: #dde3ea; --ground: #f6f8fa; --accent: #0b5cad; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, "Noto Sans SC", sans-serif; color: var(--ink); background: var(--ground); }
header, main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { margin: 1rem 0 .5rem; font-size: 1.75rem; } h1 small { color: var(--quiet); font-weight: 400; }
h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
details { background: #fff; border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; }
summary { padding: .75rem 1rem; cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 3.5rem; color: var(--accent); }
summary span { color: var(--quiet); display: block; }
details > div { padding: 0 1rem 1rem; overflow-x: auto; }
code, pre { font: 14px/1.5 ui-monospace, monospace; } pre { background: var(--ground); padding: .75rem; margin: 0; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .75rem .25rem 0; }
a { color: var(--accent); } p.quiet { color: var(--quiet); }
"""
_WAYS = {
    "apiKey": "API 密钥 API key",
    "visitToken": "客户访问令牌 visit token",
    "staffSession": "员工会话 staff session",
}


def api_routes(tables: list[RouteTable]) -> RouteTable:
    """The description of these tables and of itself."""
    table = RouteTable()

    @table.get("/openapi.json", Permission.PUBLIC, answer=dict[str, Any])
    async def description(request: web.Request) -> web.Response:
        """This description."""
        return web.Response(body=body, content_type="application/json")

    @table.get("/api/docs", Permission.PUBLIC, produces="text/html")
    async def page(request: web.Request) -> web.Response:
        """This description as a page."""
        return web.Response(text=html, content_type="text/html")

    @table.get("/api/docs.css", Permission.PUBLIC, produces="text/css")
    async def style(request: web.Request) -> web.Response:
        """Looks of the page."""
        return web.Response(text=_CSS, content_type="text/css")

    # Made once: routes are declared at start and never change.
    made = description_of([*tables, table])
    body, html = json.dumps(made, ensure_ascii=False).encode(), page_of(made)
    return table


def description_of(tables: list[RouteTable]) -> dict[str, Any]:
    """The OpenAPI object of these tables."""
    endpoints: list[Endpoint] = [endpoint for table in tables for endpoint in table.endpoints]
    return describe(endpoints, "AirCounter", version("aircounter"), _TEXT)


def page_of(made: dict[str, Any]) -> str:
    """The page: endpoints for other systems first, then the others by first word of their path."""
    groups: dict[str, list[str]] = {}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_entry(method, path, operation))
    order = sorted(groups, key=lambda tag: (tag != "open", tag))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(groups[tag])}" for tag in order)
    schemas = "".join(_named(name, schema) for name, schema in made["components"]["schemas"].items())
    return f"{_HEAD}{body}<h2>schemas</h2>{schemas}</main></body></html>"


def _entry(method: str, path: str, operation: dict[str, Any]) -> str:
    ways = " / ".join(_WAYS[way] for ways in operation["security"] for way in ways if way in _WAYS)
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}{'' if each['required'] else ', optional'}"
        f"</td><td><code>{escape(json.dumps(each['schema'], ensure_ascii=False, default=str))}</code></td></tr>"
        for each in operation["parameters"]
    )
    body = operation.get("requestBody", {}).get("content", {})
    answer = operation["responses"]["200"]["content"]
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code>"
        f"<span>{escape(operation['summary'])}</span></summary><div>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f'<p class="quiet">{escape(ways) or "公开 public"} · <code>{escape(operation["x-permission"])}</code></p>'
        f"{f'<table>{rows}</table>' if rows else ''}{_body('Body', body)}{_body('Answer', answer)}</div></details>"
    )


def _named(name: str, schema: Any) -> str:
    shown = escape(name)
    return f'<details id="{shown}"><summary><code>{shown}</code></summary><div>{_json(schema)}</div></details>'


def _body(title: str, content: dict[str, Any]) -> str:
    return "".join(f"<p>{title}: {escape(kind)}</p>{_json(each['schema'])}" for kind, each in content.items())


def _json(schema: Any) -> str:
    text = escape(json.dumps(schema, indent=1, ensure_ascii=False, default=str))
    return f"<pre>{_linked(text)}</pre>"


def _linked(text: str) -> str:
    marker = "#/components/schemas/"
    pieces = text.split(marker)
    linked = pieces[0]
    for piece in pieces[1:]:
        name, rest = piece.split("&quot;", 1)
        linked += f'<a href="#{name}">{name}</a>&quot;{rest}'
    return linked
