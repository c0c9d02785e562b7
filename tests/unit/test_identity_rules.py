"""What a password must be like, when it is due, and what a sign-in waits for."""

import importlib.util
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from core.models.staff import Staff
from server.identity.accounts import make_one_time_password
from server.identity.rules import AccountRules, awaits, password_due, password_problems
from server.identity.second_step import accepted_step, recovery_sha256
from server.identity.seed import DEMO_PASSWORD

RULES = AccountRules(totp_roles=frozenset({"admin"}))
NAMES = ("teller1", "1001")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        ("Str0ng+enough", []),
        ("空中柜面Counter7", []),
        (DEMO_PASSWORD, []),
        ("Sh0rt+one", ["too_short"]),
        ("onlylowerletters", ["too_simple"]),
        ("lower and Upper", []),
        ("my-Teller1-key", ["contains_name"]),
        ("Badge.1001.xy", ["contains_name"]),
        ("Waaaay-2-easy", ["repeats"]),
        ("Go-1234-Go-Go", ["repeats"]),
        ("Go-9876-Go-Go", ["repeats"]),
        ("Go-123-Go-Goo", []),
        ("1234", ["too_short", "too_simple", "repeats"]),
        ("", ["too_short", "too_simple"]),
    ],
)
def test_password_problems(password: str, problems: list[str]) -> None:
    assert password_problems(password, NAMES, RULES) == problems


@given(st.text(max_size=40))
def test_any_text_is_judged(password: str) -> None:
    problems = password_problems(password, NAMES, RULES)
    assert ("too_short" in problems) == (len(password) < 10)
    assert password_problems(password + "1111", NAMES, RULES).count("repeats") == 1


def test_one_time_passwords_are_good_and_differ() -> None:
    made = {make_one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 17 and not set(password) & set("0OIl1io") for password in made)
    assert all("too_simple" not in password_problems(password, NAMES, RULES) for password in made)


def staff(role: str = "teller", must_change: bool = False) -> Staff:
    return Staff(
        id="staff_1",
        username="teller1",
        display_name="李敏",
        staff_number="1001",
        roles=[role],
        password_hash="x",
        must_change_password=must_change,
        created_at=START,
    )


@pytest.mark.parametrize(
    ("who", "days", "has_totp", "expected"),
    [
        (staff(), 0, False, None),
        (staff(), 89.9, False, None),
        (staff(), 90, False, "password"),
        (staff(must_change=True), 0, False, "password"),
        (staff("admin"), 0, False, "enrolment"),
        (staff("admin"), 0, True, None),
        (staff("admin", must_change=True), 0, False, "password"),  # one thing after the other
        (staff("of_no_such_post"), 0, False, None),
    ],
)
def test_what_a_sign_in_waits_for(who: Staff, days: float, has_totp: bool, expected: str | None) -> None:
    at = START + timedelta(days=days)
    asked = {"has_totp": has_totp, "rules": RULES}
    assert awaits(who, at, second_step=False, by_provider=False, **asked) == expected
    assert awaits(who, at, second_step=True, by_provider=False, **asked) == "second_step"
    assert awaits(who, at, second_step=False, by_provider=True, **asked) is None


def test_passwords_need_not_grow_old() -> None:
    assert password_due(staff(), AccountRules(max_age=None)) is None


@given(st.integers(300, 2**33), st.integers(-120, 120), st.integers(0, 3))
def test_a_code_is_good_for_its_step_and_its_neighbours_and_never_twice(now_s: int, off_s: int, used: int) -> None:
    then = now_s + off_s
    code, current = pyotp.TOTP(SECRET).at(then), now_s // 30
    step = accepted_step(SECRET, code, now_s, 0)
    near = abs(then // 30 - current) <= 1 and then // 30 > 0
    if near:
        assert step is not None
        assert pyotp.TOTP(SECRET).generate_otp(step) == code
        assert accepted_step(SECRET, code, now_s + used, step) is None
    elif step is not None:  # one in a million codes belongs to a neighbouring step as well
        assert pyotp.TOTP(SECRET).generate_otp(step) == code


def test_recovery_codes_are_read_kindly_and_belong_to_one_person() -> None:
    assert recovery_sha256("a", "ABCD-efgh 1234") == recovery_sha256("a", "abcdefgh1234")
    assert recovery_sha256("a", "abcd") != recovery_sha256("b", "abcd")


def test_passwords_are_hashed_at_the_cost_rfc_9106_asks_for() -> None:
    spec = importlib.util.find_spec("core.security.passwords")  # anew: the tests' own hasher is a cheap one
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = module.hash_password("Word-number-A-7")
    parameters = extract_parameters(stored)
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) >= (3, 65536, 4)
    assert stored.startswith("$argon2id$")
