"""The installation as administrators see it: a node is taken out, a backup is due, alarms come and go by themselves."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from edge_house import EdgeHouse, edge_house
from playwright.async_api import Page, expect
from redis.asyncio import Redis

from core.heartbeats import asked_to_drain, beat
from core.tasks import TaskOwner
from server.app import backups
from server.operations.rules import Limits
from server.operations.watch import Watch


async def shot(page: Page, name: str) -> None:
    """A picture at both widths, where a folder for pictures is named."""
    if folder := os.environ.get("AIRCOUNTER_TEST_PICTURES"):
        for width in (390, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.wait_for_timeout(150)
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.fixture
async def owner() -> AsyncIterator[TaskOwner]:
    owner = TaskOwner("test")
    yield owner
    await owner.close()


async def signed_in(house: EdgeHouse, page: Page, username: str) -> None:
    """With the session of an account that is signed in already."""
    await house.sign_in(username)
    name, value = house.who[username]["Cookie"].split("=", 1)
    await page.context.add_cookies([{"name": name, "value": value, "url": house.url}])


@pytest.mark.timeout(120)
async def test_an_administrator_looks_after_the_machines(
    database_url: str, redis_url: str, redis: Redis, tmp_path: Path, owner: TaskOwner
) -> None:
    target = str(tmp_path / "elsewhere")
    node: dict[str, Any] = {
        "url": "http://127.0.0.1:1",
        "boot_id": "boot_1",
        "load": 2,
        "disk_free_b": 90 * 10**9,
        "disk_b": 200 * 10**9,
        "release": "0.1.0",
        "draining": False,
    }

    async def heed() -> None:
        while True:
            node["draining"] = await asked_to_drain(redis, "media-1")
            await asyncio.sleep(0.2)

    owner.start("heed", heed())
    owner.start("media-1", beat(redis, "media", "media-1", lambda: node))
    owner.start(
        "media-2", beat(redis, "media", "media-2", lambda: node | {"boot_id": "boot_2", "load": 5, "draining": False})
    )
    async with (
        edge_house(database_url, redis_url, tmp_path, backup_target=target) as house,
        chromium() as browser,
    ):
        _, loops = backups.backup_jobs(house.connections)
        owner.start("backups", loops["backups"])
        page = await browser.new_page(locale="zh-CN", viewport={"width": 1440, "height": 900})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await signed_in(house, page, "admin1")
        await page.goto(f"{house.url}/staff/operations")
        await expect(page.get_by_test_id("state-media-1")).to_have_text("接新通话")
        await expect(page.get_by_test_id("run-backup-waiting")).to_be_visible()  # the one that was due last night
        await page.get_by_test_id("drain-media-1").click()
        await expect(page.get_by_test_id("state-media-1")).to_have_text("不接新通话，还有 2 通")
        await shot(page, "operations")
        node["load"] = 0
        await expect(page.get_by_test_id("state-media-1")).to_have_text("已空，可以停机")
        await page.get_by_test_id("drain-media-1").click()
        await expect(page.get_by_test_id("state-media-1")).to_have_text("接新通话")

        watch = Watch(house.database, redis, Limits(5e9, 300, 1800, 93_600))
        await page.goto(f"{house.url}/staff/alarms")
        await expect(page.get_by_text("没有告警，一切正常。")).to_be_visible()
        node["disk_free_b"] = 3 * 10**9
        await asyncio.sleep(1.2)  # the next beat tells it
        await watch.once()
        await expect(page.get_by_text("磁盘空间不足")).to_be_visible(timeout=3000)
        await shot(page, "alarms-disk")
        node["disk_free_b"] = 90 * 10**9
        await asyncio.sleep(1.2)
        await watch.once()
        await expect(page.get_by_text("磁盘空间不足")).to_be_hidden(timeout=3000)

        await page.context.clear_cookies()
        await signed_in(house, page, "auditor1")
        await page.goto(f"{house.url}/staff/audit")
        await page.get_by_test_id("audit-what").fill("节点")
        await page.get_by_test_id("audit-search").click()
        await expect(page.get_by_test_id("audit-name")).to_have_text(["节点恢复接通话", "节点停止接新通话"])
        await shot(page, "audit-names")
        assert broken == []
