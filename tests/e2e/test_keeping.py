"""Deletion by two persons, a legal hold and a customer's request as people do them on the pages."""

import os
from pathlib import Path

import pytest
from browser import chromium
from edge_house import EdgeHouse, add_belongings, edge_house
from playwright.async_api import Browser, Page, expect
from sqlalchemy import text
from sqlmodel import select

from core.events import PurgeApproved
from core.models import PurgeRun
from core.security.actor import system_actor
from core.security.seal import load_seal
from recording.retention.ledger import Ledger
from recording.retention.purge import PurgeService
from server.identity.seed import DEMO_PASSWORD


async def shot(page: Page, name: str) -> None:
    """A picture at both widths, where a folder for pictures is named. Nothing may stick out at either."""
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.wait_for_timeout(100)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if folder := os.environ.get("AIRCOUNTER_TEST_PICTURES"):
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


async def signed_in(house: EdgeHouse, browser: Browser, username: str, page_name: str, locale: str = "zh-CN") -> Page:
    page = await (await browser.new_context(locale=locale)).new_page()
    await page.goto(f"{house.url}/staff/login?next=/{page_name}")
    await page.get_by_test_id("login-username").fill(username)
    await page.get_by_test_id("login-password").fill(DEMO_PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.wait_for_url(f"**/staff/{page_name}")
    return page


@pytest.mark.timeout(150)
async def test_two_people_delete_and_a_hold_keeps(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with edge_house(database_url, redis_url, tmp_path) as house, chromium() as browser:
        theirs = await add_belongings(house, "teller1")
        async with house.database.unit_of_work(system_actor("test")) as work:
            for statement in (
                "update call set state = 'closed', ended_at = now() - interval '400 days'",
                "update business_case set ended_at = now() - interval '400 days'",
                "update ticket set closed_at = now() - interval '300 days'",
                "update appeal set decided_at = now() - interval '300 days'",
                "update rectification set closed_at = now() - interval '300 days'",
                "update fraud_alert set decided_at = now() - interval '300 days'",
            ):
                await work.session.execute(text(statement))
        admin = await signed_in(house, browser, "admin1", "retention")
        await expect(admin.get_by_text("还没有删除清单")).to_be_visible()
        await shot(admin, "retention-empty")
        await admin.get_by_test_id("tab-rules").click()
        await expect(admin.get_by_test_id("rule").first).to_be_visible()
        await admin.get_by_test_id("edit-business-business_done").click()
        await admin.get_by_test_id("rule-amount").fill("60")
        await admin.get_by_test_id("rule-save").click()
        await expect(admin.get_by_text("低于法定或行内下限")).to_be_visible()
        await shot(admin, "retention-rules")
        await admin.get_by_test_id("tab-call").click()
        await admin.get_by_test_id("fate-number").fill(str(theirs.done.number))
        await admin.get_by_test_id("fate-look").click()
        await expect(admin.get_by_test_id("fate-recording")).to_contain_text("可以删除")
        await expect(admin.get_by_test_id("fate-business")).to_contain_text("保留中")
        await shot(admin, "retention-call")
        await admin.get_by_test_id("tab-purges").click()
        await admin.get_by_test_id("dry-run").click()
        await expect(admin.get_by_test_id("line-listed")).to_have_count(4)
        await expect(admin.get_by_test_id("purge-approve")).to_have_count(0)  # not one's own list
        await shot(admin, "retention-list")

        auditor = await signed_in(house, browser, "auditor1", "retention")
        await auditor.get_by_test_id("tab-holds").click()
        await auditor.get_by_test_id("subject-text").fill(str(theirs.live.number))
        await auditor.get_by_test_id("hold-reason").fill("法院调取证据 17 号")
        await auditor.get_by_test_id("hold-set").click()
        await expect(auditor.get_by_test_id("hold-asked")).to_be_visible()
        await shot(auditor, "retention-holds")
        await auditor.get_by_test_id("tab-purges").click()
        await auditor.get_by_test_id("purge-open").click()
        await auditor.get_by_test_id("purge-approve").click()
        await expect(auditor.get_by_test_id("purge-approved")).to_be_visible()
        async with house.database.read() as session:
            run = (await session.scalars(select(PurgeRun))).one()
        store = house.connections.store
        purges = PurgeService(house.database, store, tmp_path / "journals", Ledger(load_seal(tmp_path), [store]))
        await purges.on_approved(PurgeApproved(at=run.created_at, run_id=run.id))
        await expect(auditor.get_by_test_id("purge-done")).to_be_visible(timeout=10_000)
        await expect(auditor.get_by_test_id("line-deleted")).to_have_count(2)
        await expect(auditor.get_by_test_id("line-skipped")).to_have_count(2)  # the hold
        await shot(auditor, "retention-done")
        await auditor.get_by_test_id("tab-stones").click()
        await expect(auditor.get_by_test_id("tombstone")).to_have_count(2)
        await shot(auditor, "retention-stones")
        await admin.get_by_test_id("tab-holds").click()
        await admin.reload()
        await admin.get_by_test_id("tab-holds").click()
        await admin.get_by_test_id("hold-agree").click()
        await expect(admin.get_by_test_id("hold-confirmed")).to_be_visible()

        await auditor.goto(f"{house.url}/staff/subjects")
        await auditor.get_by_test_id("request-kind").select_option("deletion")
        await auditor.get_by_test_id("subject-text").fill(str(theirs.done.number))
        await auditor.get_by_test_id("request-note").fill("客户来函，已核实本人")
        await auditor.get_by_test_id("request-ask").click()
        await expect(auditor.get_by_test_id("request-refused")).to_contain_text("保留中")
        await shot(auditor, "subjects")
        english = await signed_in(house, browser, "admin1", "retention", "en")
        await expect(english.get_by_test_id("purge-done")).to_be_visible()
        await shot(english, "retention-en")
