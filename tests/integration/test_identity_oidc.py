"""Sign-in at a real provider process: PKCE, state, nonce; once, in the browser that began, for who has an account."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from identity_house import House, Person, identity_house
from oidc_provider import provider_process
from redis.asyncio import Redis
from sqlmodel import col, select

from core.db import Database
from core.models import AuditEntry, Staff
from core.security.actor import system_actor
from server.identity.oidc_routes import own_page
from server.identity.rules import AccountRules
from server.identity.seed import seed_demo_staff


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_process() as found:
        yield found


async def to_provider(person: Person, following: str = "/teller") -> str:
    """Begin here; the address at the provider."""
    path = f"/api/auth/oidc/begin?next={following}"
    async with person.client.get(path, allow_redirects=False) as response:
        assert response.status == 303
        return response.headers["Location"]


async def back_from(person: Person, url: str, user: str) -> str:
    """Agree there; the address back here."""
    form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | {"user": user}
    async with person.client.session.post(url.split("?")[0], data=form, allow_redirects=False) as response:
        assert response.status == 303
        return response.headers["Location"]


async def arrive(person: Person, back: str) -> str:
    """Come back; the page it leads to."""
    parts = urlsplit(back)
    async with person.client.get(f"{parts.path}?{parts.query}", allow_redirects=False) as response:
        assert response.status == 303
        return response.headers["Location"]


async def sign_in(person: Person, user: str) -> str:
    return await arrive(person, await back_from(person, await to_provider(person), user))


async def staffed(database: Database) -> None:
    async with database.unit_of_work(system_actor("test")) as work:
        await seed_demo_staff(work)


async def test_who_has_an_account_gets_in_and_the_account_is_bound(
    database: Database, redis: Redis, issuer: str
) -> None:
    await staffed(database)
    rules = AccountRules(totp_roles=frozenset({"teller"}))  # the provider asks for its own second step
    async with identity_house(database, redis, rules, issuer) as house:
        person = await house.browser()
        assert await person.get("/api/auth/provider") == (200, {"name": "Bank ID"})
        assert await sign_in(person, "teller1") == "/staff/teller"
        status, me = await person.get("/api/auth/me")
        assert (status, me["staff"]["username"], me["awaits"]) == (200, "teller1", None)
        assert await person.post("/work") == (200, {"done": True})
        again = await house.browser()
        assert await sign_in(again, "teller1") == "/staff/teller"
        assert await person.get("/api/auth/me") == (401, "auth.replaced")  # one session per person
        async with database.unit_of_work(system_actor("test")) as work:
            row = (await work.session.scalars(select(Staff).where(col(Staff.username) == "teller1"))).one()
            assert row.oidc_subject == f"{issuer} sub-teller1"
            row.username, row.active = "renamed", False
        assert await sign_in(again, "teller1") == "/staff/login?refused=oidc.no_account"  # switched off
        async with database.unit_of_work(system_actor("test")) as work:
            row = (await work.session.scalars(select(Staff).where(col(Staff.username) == "renamed"))).one()
            row.active = True
        assert await sign_in(again, "teller1") == "/staff/teller"  # bound: the name here does not matter any more
        async with database.read() as session:
            entries = (await session.scalars(select(AuditEntry.action).order_by(col(AuditEntry.seq)))).all()
        assert entries.count("account.provider_bound") == 1


async def test_nobody_gets_an_account_and_an_account_is_nobody_elses(
    database: Database, redis: Redis, issuer: str
) -> None:
    await staffed(database)
    async with database.unit_of_work(system_actor("test")) as work:
        row = (await work.session.scalars(select(Staff).where(col(Staff.username) == "admin1"))).one()
        row.oidc_subject = f"{issuer} sub-of-the-real-one"
        count = len((await work.session.scalars(select(Staff.id))).all())
    async with identity_house(database, redis, None, issuer) as house:
        person = await house.browser()
        for user in ("stranger", "admin1"):
            assert await sign_in(person, user) == "/staff/login?refused=oidc.no_account"
            assert (await person.get("/api/auth/me"))[0] == 401
    async with database.read() as session:
        assert len((await session.scalars(select(Staff.id))).all()) == count


async def test_what_an_attacker_could_try(database: Database, redis: Redis, issuer: str) -> None:
    await staffed(database)
    async with identity_house(database, redis, None, issuer) as house:
        refused = "/staff/login?refused=oidc.refused"
        person = await house.browser()
        for user in ("evil-nonce", "evil-aud", "evil-iss", "evil-key", "evil-none", "evil-old"):
            assert await sign_in(person, user) == refused, user
        back = await back_from(person, await to_provider(person), "teller1")
        victim = await house.browser()
        assert await arrive(victim, back) == refused  # session fixation: somebody else's sign-in, in another browser
        assert await arrive(person, back) == refused  # and it is used up
        back = await back_from(person, await to_provider(person), "teller1")
        assert await arrive(person, back) == "/staff/teller"
        assert await arrive(person, back) == refused  # once
        other = await to_provider(person)
        assert await arrive(person, "/api/auth/oidc/callback?code=guess&state=guess") == refused
        state = parse_qs(urlsplit(other).query)["state"][0]
        assert await arrive(person, f"/api/auth/oidc/callback?code=guess&state={state}") == refused
        assert await arrive(person, "/api/auth/oidc/callback?error=access_denied") == refused
        await _rate_limited(house)


async def _rate_limited(house: House) -> None:
    person = await house.browser()
    for _ in range(40):
        async with person.client.get("/api/auth/oidc/begin", allow_redirects=False) as response:
            location = response.headers["Location"]
    assert location == "/staff/login?refused=rate.limited"


async def test_a_provider_that_does_not_answer(database: Database, redis: Redis) -> None:
    async with identity_house(database, redis, None, "http://127.0.0.1:9") as house:
        person = await house.browser()
        assert await to_provider(person) == "/staff/login?refused=oidc.unavailable"
        assert (await person.login("nobody"))[0] == 401  # passwords still work


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("/teller?x=1", "/teller?x=1"),
        ("//evil.example", "/home"),
        ("/\\evil.example", "/home"),
        ("https://evil.example", "/home"),
        ("/a\r\nSet-Cookie: x=1", "/home"),
        ("", "/home"),
    ],
)
def test_only_own_pages_follow(given: str, page: str) -> None:
    assert own_page(given) == page
