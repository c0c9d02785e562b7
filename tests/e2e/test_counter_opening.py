"""开户 between two real browsers: form, ID card read by real OCR, a returned document, fee and confirmation."""

import os
import re
from pathlib import Path

import pytest
from browser import Person, chromium, customer_to_consent, sign_in, teller_ready
from business import FORMS
from id_cards import Card, back, front, jpeg, photographed
from money_pages import approve, sign_document
from playwright.async_api import expect
from running_house import RunningHouse

from server.identity.seed import DEMO_PASSWORD

pytestmark = pytest.mark.timeout(240)

SHOTS = os.environ.get("AIRCOUNTER_SHOTS")  # a folder to keep pictures of the pages in


async def shot(person: Person, name: str) -> None:
    if SHOTS:
        await person.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def fill_form(customer: Person, values: dict[str, object]) -> None:
    for key, value in values.items():
        choice = customer.by(f"choice-{key}-{value}")
        if await choice.count():
            await choice.click()
        else:
            await customer.by(f"input-{key}").fill(str(value))
    await customer.by("form-submit").click()


async def begin(customer: Person, teller: Person, business: str) -> None:
    await teller_ready(teller, "teller3", DEMO_PASSWORD)
    await customer_to_consent(customer, business)
    await customer.by("consent-agree").click()
    await teller.by("offer-accept").click(timeout=20_000)
    await expect(teller.by("call-remote-video")).to_be_visible(timeout=20_000)
    await teller.by(f"start-{business}").click(timeout=20_000)
    await expect(teller.by("step-form")).to_be_visible(timeout=20_000)


async def show_card(customer: Person, card: Card) -> None:
    for code, image in (("id_front", front(card)), ("id_back", back(card))):
        picture = jpeg(photographed(image, turned=4))
        await customer.by(f"file-{code}").set_input_files(
            [{"name": f"{code}.jpg", "mimeType": "image/jpeg", "buffer": picture}]
        )
    await expect(customer.by("face-consent")).to_be_visible(timeout=20_000)
    await shot(customer, f"customer-face-consent-{customer.page.viewport_size['width']}")
    await customer.by("face-agree").click()
    await customer.by("take-face").click(timeout=20_000)
    await expect(customer.by("identity-wait")).to_be_visible(timeout=30_000)


async def hang_up(teller: Person) -> None:
    await teller.by("call-hangup").click()
    await teller.by("call-hangup-confirm").click()
    await wrap_up(teller)


async def wrap_up(teller: Person) -> None:
    await teller.by("wrapup-disposition-resolved").click()
    await teller.by("wrapup-submit").click()
    await expect(teller.by("wrapup-submit")).to_have_count(0)


async def test_opening_an_account_with_the_id_card_read(house: RunningHouse) -> None:
    async with chromium() as browser:
        customer = await Person.at(browser, house.base_url, 390, 844)
        teller = await Person.at(browser, house.base_url, 1440, 900)
        await begin(customer, teller, "account_opening")
        await expect(customer.by("counter-sheet")).to_be_visible(timeout=10_000)
        values = {**FORMS["account_opening"], "name": "王小", "phone": "1380013800"}
        await fill_form(customer, values)
        await expect(customer.page.locator(".problem")).to_be_visible()
        await shot(customer, "customer-form-wrong")
        await customer.by("input-phone").fill("13800138000")
        await customer.by("form-submit").click()
        await expect(customer.by("form-sent")).to_be_visible()
        await teller.by("field-name").fill("王小明")
        await teller.by("form-save").click()
        await expect(teller.by("field-changed")).to_be_visible()
        await shot(teller, "teller-form")
        await shot(customer, "customer-form")
        await teller.by("form-accept").click()
        await customer.by("take-id_front").wait_for(timeout=20_000)
        await shot(customer, "customer-identity")
        await show_card(customer, Card())
        await expect(teller.by("card-id_number")).to_have_value(Card().id_number, timeout=60_000)
        await expect(teller.by("card-valid_until")).to_have_value("2038-05-20", timeout=60_000)
        await expect(teller.by("card-name")).to_have_value("王小明")
        await shot(teller, "teller-identity")
        await customer.page.reload()  # the case outlives a reload
        await expect(customer.by("identity-wait")).to_be_visible(timeout=30_000)
        await teller.by("identity-verify").click()
        await expect(teller.by("mark-face")).to_have_attribute("data-ok", "true", timeout=30_000)
        await teller.by("identity-accept").click()
        await customer.by("bring-residence_proof").click(timeout=20_000)
        async with customer.page.expect_file_chooser() as chooser:
            await customer.by("pick-residence_proof").click()
        picture = jpeg(front(Card()))
        await (await chooser.value).set_files([{"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture}])
        document = teller.by("document-residence_proof")
        await document.get_by_test_id("document-return").select_option("not_complete", timeout=20_000)
        await teller.by("reason-text").fill("请把整页拍进来")
        await teller.by("reason-tell").click()
        await expect(customer.by("paper-residence_proof")).to_contain_text("请把整页拍进来")
        await shot(customer, "customer-documents")
        await shot(teller, "teller-documents")
        await teller.by("documents-done").click()
        await customer.by("fee-agree").click(timeout=20_000)
        await expect(customer.by("confirm-summary")).to_contain_text("王小明")
        await shot(customer, "customer-confirm")
        await customer.by("confirm-yes").click()
        await sign_document(customer)
        supervisor = await Person.at(browser, house.base_url, 1440, 900)
        await sign_in(supervisor, "supervisor1", DEMO_PASSWORD)
        await approve(supervisor, "")
        await expect(customer.by("counter-ended")).to_have_attribute("data-state", "done", timeout=30_000)
        await expect(teller.by("case-ended")).to_have_attribute("data-state", "done")
        await shot(teller, "teller-done")
        await shot(customer, "customer-done")
        await hang_up(teller)
        # After a reload nobody has tapped yet, and the browser says that it does not buzz then.
        assert [problem for problem in customer.problems if "vibrate" not in problem] == []
        assert teller.problems == []


async def test_a_refused_identity_stops_a_password_reset(house: RunningHouse) -> None:
    card = Card().with_sequence("999")  # not in the simulated register
    async with chromium() as browser:
        customer = await Person.at(browser, house.base_url, 1440, 900)
        teller = await Person.at(browser, house.base_url, 1440, 900)
        await begin(customer, teller, "password_reset")
        await fill_form(customer, {**FORMS["password_reset"], "id_number": card.id_number})
        await teller.by("form-accept").click(timeout=20_000)
        await show_card(customer, card)
        await expect(teller.by("card-id_number")).to_have_value(card.id_number, timeout=60_000)
        await expect(teller.by("card-valid_until")).to_have_value("2038-05-20", timeout=60_000)
        await shot(customer, "customer-wide-identity")
        await teller.by("identity-verify").click()
        await expect(customer.by("counter-ended")).to_have_attribute("data-state", "stopped", timeout=30_000)
        await expect(customer.by("counter-ended")).to_contain_text(re.compile("网点"))
        await expect(teller.by("case-ended")).to_have_attribute("data-state", "stopped")
        await shot(customer, "customer-stopped")
        await customer.page.set_viewport_size({"width": 390, "height": 844})
        await shot(customer, "customer-stopped-390")
        await shot(teller, "teller-stopped")
        await customer.by("consents-open").click()
        await expect(customer.by("consent-face")).to_have_attribute("data-granted", "true")
        await customer.by("withdraw-face").click()
        await customer.by("withdraw-face-confirm").click()
        await expect(customer.by("consent-face")).to_have_attribute("data-granted", "false")
        await customer.by("withdraw-recording").click()
        await shot(customer, "customer-consents-1440")
        await customer.page.set_viewport_size({"width": 390, "height": 844})
        await shot(customer, "customer-consents-390")
        await customer.by("withdraw-recording-confirm").click()
        await expect(customer.by("call-hangup")).to_have_count(0, timeout=10_000)  # nothing is recorded any more
        await wrap_up(teller)
