"""Malformed and extreme input at every endpoint and message: an answer with a code, never a failure of ours.

Bodies are made from the published description (``/openapi.json``), then damaged; the seed is fixed, so that a finding
can be repeated.
"""

import asyncio
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_house import EdgeHouse, add_belongings, edge_house, example
from sqlmodel import col, select

from core.errors import CounterError
from core.models import Staff
from core.security.passwords import hash_password
from server.identity import seed
from server.identity.seed import DEMO_PASSWORD
from signaling.client import SignalingClient
from signaling.messages import CUSTOMER, MESSAGES, STAFF

SEED = 20260301
BUDGET_S = 20.0
NASTY: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 1e308, "", " ", "\x00", "a" * 300, "测试\u202e", "\ud800", "' or 1=1 --",
    "../../etc/passwd",
    "%", "{}", "9999-99-99", "2026-02-30T25:61:61Z", [], {}, [[]], {"a": {"b": []}}, "<script>", "NaN", "1e999",
]  # fmt: skip
ENDS_THE_SESSION = {"/api/auth/logout", "/api/account/sign-out-everywhere", "/api/staff/{staff_id}/sign-out"}


@pytest.fixture(scope="module", autouse=True)
def one_hash() -> Iterator[None]:
    stored = hash_password(DEMO_PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "hash_password", lambda password: stored)
        yield


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
    """One person with every post, and ids of rows that are there."""
    theirs = await add_belongings(house, "teller2")
    house.customer("customer", theirs.visit_id)
    async with house.database.transaction() as session:
        me = (await session.scalars(select(Staff).where(col(Staff.username) == "admin1"))).one()
        me.roles = ["teller", "expert", "supervisor", "inspector", "qa_lead", "auditor", "admin"]
    return {name: ids[-1] for name, ids in theirs.ids.items()} | {"code": "transfer"}


def path_of(path: str, ids: dict[str, str], chance: random.Random) -> str:
    def value(match: re.Match[str]) -> str:
        known = ids.get(match[1], "x")
        return known if chance.random() < 0.8 else chance.choice(["x", "%00", "..%2f", "9" * 40, "%F0%9F%98%80", "-1"])

    return re.sub(r"\{(\w+)\}", value, path)


@pytest.mark.timeout(120)
async def test_no_input_makes_the_edge_fail(database_url: str, redis_url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with edge_house(database_url, redis_url, tmp_path, session_idle_s=3600) as house:
        ids = await all_powers(house)
        async with house.http.get(f"{house.url}/openapi.json") as answer:
            described = await answer.json()
        operations = [
            (path, method.upper(), operation)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
            if path not in ENDS_THE_SESSION
        ]
        failures, tried, ends_at = [], 0, time.monotonic() + BUDGET_S
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
        assert failures == []
        assert tried >= len(operations)


@pytest.mark.timeout(120)
async def test_no_message_makes_the_edge_fail(database_url: str, redis_url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with edge_house(database_url, redis_url, tmp_path, session_idle_s=3600) as house:
        ids = await all_powers(house)
        token = house.who["customer"]["Authorization"].removeprefix("Bearer ")
        sockets = {
            CUSTOMER: await SignalingClient(CUSTOMER, auth={"token": token}).connect(house.url),
            STAFF: await SignalingClient(STAFF, headers=house.who["admin1"] | {"Origin": house.url}).connect(house.url),
        }
        failures = []
        for _ in range(6):
            for namespace, messages in MESSAGES.items():
                for message in messages:
                    schema = message.request.model_json_schema()
                    body = example(schema, schema.get("$defs", {}), ids)
                    if chance.random() < 0.8:
                        body = damaged(body, chance)
                    try:
                        await sockets[namespace].request(message.name, **(body if isinstance(body, dict) else {}))
                    except CounterError as error:
                        if error.code in ("internal", "signaling.no_answer"):
                            failures.append((namespace, message.name, body, error.code))
                    await asyncio.sleep(0.05)  # a socket may send 20 messages a second
        assert failures == []
        for socket in sockets.values():
            await socket.close()
