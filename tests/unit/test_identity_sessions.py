"""When a session is alive."""

from datetime import UTC, datetime, timedelta

import pytest

from core.models.staff import StaffSession
from server.identity.sessions import SessionLimits, is_alive

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMITS = SessionLimits(idle_s=600, max_s=3600)


def session(seen_s: float, ended: bool = False) -> StaffSession:
    return StaffSession(
        token_sha256="0" * 64,
        staff_id="staff_1",
        csrf_token="t",
        created_at=START,
        last_seen_at=START + timedelta(seconds=seen_s),
        ended_at=START if ended else None,
    )


@pytest.mark.parametrize(
    ("seen_s", "now_s", "alive"),
    [
        (0, 599, True),
        (0, 600, False),  # idle
        (3500, 3599, True),
        (3599, 3600, False),  # too old, however busy
    ],
)
def test_idle_and_absolute_limits(seen_s: float, now_s: float, alive: bool) -> None:
    assert is_alive(session(seen_s), LIMITS, START + timedelta(seconds=now_s)) is alive


def test_an_ended_session_is_dead() -> None:
    assert not is_alive(session(0, ended=True), LIMITS, START)


def test_a_busy_session_never_looks_idle() -> None:
    assert SessionLimits(600, 3600).seen_every_s == 30
    assert SessionLimits(8, 3600).seen_every_s == 2
