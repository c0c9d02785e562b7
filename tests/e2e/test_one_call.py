"""The heart: two real browsers meet, talk Mandarin, hang up; the inspector opens and scores the recording."""

import asyncio
import re
import time

import pytest
from browser import (
    Person,
    chromium,
    customer_to_consent,
    sign_in,
    teller_ready,
    wait_frames,
)
from playwright.async_api import Browser, expect
from running_house import RunningHouse
from speech_data import clip, pinyin_likeness, turns

from server.identity.seed import DEMO_PASSWORD

CALL = "wealth_mis_selling"
TALK_S = 32.0  # six sentences: greeting, identity, the forbidden promise, and the customer's doubts
PROCESSED_S = 180

pytestmark = pytest.mark.timeout(420)


async def test_customer_and_teller_talk_and_inspector_scores(house: RunningHouse) -> None:
    async with chromium() as browser:
        customer = await Person.at(browser, house.base_url, 390, 844)
        teller = await Person.at(browser, house.base_url, 1440, 900)
        await teller_ready(teller, "teller1", DEMO_PASSWORD)
        await customer_to_consent(customer, "wealth_signing")
        await customer.by("consent-agree").click()
        await teller.by("offer-accept").click(timeout=20_000)
        await _see_each_other(customer, teller)
        await _talk(customer, teller)
        await _hang_up_and_rate(customer, teller)
        assert customer.problems == []
        assert teller.problems == []
        await _inspect(browser, house)


async def _see_each_other(customer: Person, teller: Person) -> None:
    for person in (customer, teller):
        await wait_frames(person, "call-remote-video", 10)
        before = await person.frames("call-remote-video")
        await wait_frames(person, "call-remote-video", before + 10)


async def _talk(customer: Person, teller: Person) -> None:
    await customer.by("captions-toggle").click()
    for party, person in (("customer", customer), ("teller", teller)):
        await person.prepare_speech(clip(CALL, party, 0.0, TALK_S))
    began_s = time.monotonic()
    await asyncio.gather(customer.speak(), teller.speak())
    # While they talk: captions on both pages, the first script node done, the forbidden promise warned of.
    await expect(teller.by("transcript-line").first).to_be_visible(timeout=30_000)
    await expect(customer.by("captions-text")).not_to_be_empty(timeout=30_000)
    await expect(teller.by("script-node-greeting_identity")).to_have_attribute("data-done", "true", timeout=40_000)
    await expect(teller.by("warning-promise_return").first).to_be_visible(timeout=60_000)
    await asyncio.sleep(max(0.0, began_s + TALK_S + 2 - time.monotonic()))


async def _hang_up_and_rate(customer: Person, teller: Person) -> None:
    await customer.by("call-hangup").click()
    await customer.by("call-hangup-confirm").click()
    await customer.by("rating-5").click()
    await customer.by("rating-submit").click()
    await expect(customer.by("goodbye")).to_be_visible()
    await teller.by("wrapup-disposition-resolved").click()
    await teller.by("wrapup-submit").click()
    await expect(teller.by("wrapup-submit")).to_have_count(0)


async def _inspect(browser: Browser, house: RunningHouse) -> None:
    inspector = await Person.at(browser, house.base_url, 1440, 900)
    await sign_in(inspector, "inspector1", DEMO_PASSWORD)
    await expect(inspector.by(re.compile("^qa-row-call_")).first).to_be_visible(timeout=30_000)
    await inspector.by(re.compile("^qa-row-call_")).first.click()
    await inspector.page.wait_for_url(re.compile("/staff/qa/call_"))
    await _wait_processed(inspector, house)
    for party in ("customer", "teller"):
        video = inspector.by(f"qa-video-{party}")
        await video.evaluate("(v) => { v.muted = true; return v.play(); }")
        await wait_frames(inspector, f"qa-video-{party}", 20)
        assert await video.evaluate("(v) => v.duration") > TALK_S - 1
    lines = await inspector.by("qa-segment").all_inner_texts()
    heard = "".join(re.sub(r"(客户|柜员)\s*\d+:\d+", "", line) for line in lines)
    said = "".join(turn.text for turn in turns(CALL) if turn.end_s < TALK_S)
    assert pinyin_likeness(heard, said) > 0.75, heard
    for finding in ("promise_return", "risk_disclosure", "recording_consent", "fee_notice", "identity_check"):
        await expect(inspector.by(f"qa-finding-{finding}").first).to_be_visible()
    await inspector.by("qa-segment").nth(3).click()
    await inspector.page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every(v => v.currentTime > 1)"
    )
    await (
        inspector.by("qa-comment").locator("textarea, input").or_(inspector.by("qa-comment")).last.fill("承诺保本保息")
    )
    await inspector.by("qa-take-auto").click()
    await inspector.by("qa-save").click()
    await expect(inspector.by("qa-saved")).to_be_visible()
    assert inspector.problems == []


async def _wait_processed(inspector: Person, house: RunningHouse) -> None:
    """Until the machine's score is there; then the page is opened anew."""
    call_id = inspector.page.url.rsplit("/", 1)[1]
    async with asyncio.timeout(PROCESSED_S):
        while True:
            answer = await inspector.page.request.get(f"/api/calls/{call_id}/result")
            stages = (await answer.json())["stages"]
            assert "failed" not in stages.values(), (stages, house.log()[-8000:])
            if stages["score"] == "done":
                break
            await asyncio.sleep(1)
    await inspector.page.reload()
    await expect(inspector.by(re.compile("^qa-finding-")).first).to_be_visible()
