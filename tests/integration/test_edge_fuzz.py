"""Malformed and extreme input at every endpoint and message: an answer with a code, never a failure of ours.

Bodies are made from the published description (``/openapi.json``), then damaged; the seed is fixed, so that a finding
can be repeated. ``./dev fuzz`` goes on for longer, and with schemathesis.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from damage import all_powers, damage_messages, damage_requests
from edge_house import edge_house

from core.security.passwords import hash_password
from server.identity import seed
from server.identity.seed import DEMO_PASSWORD

SEED = 20260301
BUDGET_S = 20.0


@pytest.fixture(scope="module", autouse=True)
def one_hash() -> Iterator[None]:
    stored = hash_password(DEMO_PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "hash_password", lambda password: stored)
        yield


@pytest.mark.timeout(120)
async def test_no_input_makes_the_edge_fail(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Requests and messages at the same time: sockets wait most of it, because they may send 20 messages a second."""
    async with edge_house(database_url, redis_url, tmp_path, session_idle_s=3600) as house:
        ids = await all_powers(house)
        (failures, tried, operations), told = await asyncio.gather(
            damage_requests(house, ids, random.Random(SEED), BUDGET_S),
            damage_messages(house, ids, random.Random(SEED), rounds=6),
        )
        assert failures == []
        assert told == []
        assert tried >= operations
