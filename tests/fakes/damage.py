"""Malformed and extreme input for every endpoint and message of an edge, made from what it publishes of itself."""

import asyncio
import random
import re
import time
from typing import Any

from edge_house import EdgeHouse, add_belongings, example
from sqlmodel import col, select

from core.errors import CounterError
from core.models import Staff
from signaling.client import SignalingClient
from signaling.messages import CUSTOMER, MESSAGES, STAFF

NASTY: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 1e308, "", " ", "\x00", "a" * 300, "测试\u202e", "\ud800", "' or 1=1 --",
    "../../etc/passwd",
    "%", "{}", "9999-99-99", "2026-02-30T25:61:61Z", [], {}, [[]], {"a": {"b": []}}, "<script>", "NaN", "1e999",
]  # fmt: skip
ENDS_THE_SESSION = {"/api/auth/logout", "/api/account/sign-out-everywhere", "/api/staff/{staff_id}/sign-out"}
_PAUSE_S = 0.05  # a socket may send 20 messages a second


def damaged(value: Any, chance: random.Random) -> Any:
    """The value with something in it replaced, dropped or added."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value))
        what = chance.random()
        if what < 0.1:
            return {**value, "surplus": chance.choice(NASTY)}
        if what < 0.2:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: damaged(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        return [damaged(value[0], chance), *value[1:]]
    return chance.choice(NASTY)


async def all_powers(house: EdgeHouse) -> dict[str, str]:
    """Make ``admin1`` hold every post and ``customer`` a visit; ids of rows that are there."""
    theirs = await add_belongings(house, "teller2")
    house.customer("customer", theirs.visit_id)
    async with house.database.transaction() as session:
        me = (await session.scalars(select(Staff).where(col(Staff.username) == "admin1"))).one()
        me.roles = ["teller", "expert", "supervisor", "inspector", "qa_lead", "auditor", "admin"]
    return {name: ids[-1] for name, ids in theirs.ids.items()} | {"code": "transfer"}


def path_of(path: str, ids: dict[str, str], chance: random.Random) -> str:
    """The path with known ids in it, or with something that is none."""

    def value(match: re.Match[str]) -> str:
        known = ids.get(match[1], "x")
        return known if chance.random() < 0.8 else chance.choice(["x", "%00", "..%2f", "9" * 40, "%F0%9F%98%80", "-1"])

    return re.sub(r"\{(\w+)\}", value, path)


async def damage_requests(
    house: EdgeHouse, ids: dict[str, str], chance: random.Random, budget_s: float
) -> tuple[list[Any], int, int]:
    """Try every endpoint at least once, until the time is over. Failures of ours, requests made, endpoints."""
    async with house.http.get(f"{house.url}/openapi.json") as answer:
        described = await answer.json()
    operations = [
        (path, method.upper(), operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if path not in ENDS_THE_SESSION
    ]
    failures: list[Any] = []
    tried, ends_at = 0, time.monotonic() + budget_s
    while time.monotonic() < ends_at and tried < 12 * len(operations):
        for path, method, operation in operations:
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            body: Any = example(schema, described["components"]["schemas"], ids) if schema else None
            if schema is not None and chance.random() < 0.9:
                body = damaged(body, chance)
            query = "&".join(
                f"{each['name']}={chance.choice(['x', '-1', '%00', '9' * 30, '', '2026-13-45'])}"
                for each in operation.get("parameters", [])
                if each["in"] == "query" and chance.random() < 0.5
            )
            target = path_of(path, ids, chance) + (f"?{query}" if query else "")
            who = "customer" if path.startswith("/api/visit") else "admin1"
            status, code, text = await house.ask(who, method, target, body)
            tried += 1
            if status == 500 or code == "internal" or (status >= 400 and not code and path.startswith("/api/")):
                failures.append((method, target, body, status, text[:200]))
    return failures, tried, len(operations)


async def damage_messages(house: EdgeHouse, ids: dict[str, str], chance: random.Random, rounds: int) -> list[Any]:
    """Send every message of both sides as often as there are rounds. Failures of ours."""
    token = house.who["customer"]["Authorization"].removeprefix("Bearer ")
    sockets = {
        CUSTOMER: await SignalingClient(CUSTOMER, auth={"token": token}).connect(house.url),
        STAFF: await SignalingClient(STAFF, headers=house.who["admin1"] | {"Origin": house.url}).connect(house.url),
    }

    async def one_side(namespace: str, own: random.Random) -> list[Any]:
        failures: list[Any] = []
        for message in [each for _ in range(rounds) for each in MESSAGES[namespace]]:
            schema = message.request.model_json_schema()
            body = example(schema, schema.get("$defs", {}), ids)
            if own.random() < 0.8:
                body = damaged(body, own)
            try:
                await sockets[namespace].request(message.name, **(body if isinstance(body, dict) else {}))
            except CounterError as error:
                if error.code in ("internal", "signaling.no_answer"):
                    failures.append((namespace, message.name, body, error.code))
            await asyncio.sleep(_PAUSE_S)
        return failures

    try:
        sides = await asyncio.gather(*(one_side(name, random.Random(chance.random())) for name in MESSAGES))
    finally:
        for socket in sockets.values():
            await socket.close()
    return [failure for side in sides for failure in side]
