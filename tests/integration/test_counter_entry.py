"""A customer enters over HTTP, against the real database."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from http_app import Client, serving
from redis.asyncio import Redis
from sqlmodel import col, select

from core.db import Database
from core.models.business import Business
from core.models.system import AuditEntry
from core.models.visit import Consent, Visit
from core.rate_limit import RateLimiter
from core.security.actor import system_actor
from core.security.tokens import issue_visit_token
from server.counter.catalogue import seed_businesses
from server.counter.routes import routes
from server.counter.service import CounterService
from server.counter.wordings import current_wording

KEY = "a test key that is long enough for HS256 to be content"
VISIT = {"business_code": "transfer", "channel": "web", "device": "Chromium 140, Linux", "language": "zh-CN"}


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.unit_of_work(system_actor("test")) as work:
        await seed_businesses(work)
    return database


@pytest.fixture
def service(db: Database, redis: Redis) -> CounterService:
    return CounterService(db, RateLimiter(redis), KEY, 3600.0, AsyncMock(), visits_per_minute=30)


@pytest.fixture
async def client(service: CounterService) -> AsyncIterator[Client]:
    async with serving([routes(service)], service.authenticate_bearer) as opened:
        yield opened


async def refusal(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def entered(client: Client) -> tuple[str, dict[str, str]]:
    told = await (await client.post("/api/visits", json=VISIT)).json()
    return told["visit_id"], {"Authorization": f"Bearer {told['token']}"}


def consent(granted: bool = True, version: str | None = None) -> dict[str, Any]:
    return {
        "purpose": "recording",
        "wording_version": version or current_wording("recording").version,
        "granted": granted,
    }


async def test_businesses_in_order_without_the_disabled_ones(client: Client, db: Database) -> None:
    async with db.unit_of_work(system_actor("test")) as work:
        (await work.session.get_one(Business, "loss_report")).enabled = False
        await work.session.flush()
        await seed_businesses(work)  # the bank's choice survives the next start
    told = await (await client.get("/api/businesses")).json()
    assert [item["code"] for item in told] == [
        "account_opening",
        "transfer",
        "wealth_signing",
        "password_reset",
        "info_change",
        "bill_payment",
        "account_closing",
        "inquiry",
    ]
    assert set(told[0]) == {"code", "name_zh", "name_en", "hint_zh", "hint_en", "recording_required"}
    assert await refusal(await client.post("/api/visits", json={**VISIT, "business_code": "loss_report"})) == (
        404,
        "business.not_found",
    )


async def test_a_changed_catalogue_updates_the_rows(db: Database) -> None:
    async with db.unit_of_work(system_actor("test")) as work:
        (await work.session.get_one(Business, "transfer")).name_zh = "旧名"
        await work.session.flush()
        await seed_businesses(work)
    async with db.read() as session:
        rows = (await session.scalars(select(Business))).all()
    assert len(rows) == 9
    assert {row.code: row.name_zh for row in rows}["transfer"] == "转账汇款"


async def test_entering_records_the_visit_but_not_the_address(client: Client, db: Database) -> None:
    visit_id, _ = await entered(client)
    async with db.read() as session:
        visit = (await session.scalars(select(Visit))).one()
    assert (visit.id, visit.business_code, visit.channel) == (visit_id, "transfer", "web")
    assert visit.address_class == "loopback"
    assert "127.0.0.1" not in visit.model_dump_json()


async def test_consent_and_refusal_are_both_kept_with_the_wording(client: Client, db: Database) -> None:
    visit_id, headers = await entered(client)
    wording = await (await client.get("/api/consent-wordings/recording")).json()
    assert set(wording) == {"purpose", "version", "text_zh", "text_en"}
    for granted in (False, True):
        response = await client.post("/api/visit/consents", json=consent(granted), headers=headers)
        assert response.status == 200
        assert set(await response.json()) == {"consent_id"}
    async with db.read() as session:
        stored = (await session.scalars(select(Consent).order_by(col(Consent.at)))).all()
        audited = (await session.scalars(select(AuditEntry))).all()
    assert [row.granted for row in stored] == [False, True]
    assert {row.visit_id for row in stored} == {visit_id}
    assert {row.wording_version for row in stored} == {wording["version"]}
    assert {row.wording_sha256 for row in stored} == {current_wording("recording").sha256("zh-CN")}
    assert [entry.action for entry in audited] == ["consent.record"] * 2
    assert audited[0].actor == f"visit:{visit_id}"


async def test_an_english_visit_agrees_to_the_english_text(client: Client, db: Database) -> None:
    told = await (await client.post("/api/visits", json={**VISIT, "language": "en"})).json()
    headers = {"Authorization": f"Bearer {told['token']}"}
    assert (await client.post("/api/visit/consents", json=consent(), headers=headers)).status == 200
    async with db.read() as session:
        stored = (await session.scalars(select(Consent))).one()
    assert stored.wording_sha256 == current_wording("recording").sha256("en")


async def test_an_outdated_wording_is_not_agreed_to(client: Client, db: Database) -> None:
    _, headers = await entered(client)
    response = await client.post("/api/visit/consents", json=consent(version="2019-01"), headers=headers)
    assert await refusal(response) == (409, "consent.outdated")
    async with db.read() as session:
        assert (await session.scalars(select(Consent))).all() == []


async def test_without_a_valid_token_nothing_is_stored(client: Client) -> None:
    for header in (None, "Bearer", "Bearer x.y.z", "Basic dGVzdA==", "Bearer \u00e9"):
        headers = {} if header is None else {"Authorization": header}
        response = await client.post("/api/visit/consents", json=consent(), headers=headers)
        assert await refusal(response) == (401, "auth.required"), header
        assert (await client.get("/api/businesses", headers=headers)).status == 200


async def test_tokens_expire_and_cannot_be_made_elsewhere(client: Client, db: Database) -> None:
    now = db.clock.now()
    for token in (
        issue_visit_token(KEY, "visit_x", now, -1),
        issue_visit_token("another key that is long enough for HS256, too", "visit_x", now, 60),
    ):
        headers = {"Authorization": f"Bearer {token}"}
        assert await refusal(await client.post("/api/visit/consents", json=consent(), headers=headers)) == (
            401,
            "auth.required",
        )
    headers = {"Authorization": f"Bearer {issue_visit_token(KEY, 'visit_gone', now, 60)}"}
    assert await refusal(await client.post("/api/visit/consents", json=consent(), headers=headers)) == (
        404,
        "visit.not_found",
    )


async def test_malformed_visits_change_nothing(client: Client, db: Database) -> None:
    changes: list[dict[str, Any]] = [
        {"channel": "telepathy"},
        {"language": "fr"},
        {"business_code": ""},
        {"business_code": None},
        {"device": "x" * 301},
        {"device": "a\x00b"},
        {"admin": True},
    ]
    for change in changes:
        response = await client.post("/api/visits", json={**VISIT, **change})
        assert await refusal(response) == (400, "input.invalid"), change
    async with db.read() as session:
        assert (await session.scalars(select(Visit))).all() == []


async def test_consent_is_a_clear_yes_or_no(client: Client) -> None:
    _, headers = await entered(client)
    for granted in ("yes", 1, None):
        body = {**consent(), "granted": granted}
        response = await client.post("/api/visit/consents", json=body, headers=headers)
        assert await refusal(response) == (400, "input.invalid"), granted


async def test_entries_are_limited_per_address(db: Database, redis: Redis) -> None:
    service = CounterService(db, RateLimiter(redis), KEY, 3600.0, AsyncMock(), visits_per_minute=2)
    async with serving([routes(service)], service.authenticate_bearer) as client:
        answers = [await client.post("/api/visits", json=VISIT) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]


async def test_the_limit_is_a_window(redis: Redis) -> None:
    limiter = RateLimiter(redis)
    for _ in range(3):
        await limiter.hit("test", 3, 60)
    assert 0 < await redis.ttl("rate:test") <= 60
    await redis.delete("rate:test")  # as at the end of the window
    await limiter.hit("test", 3, 60)
