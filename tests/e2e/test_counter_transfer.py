"""转账 of 80 000 between three real browsers: three questions, signature, dual review, voucher; then fraud, stopped."""

import os
import re
from pathlib import Path

import pytest
from browser import Person, chromium, sign_in
from business import FORMS
from id_cards import Card
from money_pages import STEP_MS, approve, sign_document
from playwright.async_api import expect
from running_house import RunningHouse
from test_counter_opening import begin, fill_form, hang_up, show_card

from server.identity.seed import DEMO_PASSWORD

pytestmark = pytest.mark.timeout(240)

SHOTS = os.environ.get("AIRCOUNTER_SHOTS")


async def shot(person: Person, name: str) -> None:
    if SHOTS:
        await person.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def test_transfer_reviewed_and_booked_then_another_stopped_for_fraud(house: RunningHouse) -> None:
    async with chromium() as browser:
        customer = await Person.at(browser, house.base_url, 390, 844)
        teller = await Person.at(browser, house.base_url, 1440, 900)
        supervisor = await Person.at(browser, house.base_url, 1440, 900)
        await sign_in(supervisor, "supervisor1", DEMO_PASSWORD)
        await begin(customer, teller, "transfer")
        await fill_form(customer, {**FORMS["transfer"], "amount": "80000"})
        await teller.by("form-accept").click(timeout=STEP_MS)
        await _identify(customer, teller)
        await _answer(customer, teller)
        await customer.by("fee-agree").click(timeout=STEP_MS)
        await customer.by("confirm-yes").click(timeout=STEP_MS)
        await expect(customer.by("sign-document").locator("canvas").first).to_be_visible(timeout=STEP_MS)
        await shot(customer, "customer-sign")
        await shot(teller, "teller-sign")
        await sign_document(customer)
        await expect(teller.by("step-review")).to_have_attribute("data-state", "waiting", timeout=STEP_MS)
        await shot(teller, "teller-review")
        await supervisor.page.goto("/staff/reviews")
        await supervisor.by("review-waiting").first.click(timeout=STEP_MS)
        await shot(supervisor, "supervisor-review")
        await supervisor.page.set_viewport_size({"width": 390, "height": 844})
        await shot(supervisor, "supervisor-review-390")
        await supervisor.page.set_viewport_size({"width": 1440, "height": 900})
        await approve(supervisor, "已核对身份、金额与用途，客户本人自愿办理")
        await expect(customer.by("counter-ended")).to_have_attribute("data-state", "done", timeout=STEP_MS)
        await expect(customer.by("voucher-open")).to_be_visible(timeout=STEP_MS)
        await expect(customer.by("voucher-time")).to_contain_text("办成")
        async with customer.page.expect_popup() as opened:
            await customer.by("voucher-open").click()
        voucher = await opened.value
        await voucher.wait_for_url(re.compile("^blob:"), wait_until="commit")
        await voucher.close()
        await shot(customer, "customer-voucher")
        await customer.by("counter-dismiss").click()
        await _stop_a_second_one(customer, teller, supervisor)
        await hang_up(teller)
        assert [problem for problem in customer.problems if "vibrate" not in problem] == []
        assert teller.problems == []
        assert supervisor.problems == []


async def _identify(customer: Person, teller: Person) -> None:
    await show_card(customer, Card())
    await expect(teller.by("card-id_number")).to_have_value(Card().id_number, timeout=60_000)
    await expect(teller.by("card-valid_until")).to_have_value("2038-05-20", timeout=60_000)
    await teller.by("identity-verify").click()
    await teller.by("identity-accept").click(timeout=STEP_MS)


async def _answer(customer: Person, teller: Person) -> None:
    for answer in ("purpose-family", "relation-family", "source-savings"):
        await teller.by(f"q-{answer}").click(timeout=STEP_MS)
    await teller.by("q-account").check()
    await teller.by("q-identity").check()
    await shot(teller, "teller-questions")
    await teller.by("q-save").click()
    await expect(customer.by("heed-go")).to_be_visible(timeout=STEP_MS)
    await shot(customer, "customer-questions")
    await customer.by("heed-go").click()


async def _stop_a_second_one(customer: Person, teller: Person, supervisor: Person) -> None:
    await teller.by("start-transfer").click(timeout=STEP_MS)
    await teller.by("tool-fraud").click()
    await teller.by("fraud-words").fill("旁边有人教客户说话")
    await teller.by("fraud-raise").click()
    await expect(teller.by("fraud-clock")).to_be_visible(timeout=STEP_MS)
    await shot(teller, "teller-fraud")
    await supervisor.page.goto("/staff/fraud")
    await expect(supervisor.by("fraud-open")).to_be_visible(timeout=STEP_MS)
    await shot(supervisor, "supervisor-fraud")
    await teller.by("fraud-stop").click()
    await teller.by("fraud-reason").fill("客户被人指使，疑似诈骗")
    await teller.by("fraud-decide").click()
    await expect(customer.by("counter-ended")).to_have_attribute("data-state", "cancelled", timeout=STEP_MS)
    await expect(customer.by("visit-notice").first).to_contain_text("申诉")
    await shot(customer, "customer-stopped-fraud")
    for page in ("postings", "notices"):
        await supervisor.page.goto(f"/staff/{page}")
        await expect(supervisor.page.locator("h1")).to_be_visible(timeout=STEP_MS)
        await shot(supervisor, f"supervisor-{page}")
