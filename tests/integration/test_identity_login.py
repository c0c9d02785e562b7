"""Signing in and out over HTTP, against the real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from aiohttp import web
from fake_clock import FakeClock
from http_app import Client, serving
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import NotSignedInError
from core.http import RouteTable, SignedIn
from core.models.staff import Staff, StaffSession
from core.models.system import AuditEntry, OutboxEvent
from core.rate_limit import RateLimiter
from core.security.actor import system_actor
from core.security.passwords import hash_password
from core.security.permissions import Permission
from core.security.sealing import Sealer
from server.identity import seed
from server.identity.routes import SESSION_COOKIE, routes, session_cookie
from server.identity.seed import DEMO_LOGINS, DEMO_PASSWORD, seed_demo_staff
from server.identity.service import IdentityService, LoginFailedError
from server.identity.sessions import SessionLimits

SEALER = Sealer(bytes(32))
GOOD = {"username": "teller1", "password": DEMO_PASSWORD}


@pytest.fixture(scope="module", autouse=True)
def one_hash() -> Iterator[None]:
    """The seven demo accounts of every test share one hash: hashing is slow on purpose."""
    stored = hash_password(DEMO_PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "hash_password", lambda password: stored)
        yield


@pytest.fixture
def held_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def db(database_url: str, bus: Bus, held_clock: FakeClock) -> AsyncIterator[Database]:
    database = Database(database_url, bus, held_clock)
    async with database.unit_of_work(system_actor("test")) as work:
        await seed_demo_staff(work)
    yield database
    await database.close()


@pytest.fixture
def service(db: Database, redis: Redis) -> IdentityService:
    return IdentityService(db, RateLimiter(redis), SessionLimits(idle_s=600, max_s=12 * 3600), SEALER)


@pytest.fixture
async def client(service: IdentityService) -> AsyncIterator[Client]:
    async def authenticate(request: web.Request) -> SignedIn | None:
        return await service.authenticate_cookie(session_cookie(request))

    work = RouteTable()

    @work.post("/work", Permission.CALL_TAKE)
    async def do_work(request: web.Request) -> dict[str, bool]:
        return {"done": True}

    async with serving([routes(service), work], authenticate) as opened:
        yield opened


async def error_code(response: object) -> str:
    return str((await response.json())["error"]["code"])  # type: ignore[attr-defined]


async def over(service: IdentityService, cookie: str) -> str | None:
    """Why a session is over; None: it is not."""
    try:
        assert await service.authenticate_staff(cookie) is not None
    except NotSignedInError as error:
        return error.code
    return None


async def audit_actions(db: Database) -> list[str]:
    async with db.read() as session:
        query = select(col(AuditEntry.action)).where(col(AuditEntry.action).startswith("auth."))
        return list((await session.scalars(query.order_by(col(AuditEntry.seq)))).all())


async def test_login_me_logout(client: Client, db: Database) -> None:
    response = await client.post("/api/auth/login", json=GOOD)
    assert response.status == 200
    cookie = response.cookies[SESSION_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    told = await response.json()
    assert told["staff"]["username"] == "teller1"
    assert told["staff"]["staff_number"] == "1001"
    assert told["staff"]["roles"] == ["teller"]
    assert set(told["staff"]) == {"id", "username", "display_name", "staff_number", "roles", "team"}
    assert await (await client.get("/api/auth/me")).json() == told

    headers = {"X-CSRF-Token": told["csrf_token"]}
    assert (await client.post("/api/auth/logout", headers=headers)).status == 200
    assert (await client.get("/api/auth/me")).status == 401
    assert await audit_actions(db) == ["auth.login", "auth.logout"]
    async with db.read() as session:
        stored = (await session.scalars(select(StaffSession))).one()
        ended = (await session.scalars(select(OutboxEvent))).one()
    assert cookie.value not in stored.model_dump_json()
    assert ended.type == "StaffSessionEnded"


async def test_the_cookie_is_secure_behind_tls(client: Client) -> None:
    response = await client.post("/api/auth/login", json=GOOD, headers={"X-Forwarded-Proto": "https"})
    assert response.cookies[SESSION_COOKIE]["secure"]


async def test_unsafe_requests_need_the_csrf_token(client: Client) -> None:
    csrf = (await (await client.post("/api/auth/login", json=GOOD)).json())["csrf_token"]
    refused = await client.post("/work")
    assert (refused.status, await error_code(refused)) == (403, "auth.csrf")
    assert (await client.post("/work", headers={"X-CSRF-Token": "other"})).status == 403
    assert (await client.post("/work", headers={"X-CSRF-Token": csrf})).status == 200
    assert (await client.post("/api/auth/logout")).status == 403


async def test_roles_decide(client: Client) -> None:
    login = {"username": "inspector1", "password": DEMO_PASSWORD}
    csrf = (await (await client.post("/api/auth/login", json=login)).json())["csrf_token"]
    refused = await client.post("/work", headers={"X-CSRF-Token": csrf})
    assert (refused.status, await error_code(refused)) == (403, "auth.denied")


async def test_unknown_name_wrong_password_and_locked_look_the_same(client: Client, db: Database) -> None:
    wrong = {"username": "teller1", "password": "wrong"}
    answers = [await client.post("/api/auth/login", json={"username": "nobody", "password": DEMO_PASSWORD})]
    answers += [await client.post("/api/auth/login", json=wrong) for _ in range(5)]
    answers.append(await client.post("/api/auth/login", json=GOOD))  # right, but locked by now
    assert [answer.status for answer in answers] == [401] * 7
    bodies = {await answer.text() for answer in answers}
    assert len(bodies) == 1
    assert "auth.failed" in bodies.pop()
    assert await audit_actions(db) == ["auth.login_failed"] * 7
    async with db.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(col(AuditEntry.seq)))).all()
    assert "nobody" not in str([entry.model_dump() for entry in entries])
    assert entries[-1].detail["reason"] == "locked"


async def test_a_lock_ends_after_ten_minutes(service: IdentityService, held_clock: FakeClock) -> None:
    for _ in range(5):
        with pytest.raises(LoginFailedError):
            await service.login("teller1", "wrong", None)
    held_clock.advance(599)
    with pytest.raises(LoginFailedError):
        await service.login("teller1", DEMO_PASSWORD, None)
    held_clock.advance(1)
    assert (await service.login("teller1", DEMO_PASSWORD, None)).staff.failed_logins == 0


async def test_parallel_guesses_are_all_counted(service: IdentityService, db: Database) -> None:
    guesses = (service.login("teller1", f"guess {n}", f"192.0.2.{n}") for n in range(8))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert all(isinstance(result, LoginFailedError) for result in results)
    async with db.read() as session:
        staff = (await session.scalars(select(Staff).where(col(Staff.username) == "teller1"))).one()
    assert staff.failed_logins == 5
    assert staff.locked_until is not None


async def test_a_new_login_ends_the_old_session(service: IdentityService) -> None:
    first = await service.login("teller1", DEMO_PASSWORD, None)
    second = await service.login("teller1", DEMO_PASSWORD, None)
    assert await over(service, first.cookie) == "auth.replaced"
    actor = await service.authenticate_staff(second.cookie)
    assert actor is not None
    assert actor.staff_id == second.staff.id


async def test_parallel_logins_leave_one_session(service: IdentityService) -> None:
    opened = await asyncio.gather(*(service.login("teller1", DEMO_PASSWORD, None) for _ in range(4)))
    assert sorted([str(await over(service, session.cookie)) for session in opened]) == ["None"] + ["auth.replaced"] * 3


async def test_idle_and_absolute_end(service: IdentityService, held_clock: FakeClock) -> None:
    cookie = (await service.login("teller1", DEMO_PASSWORD, None)).cookie
    for _ in range(73):  # a busy session lives on, until it is 12 hours old
        held_clock.advance(590)
        assert await service.authenticate_staff(cookie) is not None
    held_clock.advance(590)
    assert await over(service, cookie) == "auth.too_long"
    cookie = (await service.login("teller1", DEMO_PASSWORD, None)).cookie
    held_clock.advance(600)
    assert await over(service, cookie) == "auth.idle"


async def test_last_seen_is_written_at_most_every_30_s(
    service: IdentityService, held_clock: FakeClock, db: Database
) -> None:
    opened = await service.login("teller1", DEMO_PASSWORD, None)
    start = held_clock.now()

    async def seen_s() -> float:
        async with db.read() as session:
            return float(((await session.scalars(select(StaffSession))).one().last_seen_at - start).total_seconds())

    held_clock.advance(29)
    await service.authenticate_cookie(opened.cookie)
    assert await seen_s() == 0
    held_clock.advance(1)
    await service.authenticate_cookie(opened.cookie)
    assert await seen_s() == 30


async def test_an_account_switched_off_is_out_at_once(service: IdentityService, db: Database) -> None:
    opened = await service.login("teller1", DEMO_PASSWORD, None)
    async with db.unit_of_work(system_actor("test")) as work:
        (await work.session.get_one(Staff, opened.staff.id)).active = False
    assert await over(service, opened.cookie) == "auth.switched_off"
    with pytest.raises(LoginFailedError):
        await service.login("teller1", DEMO_PASSWORD, None)


async def test_foreign_cookies_are_nobody(service: IdentityService) -> None:
    for cookie in (None, "", "x", "\u4e2d", "a" * 5000):
        assert await service.authenticate_cookie(cookie) is None


async def test_logins_are_limited_per_address(db: Database, redis: Redis) -> None:
    service = IdentityService(db, RateLimiter(redis), SessionLimits(600, 3600), SEALER, logins_per_minute=2)

    async def authenticate(request: web.Request) -> SignedIn | None:
        return None

    async with serving([routes(service)], authenticate) as client:
        for _ in range(2):
            assert (await client.post("/api/auth/login", json=GOOD)).status == 200
        refused = await client.post("/api/auth/login", json=GOOD)
        assert (refused.status, await error_code(refused)) == (429, "rate.limited")
        assert 0 < (await refused.json())["error"]["fields"]["retry_after_s"] <= 60
    assert await service.login("teller1", DEMO_PASSWORD, "192.0.2.1")  # others are not held back


async def test_malformed_logins_change_nothing(client: Client, db: Database) -> None:
    bodies: list[object] = [
        {},
        {"username": "teller1"},
        {"username": "", "password": "x"},
        {"username": "a\x00b", "password": "x"},
        {"username": "teller1", "password": "x" * 257},
        {"username": ["teller1"], "password": "x"},
        {"username": "teller1", "password": "x", "admin": True},
        [],
        "text",
        None,
    ]
    for body in bodies:
        response = await client.post("/api/auth/login", json=body)
        assert (response.status, await error_code(response)) == (400, "input.invalid"), body
    assert await audit_actions(db) == []


async def test_another_site_cannot_sign_a_visitor_in(client: Client) -> None:
    response = await client.post("/api/auth/login", json=GOOD, headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status, await error_code(response)) == (403, "auth.cross_site")


async def test_seeding_twice_changes_nothing(db: Database) -> None:
    async with db.unit_of_work(system_actor("test")) as work:
        assert await seed_demo_staff(work) == []
    async with db.read() as session:
        rows = (await session.scalars(select(Staff))).all()
    assert {row.username for row in rows} == {login.username for login in DEMO_LOGINS}
    assert all(row.password_hash.startswith("$argon2id$") for row in rows)
    assert all(row.created_at > rows[0].created_at - timedelta(days=1) for row in rows)
