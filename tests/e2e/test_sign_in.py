"""Signing in as people do it: a one-time password, an app that is obligatory, codes, and a second browser."""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from edge_house import edge_house
from identity_house import code_of
from oidc_provider import CLIENT_ID, SECRET, provider_process
from playwright.async_api import Page, expect
from sqlmodel import col, select

from core.models import Staff

NEW = "Brand-new-key-7"


async def shot(page: Page, name: str) -> None:
    """A picture at both widths, where a folder for pictures is named."""
    if folder := os.environ.get("AIRCOUNTER_TEST_PICTURES"):
        for width in (390, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.wait_for_timeout(150)
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        await page.set_viewport_size({"width": 1280, "height": 800})


async def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.get_by_test_id(name.replace("_", "-")).fill(value)


@pytest.mark.timeout(120)
async def test_the_way_in(database_url: str, redis_url: str, tmp_path: Path, clock: Any) -> None:
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(provider_process())
        at_provider = {"oidc_issuer": issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": SECRET}
        chosen = {"totp_roles": "teller", "oidc_name": "行内统一登录", **at_provider}
        house = await stack.enter_async_context(edge_house(database_url, redis_url, tmp_path, **chosen))
        browser = await stack.enter_async_context(chromium())
        async with house.database.read() as session:
            teller_id = (await session.scalars(select(Staff.id).where(col(Staff.username) == "teller1"))).one()
        status, _, issued = await house.ask("admin1", "POST", f"/api/staff/{teller_id}/reset-password")
        assert status == 200
        one_time = issued.split('"')[3]
        page = await browser.new_page(locale="zh-CN")
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await page.goto(f"{house.url}/staff/teller")
        await fill(page, login_username="teller1", login_password="wrong")
        await page.get_by_test_id("login-submit").click()
        await expect(page.get_by_test_id("login-error")).to_be_visible()
        await shot(page, "login-refused")
        await fill(page, login_username="teller1", login_password=one_time)
        await page.get_by_test_id("login-submit").click()
        await expect(page.get_by_test_id("must-password")).to_be_visible()
        await fill(page, password_current=one_time, password_new="teller1-1234", password_again="x")
        await expect(page.get_by_test_id("password-submit")).to_be_disabled()
        await shot(page, "password-due")
        await fill(page, password_current=one_time, password_new=NEW, password_again=NEW)
        await page.get_by_test_id("password-submit").click()

        await expect(page.get_by_test_id("must-enrol")).to_be_visible()
        await page.get_by_test_id("totp-begin").click()
        await fill(page, totp_password=NEW)
        await page.get_by_test_id("totp-prove").click()
        secret = await page.get_by_test_id("totp-secret").inner_text()
        await expect(page.locator(".qr")).to_be_visible()
        await shot(page, "enrol")
        await fill(page, totp_code=code_of(secret, clock.now().timestamp()))
        await page.get_by_test_id("totp-finish").click()
        await expect(page.get_by_test_id("recovery-codes")).to_be_visible()
        codes = await page.get_by_test_id("recovery-codes").locator("li").all_inner_texts()
        assert len(codes) == 10
        await shot(page, "codes")
        await page.get_by_test_id("codes-kept").click()
        await page.wait_for_url("**/staff/teller")

        await page.goto(f"{house.url}/staff/account")
        await expect(page.get_by_test_id("password-form")).to_be_visible()
        await shot(page, "account")
        other = await (await browser.new_context(locale="en")).new_page()
        await other.goto(f"{house.url}/staff/login")
        await fill(other, login_username="teller1", login_password=NEW)
        await other.get_by_test_id("login-submit").click()
        await expect(other.get_by_test_id("second-step")).to_be_visible()
        await shot(other, "second-step")
        await fill(other, login_code=codes[0])
        await other.get_by_test_id("code-submit").click()
        await other.wait_for_url("**/staff/teller")
        await page.get_by_test_id("sign-out-everywhere").click()  # too late: the other sign-in ended this one
        await expect(page.get_by_text("您的账号已在另一处登录")).to_be_visible()
        await shot(page, "replaced")
        await other.goto(f"{house.url}/staff/account")
        await other.get_by_test_id("sign-out-everywhere").click()
        await expect(other.get_by_text("您的账号已在所有地方签退")).to_be_visible()
        for user, place in (("stranger", "**/staff/login?refused=oidc.no_account"), ("teller1", "**/staff/teller")):
            await page.goto(f"{house.url}/staff/login?next=/teller")
            await shot(page, f"login-provider-{user}")
            await page.get_by_test_id("login-provider").click()
            await page.locator("#user").fill(user)
            await page.locator("#go").click()
            await page.wait_for_url(place)
        await page.goto(f"{house.url}/staff/account")  # no second step of ours: the provider has its own
        await expect(page.get_by_test_id("password-form")).to_be_visible()
        assert broken == []
