"""Credentials for the relay."""

from datetime import UTC, datetime

import pytest
from fake_clock import FakeClock
from pydantic import ValidationError

from core.security.actor import customer_actor, staff_actor
from core.settings import Settings
from signaling.turn import Relays, turn_credential

SECRET = "north wind and sun"


def test_the_credential_is_the_one_coturn_computes() -> None:
    # printf '1700000000:visit_7' | openssl dgst -binary -sha1 -hmac 'north wind and sun' | base64
    assert turn_credential(SECRET, "visit_7", 1_700_000_000) == ("1700000000:visit_7", "lhKpejHbZOzCNLh5ytKr0xi4mzk=")


def test_every_browser_gets_its_own_for_a_while() -> None:
    relays = Relays(FakeClock(datetime(2030, 1, 1, tzinfo=UTC)), ("turn:a", "turns:b"), SECRET, 600.0)
    (customer,) = relays.servers_for(customer_actor("visit_7"))
    (teller,) = relays.servers_for(staff_actor("staff_2", []))
    until = int(datetime(2030, 1, 1, 0, 10, tzinfo=UTC).timestamp())
    assert (customer.urls, customer.username) == (["turn:a", "turns:b"], f"{until}:visit_7")
    assert teller.username == f"{until}:staff_2"
    assert customer.credential != teller.credential


def test_without_a_relay_there_is_no_entry() -> None:
    assert Relays(FakeClock(datetime(2030, 1, 1, tzinfo=UTC))).servers_for(customer_actor("visit_7")) == []


@pytest.mark.parametrize(
    "given",
    [
        {"turn_urls": "turn:a"},
        {"turn_urls": "stun:a", "turn_secret": "0123456789abcdef"},
        {"turn_secret": "short"},
        {"relay_only": True},
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)  # type: ignore[arg-type]


def test_addresses_are_separated_by_commas() -> None:
    settings = Settings(turn_urls=" turn:a:3478?transport=udp, turns:a:443 ,", turn_secret="0123456789abcdef")
    assert settings.turn_addresses == ("turn:a:3478?transport=udp", "turns:a:443")
