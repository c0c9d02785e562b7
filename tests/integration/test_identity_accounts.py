"""Passwords, one-time passwords, authenticator apps and the administrator's hand, over HTTP and real rows."""

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import pytest
from fake_clock import FakeClock
from identity_house import House, Person, code_of, identity_house
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import ConflictError
from core.models import AuditEntry, OutboxEvent, SkillGroup, StaffPassword, StaffRecoveryCode, StaffTotp
from core.security.actor import system_actor
from core.security.passwords import hash_password
from server.identity import seed
from server.identity.rules import AccountRules
from server.identity.seed import DEMO_PASSWORD, seed_demo_staff

NEW = "Brand-new-key-7"


@pytest.fixture(scope="module", autouse=True)
def one_hash() -> Iterator[None]:
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
async def house(db: Database, redis: Redis) -> AsyncIterator[House]:
    async with identity_house(db, redis) as opened:
        yield opened


async def audited(db: Database) -> list[str]:
    async with db.read() as session:
        query = select(AuditEntry.action).order_by(col(AuditEntry.seq))
        return [action for action in (await session.scalars(query)).all() if action != "staff.create"]


async def signed_in(house: House, name: str, password: str = DEMO_PASSWORD) -> Person:
    person = await house.browser()
    status, told = await person.login(name, password)
    assert (status, told["awaits"]) == (200, None)
    return person


async def test_an_administrator_hands_out_a_one_time_password(
    house: House, db: Database, held_clock: FakeClock
) -> None:
    teller, admin = await signed_in(house, "teller1"), await signed_in(house, "admin1")
    status, issued = await admin.post(f"/api/staff/{teller.staff_id}/reset-password")
    assert status == 200
    one_time = issued["one_time_password"]
    assert await teller.post("/work") == (401, "auth.reset")
    assert (await teller.login("teller1"))[1] == "auth.failed"

    status, told = await teller.login("teller1", one_time)
    assert (status, told["awaits"]) == (200, "password")
    assert await teller.post("/work") == (403, "auth.password_change_required")
    assert (await teller.get("/api/auth/me"))[1]["awaits"] == "password"
    for new, code in (
        (one_time, "password.used_before"),
        ("short", "password.weak"),
        (DEMO_PASSWORD, "password.used_before"),
    ):
        assert await teller.post("/api/account/password", current=one_time, new=new) == (400, code)
    assert await teller.post("/api/account/password", current="wrong", new=NEW) == (400, "password.wrong_current")
    assert await teller.post("/work") == (403, "auth.password_change_required")
    assert (await teller.post("/api/account/password", current=one_time, new=NEW))[0] == 200
    assert await teller.post("/work") == (200, {"done": True})
    assert (await teller.get("/api/auth/me"))[1]["awaits"] is None
    async with db.read() as session:
        kept = str([row.model_dump() for row in (await session.scalars(select(AuditEntry))).all()])
    assert one_time not in kept
    assert NEW not in kept
    assert (await audited(db))[2:] == [
        "staff.password_reset",
        "auth.login_failed",
        "auth.login",
        "account.password_changed",
    ]


async def test_a_one_time_password_runs_out(house: House, held_clock: FakeClock) -> None:
    teller, admin = await signed_in(house, "teller1"), await signed_in(house, "admin1")
    issued = (await admin.post(f"/api/staff/{teller.staff_id}/reset-password"))[1]
    held_clock.advance(24 * 3600)
    assert await teller.login("teller1", issued["one_time_password"]) == (401, "auth.failed")


async def test_whoever_has_the_machine_makes_the_first_administrator(house: House, db: Database) -> None:
    first = await house.accounts.ensure_admin("chief", "首席", "9999")
    again = await house.accounts.ensure_admin("chief", "首席", "9999")
    chief = await house.browser()
    assert await chief.login("chief", first.password) == (401, "auth.failed")
    assert (await chief.login("chief", again.password))[1]["awaits"] == "password"
    for name, code in (("teller1", "staff.no_admin"), ("other", "staff.number_taken")):
        with pytest.raises(ConflictError) as refused:
            await house.accounts.ensure_admin(name, "x", "9999")
        assert refused.value.code == code


async def test_unlock(house: House, db: Database) -> None:
    admin, teller = await signed_in(house, "admin1"), await signed_in(house, "teller1")
    stranger = await house.browser()
    for _ in range(5):
        assert await stranger.login("teller1", "wrong") == (401, "auth.failed")
    assert await stranger.login("teller1") == (401, "auth.failed")
    assert (await admin.post(f"/api/staff/{teller.staff_id}/unlock"))[0] == 200
    assert (await admin.post(f"/api/staff/{teller.staff_id}/unlock"))[0] == 200  # nothing to do: nothing audited
    assert (await stranger.login("teller1"))[0] == 200
    async with db.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "staff.unlock"))).one()
    assert entry.detail["before"]["failed_logins"] == 5


async def test_administrators_only_and_never_the_own_account(house: House) -> None:
    admin, teller = await signed_in(house, "admin1"), await signed_in(house, "teller1")
    for what in ("reset-password", "unlock", "sign-out", "reset-totp"):
        assert await teller.post(f"/api/staff/{admin.staff_id}/{what}") == (403, "auth.denied")
        assert await admin.post(f"/api/staff/{admin.staff_id}/{what}") == (403, "staff.own_account")
        assert await admin.post(f"/api/staff/staff_none/{what}") == (404, "staff.not_found")


async def test_five_passwords_are_remembered(house: House, db: Database, held_clock: FakeClock) -> None:
    teller = await signed_in(house, "teller1")
    words = [DEMO_PASSWORD, *(f"Word-number-{letter}-7" for letter in "ABCDEF")]
    for before, after in pairwise(words):
        held_clock.advance(1)
        assert (await teller.post("/api/account/password", current=before, new=after))[0] == 200
    current = words[-1]
    for used in words[2:]:
        assert await teller.post("/api/account/password", current=current, new=used) == (400, "password.used_before")
        await house.service._limiter._redis.flushall()
    assert (await teller.post("/api/account/password", current=current, new=words[1]))[0] == 200
    async with db.read() as session:
        assert len((await session.scalars(select(StaffPassword))).all()) == 4


async def test_changing_a_password_ends_other_sessions_and_guessing_is_bounded(house: House, db: Database) -> None:
    teller = await signed_in(house, "teller1")
    answers = [await teller.post("/api/account/password", current=f"guess {n}", new=NEW) for n in range(11)]
    assert answers[:10] == [(400, "password.wrong_current")] * 10
    assert answers[10] == (429, "rate.limited")


async def test_a_password_grows_old_but_not_in_the_middle_of_a_session(house: House, held_clock: FakeClock) -> None:
    held_clock.advance(90 * 24 * 3600 - 60)
    teller = await signed_in(house, "teller1")
    held_clock.advance(120)
    assert (await teller.post("/work"))[0] == 200
    assert (await teller.login("teller1"))[1]["awaits"] == "password"


async def test_signing_out_everywhere(house: House, db: Database) -> None:
    teller = await signed_in(house, "teller1")
    elsewhere = await signed_in(house, "teller1")
    assert await teller.get("/api/auth/me") == (401, "auth.replaced")
    assert (await elsewhere.post("/api/account/sign-out-everywhere"))[0] == 200
    assert await elsewhere.get("/api/auth/me") == (401, "auth.required")  # its cookie is gone
    admin, teller = await signed_in(house, "admin1"), await signed_in(house, "teller1")
    assert (await admin.post(f"/api/staff/{teller.staff_id}/sign-out"))[0] == 200
    assert await teller.get("/api/auth/me") == (401, "auth.everywhere")
    async with db.read() as session:
        facts = (await session.scalars(select(OutboxEvent.payload).order_by(col(OutboxEvent.seq)))).all()
    assert ["replaced" in facts[0], "everywhere" in facts[1], "everywhere" in facts[2]] == [True] * 3


async def enrol(person: Person, clock: FakeClock) -> tuple[str, list[str]]:
    status, told = await person.post("/api/account/totp", password=DEMO_PASSWORD)
    assert status == 200
    assert told["uri"].startswith("otpauth://totp/AirCounter:")
    assert told["qr"].startswith("data:image/svg+xml")
    code = code_of(told["secret"], clock.now().timestamp())
    status, codes = await person.post("/api/account/totp/confirm", code=code)
    assert status == 200
    return told["secret"], codes["codes"]


async def test_the_second_step(house: House, db: Database, held_clock: FakeClock) -> None:
    teller = await signed_in(house, "teller1")
    secret, recovery = await enrol(teller, held_clock)
    assert len(set(recovery)) == 10
    view = (await teller.get("/api/account"))[1]
    assert (view["totp_since"] is not None, view["recovery_codes_left"], view["totp_obligatory"]) == (True, 10, False)

    other = await house.browser()
    assert (await other.login("teller1"))[1]["awaits"] == "second_step"
    assert await other.post("/work") == (403, "auth.second_step_required")
    assert await other.get("/api/account") == (403, "auth.second_step_required")
    assert (await teller.post("/work"))[0] == 200  # the password alone puts nobody out
    used = code_of(secret, held_clock.now().timestamp())
    assert await other.post("/api/auth/second-step", code=used) == (400, "auth.code_refused")  # used for enrolling
    held_clock.advance(30)
    pending = other.client.session.cookie_jar.filter_cookies(other.client.make_url("/"))["ac_session"].value
    fresh = code_of(secret, held_clock.now().timestamp())
    assert (await other.post("/api/auth/second-step", code=fresh))[1]["awaits"] is None
    assert (await other.post("/work"))[0] == 200
    assert await teller.post("/work") == (401, "auth.replaced")
    now = other.client.session.cookie_jar.filter_cookies(other.client.make_url("/"))["ac_session"].value
    assert now != pending

    third = await house.browser()
    await third.login("teller1")
    assert await third.post("/api/auth/second-step", code=fresh) == (400, "auth.code_refused")  # a replay
    assert (await third.post("/api/auth/second-step", code=recovery[3].upper()))[0] == 200
    fourth = await house.browser()
    await fourth.login("teller1")
    assert await fourth.post("/api/auth/second-step", code=recovery[3]) == (400, "auth.code_refused")
    async with db.read() as session:
        sealed = (await session.scalars(select(StaffTotp))).one().secret_sealed
        hashes = {row.code_sha256 for row in (await session.scalars(select(StaffRecoveryCode))).all()}
        ways = [
            row.detail["way"]
            for row in (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "auth.login"))).all()
        ]
    assert secret.encode() not in sealed
    assert not hashes & set(recovery)
    assert ways == ["password", "totp", "recovery"]


async def test_guessing_codes_locks_and_the_password_buys_no_new_guesses(house: House, held_clock: FakeClock) -> None:
    teller = await signed_in(house, "teller1")
    _, recovery = await enrol(teller, held_clock)
    guesser = await house.browser()
    for _ in range(4):
        assert (await guesser.login("teller1"))[0] == 200
        assert await guesser.post("/api/auth/second-step", code="000000") == (400, "auth.code_refused")
    assert (await guesser.login("teller1"))[0] == 200
    assert await guesser.post("/api/auth/second-step", code="000000") == (401, "auth.failed")
    assert await guesser.login("teller1") == (401, "auth.failed")
    held_clock.advance(601)
    assert (await guesser.login("teller1"))[0] == 200
    held_clock.advance(300)
    assert await guesser.post("/api/auth/second-step", code=recovery[0]) == (401, "auth.too_long")


async def test_removing_the_app_needs_password_and_code(house: House, db: Database, held_clock: FakeClock) -> None:
    teller = await signed_in(house, "teller1")
    secret, recovery = await enrol(teller, held_clock)
    assert await teller.post("/api/account/totp", password=DEMO_PASSWORD) == (409, "totp.enrolled")
    assert await teller.post("/api/account/totp/confirm", code="123456") == (409, "totp.not_begun")
    held_clock.advance(30)
    code = code_of(secret, held_clock.now().timestamp())
    bad = {"password": "wrong", "code": code}
    assert await teller.post("/api/account/totp/remove", **bad) == (400, "password.wrong_current")
    bad = {"password": DEMO_PASSWORD, "code": "000000"}
    assert await teller.post("/api/account/recovery-codes", **bad) == (400, "auth.code_refused")
    renewed = (await teller.post("/api/account/recovery-codes", password=DEMO_PASSWORD, code=code))[1]["codes"]
    assert not set(renewed) & set(recovery)
    last = {"password": DEMO_PASSWORD, "code": renewed[0]}
    assert (await teller.post("/api/account/totp/remove", **last))[0] == 200
    assert (await teller.login("teller1"))[1]["awaits"] is None
    async with db.read() as session:
        assert (await session.scalars(select(StaffRecoveryCode))).all() == []


async def test_a_lost_phone(house: House, held_clock: FakeClock) -> None:
    teller, admin = await signed_in(house, "teller1"), await signed_in(house, "admin1")
    await enrol(teller, held_clock)
    assert (await admin.post(f"/api/staff/{teller.staff_id}/reset-totp"))[0] == 200
    assert await teller.get("/api/auth/me") == (401, "auth.reset")
    assert (await teller.login("teller1"))[1]["awaits"] is None


async def test_obligatory_by_role(db: Database, redis: Redis, held_clock: FakeClock) -> None:
    async with identity_house(db, redis, AccountRules(totp_roles=frozenset({"teller"}))) as house:
        await signed_in(house, "inspector1")
        teller = await house.browser()
        assert (await teller.login("teller1"))[1]["awaits"] == "enrolment"
        assert await teller.post("/work") == (403, "auth.enrolment_required")
        secret, _ = await enrol(teller, held_clock)
        assert (await teller.post("/work"))[0] == 200
        assert (await teller.get("/api/account"))[1]["totp_obligatory"] is True
        held_clock.advance(30)
        code = code_of(secret, held_clock.now().timestamp())
        assert (await teller.post("/api/account/totp/remove", password=DEMO_PASSWORD, code=code))[0] == 200
        assert await teller.post("/work") == (403, "auth.enrolment_required")  # another one is due at once


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("password", {}),
        ("password", {"current": "x", "new": "y" * 257}),
        ("password", {"current": "x", "new": 7}),
        ("password", {"current": "x", "new": "y", "more": 1}),
        ("totp", {}),
        ("totp/confirm", {"code": "12345"}),
        ("totp/confirm", {"code": "１２３４５６"}),
        ("totp/confirm", {"code": "' or 1=1"}),
        ("totp/remove", {"password": "x"}),
        ("recovery-codes", {"code": "123456"}),
    ],
)
async def test_malformed_bodies_change_nothing(house: House, db: Database, path: str, body: dict[str, object]) -> None:
    teller = await signed_in(house, "teller1")
    before = await audited(db)
    assert await teller.post(f"/api/account/{path}", **body) == (400, "input.invalid")
    assert await audited(db) == before


# --- the administrator's staff book ---------------------------------------------------------------------------------

NEWCOMER = {
    "username": "gao",
    "display_name": "高明",
    "staff_number": "1088",
    "roles": ["teller"],
    "skill_groups": ["personal"],
    "team": "一组",
}


async def groups(db: Database) -> None:
    async with db.transaction() as session:
        session.add(SkillGroup(code="personal", name_zh="个人", name_en="Personal"))


def change_of(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    shown = ("id", "username", "must_change_password", "locked", "created_at")
    return {name: value for name, value in row.items() if name not in shown} | changes


async def staff_audit(db: Database, action: str) -> list[AuditEntry]:
    async with db.read() as session:
        query = select(AuditEntry).where(col(AuditEntry.action) == action).order_by(col(AuditEntry.seq))
        return list((await session.scalars(query)).all())


async def test_a_newcomer_is_created_certified_and_let_go(house: House, db: Database) -> None:
    await groups(db)
    admin = await signed_in(house, "admin1")
    status, made = await admin.post("/api/staff", **NEWCOMER)
    assert status == 200
    assert (made["staff"]["may_take_calls"], made["staff"]["must_change_password"]) == (False, True)
    newcomer = await house.browser()
    assert (await newcomer.login("gao", made["one_time_password"]))[1]["awaits"] == "password"
    await newcomer.post("/api/account/password", current=made["one_time_password"], new=NEW)
    assert (await newcomer.post("/work"))[0] == 200

    path = f"/api/staff/{made['staff']['id']}"
    status, certified = await admin.ask("PUT", path, **change_of(made["staff"], may_take_calls=True, team="二组"))
    assert (status, certified["may_take_calls"], certified["team"]) == (200, True, "二组")
    assert await admin.ask("PUT", path, **change_of(made["staff"], active=False)) == (409, "staff.stale")
    assert (await admin.ask("PUT", path, **change_of(certified)))[0] == 200  # nothing changed: nothing audited
    assert (await newcomer.post("/work"))[0] == 200
    assert (await admin.ask("PUT", path, **change_of(certified, active=False)))[0] == 200
    assert (await newcomer.post("/work"))[0] == 401
    assert (await newcomer.login("gao", NEW))[0] == 401
    details = [entry.detail for entry in await staff_audit(db, "staff.change")]
    assert details == [
        {"before": {"may_take_calls": False, "team": "一组"}, "after": {"may_take_calls": True, "team": "二组"}},
        {"before": {"active": True}, "after": {"active": False}},
    ]
    [created] = [entry for entry in await staff_audit(db, "staff.create") if entry.object_id == made["staff"]["id"]]
    assert made["one_time_password"] not in str(created.detail)


async def test_posts_names_and_numbers_are_checked(house: House, db: Database) -> None:
    await groups(db)
    admin, teller = await signed_in(house, "admin1"), await signed_in(house, "teller1")
    refused = [
        ({"roles": ["teller", "inspector"]}, (400, "staff.posts")),
        ({"roles": ["supervisor", "admin"]}, (400, "staff.posts")),
        ({"roles": []}, (400, "staff.posts")),
        ({"skill_groups": ["none"]}, (400, "group.not_found")),
        ({"username": "teller1"}, (409, "staff.username_taken")),
        ({"staff_number": "1001"}, (409, "staff.number_taken")),
        ({"username": "Gao\x00"}, (400, "input.invalid")),
    ]
    for wrong, answer in refused:
        assert await admin.post("/api/staff", **(NEWCOMER | wrong)) == answer
    assert await teller.post("/api/staff", **NEWCOMER) == (403, "auth.denied")
    assert await teller.get("/api/staff") == (403, "auth.denied")
    rows = (await admin.get("/api/staff"))[1]
    assert "gao" not in {row["username"] for row in rows}
    assert not any("password_hash" in row for row in rows)
    own = next(row for row in rows if row["username"] == "admin1")
    answer = await admin.ask("PUT", f"/api/staff/{own['id']}", **change_of(own, display_name="新名字"))
    assert answer == (403, "staff.own_account")
    other = next(row for row in rows if row["username"] == "teller1")
    promoted = change_of(other, roles=["teller", "supervisor"])
    assert await admin.ask("PUT", f"/api/staff/{other['id']}", **promoted) == (400, "staff.posts")
