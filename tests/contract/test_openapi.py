"""The description of the endpoints says what they do."""

import re
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from core.http import Done, RouteTable
from core.openapi import describe
from core.security.permissions import Permission
from server.app.api_page import description_of, page_of

Code = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]


class ThingRequest(BaseModel):
    """What is wanted."""

    model_config = ConfigDict(extra="forbid")
    size_b: int


def _table() -> RouteTable:
    table = RouteTable()

    @table.post("/api/things/{code:\\d+}", Permission.VISIT_OWN)
    async def change(request: web.Request, code: Code, /, body: ThingRequest, many: int = 3) -> list[Done]:
        """Change it.

        More about it.
        """
        return []

    @table.get("/api/things/{path:.*}", Permission.PUBLIC, produces="image/png")
    async def look(request: web.Request) -> web.Response:
        return web.Response()

    return table


def test_a_handler_is_described_by_its_signature() -> None:
    made = describe(_table().endpoints, "Things", "1", "")
    operation = made["paths"]["/api/things/{code}"]["post"]
    assert operation["summary"] == "Change it."
    assert operation["description"] == "More about it."
    assert operation["security"] == [{"visitToken": []}]
    code, many = operation["parameters"]
    assert (code["in"], code["required"], code["schema"]["pattern"]) == ("path", True, r"^\d{8}$")
    assert (many["in"], many["required"], many["schema"]["default"]) == ("query", False, 3)
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert made["components"]["schemas"][body.rsplit("/", 1)[1]]["required"] == ["size_b"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    look = made["paths"]["/api/things/{path}"]["get"]
    assert look["security"] == []
    assert list(look["responses"]["200"]["content"]) == ["image/png"]
    assert [parameter["name"] for parameter in look["parameters"]] == ["path"]


def test_every_reference_leads_somewhere_and_the_page_shows_all() -> None:
    made = description_of([_table()])
    names = set(made["components"]["schemas"])
    for name in re.findall(r"#/components/schemas/([^'\"]+)", str(made)):
        assert name in names
    page = page_of(made)
    assert page.count("<details") == len(names) + sum(len(methods) for methods in made["paths"].values())
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page


def test_what_is_said_about_types_cannot_break_out_of_the_page() -> None:
    table = RouteTable()

    @table.get("/api/x", Permission.PUBLIC)
    async def evil(
        request: web.Request, q: Annotated[str, StringConstraints(pattern="<script>")] = ""
    ) -> dict[str, Any]:
        """<script>alert(1)</script>"""
        return {}

    assert "<script>" not in page_of(description_of([table]))
