"""A site that lets nothing out but TLS: customer and teller meet through the relay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bare_page import chromium_with
from browser import Person, customer_to_consent, teller_ready, wait_frames
from running_house import RunningHouse
from turn_relay import SECRET, TurnRelay

from server.identity.seed import DEMO_PASSWORD


@pytest.fixture
def relay() -> Iterator[TurnRelay]:
    with TurnRelay() as running:
        yield running


async def test_two_pages_meet_through_the_relay(relay: TurnRelay, speech_models: Path) -> None:
    settings = {
        "AIRCOUNTER_TURN_URLS": relay.urls["tls"],
        "AIRCOUNTER_TURN_SECRET": SECRET,
        "AIRCOUNTER_RELAY_ONLY": "true",
        "AIRCOUNTER_LIVE_ENGINE": "none",
        "AIRCOUNTER_FINAL_ENGINE": "none",
    }
    trust = f"--ignore-certificate-errors-spki-list={relay.key_digest}"
    with RunningHouse(speech_models, **settings) as house:
        async with chromium_with(trust) as browser:
            customer = await Person.at(browser, house.base_url, 390, 844)
            teller = await Person.at(browser, house.base_url, 1440, 900)
            await teller_ready(teller, "teller1", DEMO_PASSWORD)
            await customer_to_consent(customer, "wealth_signing")
            await customer.by("consent-agree").click()
            await teller.by("offer-accept").click(timeout=20_000)
            for person in (customer, teller):
                await wait_frames(person, "call-remote-video", 15)
            assert (customer.problems, teller.problems) == ([], [])
    assert ":visit_" in relay.log()
    assert ":staff_" in relay.log()
