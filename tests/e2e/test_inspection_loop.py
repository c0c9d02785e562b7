"""The loop of inspection in real browsers: three inspectors score, a teller appeals, supervisor and QA lead decide,
a rectification ends effective."""

import asyncio
import io
import os
import re
from functools import cache
from itertools import count

import pytest
from browser import Person, chromium, sign_in
from call_rows import GOOD_TRANSFER, CallRows
from PIL import Image
from playwright.async_api import Browser, expect
from running_house import RunningHouse
from sqlmodel import col, select

from core.clock import SystemClock
from core.db import Database
from core.events import TranscriptReady
from core.models.call import Call
from core.models.sampling import SamplePlan
from core.models.staff import Staff
from core.security.actor import system_actor
from server.identity.seed import DEMO_PASSWORD

RUDE = (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你是不是傻，听不懂人话吗？"))
INSPECTORS = ("inspector1", "inspector2", "inspector3")
_numbers = count(900_001)  # far from the numbers of calls that other tests hold

pytestmark = pytest.mark.timeout(300)


async def test_from_the_draw_to_the_rectification(house: RunningHouse) -> None:
    async with chromium() as browser:
        lead = await _at(browser, house, "qalead1")
        await _plan(lead)
        calls = await _finished_calls(house, 3)
        await _prescored(lead, calls)
        await _draw_and_replay(lead)
        inspectors = [await _at(browser, house, name) for name in INSPECTORS]
        scored = [await _score(inspector) for inspector in inspectors]
        assert sorted(scored) == sorted(calls)
        await _ask_for_rectification(inspectors[0])
        teller = await _at(browser, house, "teller1")
        await _appeal(teller, scored[0])
        await _decide(await _at(browser, house, "supervisor1"), "/staff/teamquality", scored[0], "say-yes-manners")
        await _decide(lead, "/staff/qa/appeals", scored[0], "say-yes-manners", note="录音核实，用语并无不当")
        await teller.page.goto("/staff/myquality")
        await teller.by(f"mine-{scored[0]}").click()
        await expect(teller.by("my-state")).to_have_text("已终审")
        await _rectify(teller, inspectors[0], scored[0])
        await lead.page.goto("/staff/qa/reports")
        await lead.by("figure-inspected").click()
        await expect(lead.by("report-row")).to_have_count(
            int(await lead.by("figure-inspected").locator("strong").inner_text())
        )
        await lead.by("trend-team").click()
        await expect(lead.by("trend-row").filter(has_text="一组")).to_be_visible()
        cell = lead.by("trend-cell").last
        await cell.click()
        await expect(lead.by("report-row")).to_have_count(int(await cell.inner_text()))
        await _mark_a_colleague(teller)
        await _from_a_number_to_its_call(lead)
        for person in (lead, teller, *inspectors):
            assert person.problems == []


async def _at(browser: Browser, house: RunningHouse, name: str) -> Person:
    person = await Person.at(browser, house.base_url, 1440, 900)
    await sign_in(person, name, DEMO_PASSWORD)
    return person


async def _mark_a_colleague(teller: Person) -> None:
    """Peer review: nobody finds oneself in the list, and what was stored is there after a reload."""
    await teller.page.goto("/staff/peers")
    colleague = teller.by(re.compile("^peer-")).filter(has_text="王建国")
    await colleague.get_by_role("textbox").fill("耐心")
    await colleague.get_by_role("button").click()
    await expect(colleague.get_by_role("button")).to_have_text("已保存")
    await teller.page.reload()
    await expect(colleague).to_contain_text("已打 80 分")
    await expect(colleague.get_by_role("textbox")).to_have_value("耐心")
    await expect(teller.by(re.compile("^peer-")).filter(has_text="李敏")).to_have_count(0)


async def _from_a_number_to_its_call(lead: Person) -> None:
    """Statistics: the number, as many calls behind it, and one of them."""
    await lead.page.goto("/staff/statistics")
    number = lead.by("total-answered")
    wanted = int(await number.inner_text())
    await number.click()
    calls = lead.by("statistics-calls").get_by_role("link")
    await expect(calls).to_have_count(wanted)
    await calls.first.click()
    await expect(lead.page).to_have_url(re.compile("/staff/qa/call_"))


async def _plan(lead: Person) -> None:
    await lead.page.goto("/staff/qa/plans")
    await lead.by("plan-new").click()
    await lead.by("plan-name").fill("全检")
    await lead.by("plan-percent").fill("100")
    await lead.by("plan-save").click()
    await expect(lead.by("plan-draw-全检")).to_be_visible()


async def _finished_calls(house: RunningHouse, wanted: int) -> list[str]:
    """Calls of teller1 whose transcripts are there; the house's own worker checks and pre-scores them."""
    url = (
        os.environ.get("AIRCOUNTER_DATABASE_URL")
        or f"postgresql+asyncpg://postgres@/postgres?host={house.data_dir}/postgres"
    )
    database = Database(url, None, SystemClock())
    try:
        rows = CallRows(database)
        async with database.read() as session:
            teller = (await session.scalars(select(Staff).where(col(Staff.username) == "teller1"))).one()
        async with database.unit_of_work(system_actor("test")) as work:  # calls of other tests are none of this plan's
            plan = (await work.session.scalars(select(SamplePlan).where(col(SamplePlan.name) == "全检"))).one()
            plan.drawn_until = work.clock.now()
        made: list[Call] = []
        for _ in range(wanted):
            call = await rows.call(teller, number=next(_numbers), ended_at=database.clock.now())
            await rows.transcript(call, RUDE)
            async with database.unit_of_work(system_actor("test")) as work:
                work.emit(TranscriptReady(at=work.clock.now(), call_id=call.id, transcribed=True, engine="test"))
            made.append(call)
        return [call.id for call in made]
    finally:
        await database.close()


async def _prescored(lead: Person, calls: list[str]) -> None:
    for call_id in calls:
        async with asyncio.timeout(60):
            while True:
                answer = await lead.page.request.get(f"/api/qa/calls/{call_id}")
                if (await answer.json())["evaluation"] is not None:
                    break
                await asyncio.sleep(0.3)


async def _draw_and_replay(lead: Person) -> None:
    await lead.by("plan-draw-全检").click()
    await expect(lead.by("draw-pick")).to_have_count(3)
    await lead.by("draw-replay").click()
    await expect(lead.by("replay-result")).to_contain_text("重演一致")


async def _score(inspector: Person) -> str:
    """By keyboard alone: open the first task, confirm a finding, take the pre-score, save, release."""
    page = inspector.page
    await page.goto("/staff/qa/queue")
    await expect(inspector.by("queue-next")).to_be_enabled()
    await page.keyboard.press("n")
    await page.wait_for_url(re.compile("/staff/qa/call_"))
    call_id = page.url.rsplit("/", 1)[1]
    await expect(inspector.by("qa-finding-rude_words").first).to_be_visible()
    await page.keyboard.press("k")
    await page.keyboard.press("c")
    await expect(page.get_by_text("✓ 已确认").first).to_be_visible()
    await page.keyboard.press("a")
    # What is typed survives a reload: the server keeps the draft.
    await expect(inspector.by("qa-drafted")).to_be_visible()
    await page.reload()
    await expect(inspector.by("qa-item-manners")).to_have_attribute("data-value", "0")
    await page.keyboard.press("s")
    await expect(inspector.by("qa-saved")).to_be_visible()
    await page.keyboard.press("r")
    await expect(inspector.by("qa-state")).to_have_text("待确认")
    return call_id


async def _ask_for_rectification(inspector: Person) -> None:
    await inspector.by("follow-rectify").click()
    await inspector.by("follow-title").fill("文明用语")
    await inspector.by("follow-text").fill("重学服务规范")
    await inspector.by("follow-send").click()
    await expect(inspector.by("follow-sent")).to_be_visible()


async def _appeal(teller: Person, call_id: str) -> None:
    await teller.page.goto("/staff/myquality")
    await teller.by(f"mine-{call_id}").click()
    await teller.by("my-appeal").click()
    await teller.by("appeal-manners").fill("是客户先说的，我在复述")
    await teller.by("appeal-send").click()
    await expect(teller.by("my-state")).to_have_text("申诉中")


async def _decide(judge: Person, path: str, call_id: str, choice: str, note: str = "") -> None:
    await judge.page.goto(path)
    card = judge.by(f"appeal-{call_id}")
    await card.get_by_test_id(choice).click()
    if note:
        await card.get_by_test_id("verdict-note").fill(note)
    await card.get_by_test_id("appeal-decide").click()
    await expect(card.get_by_test_id("appeal-decide")).to_have_count(0)


async def _rectify(teller: Person, inspector: Person, call_id: str) -> None:
    await teller.page.goto("/staff/myquality/rectifications")
    await _prove(teller, call_id, "已重学")
    await inspector.page.goto("/staff/qa/rectifications")
    card = inspector.by(f"rect-{call_id}")
    await card.get_by_test_id("check-note").fill("请附考试成绩")
    await card.get_by_test_id("rect-return").click()
    await expect(card.get_by_test_id("rect-state")).to_have_text("待提交佐证")
    await teller.page.reload()
    await teller.by("proof-input").set_input_files(
        {"name": "成绩单.png", "mimeType": "image/png", "buffer": _picture()}
    )
    await expect(teller.by("proof-file")).to_contain_text("成绩单.png")
    await _prove(teller, call_id, "已通过考试，见成绩单")
    await inspector.page.reload()
    link = card.get_by_test_id("proof-file").get_by_role("link")
    shown = await inspector.page.request.get(await link.get_attribute("href") or "")
    assert (shown.headers["content-type"], await shown.body()) == ("image/png", _picture())
    await card.get_by_test_id("rect-accept").click()
    await expect(card.get_by_test_id("rect-state")).to_have_text("整改有效")


async def _prove(teller: Person, call_id: str, text: str) -> None:
    card = teller.by(f"rect-{call_id}")
    await card.get_by_test_id("proof-text").fill(text)
    await card.get_by_test_id("proof-send").click()
    await expect(card.get_by_test_id("rect-state")).to_have_text("待复查")


@cache
def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (240, 240), "white").save(out, "PNG")
    return out.getvalue()
