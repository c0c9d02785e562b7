"""Pictures of the pages about people and numbers, renewed by one command; the web client has to be built.

    PYTHONPATH=. python docs/pictures.py [--into docs/images] [--only NAME …] [--language en] [--whole] [--days 120]

Real pages of a real edge over embedded engines, with the invented year of `bench/year.py` behind them. Written as WebP
at 1440 and 390 pixels: `<name>-<width>.webp`. `--whole`: the page to its very end.
"""

import argparse
import asyncio
import io
import logging
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes")]

import structlog  # noqa: E402
from browser import chromium  # noqa: E402
from edge_house import EdgeHouse, edge_house  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.async_api import Browser, Page  # noqa: E402

from bench.year import fill  # noqa: E402
from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.security.keys import load_secrets  # noqa: E402
from core.settings import Settings  # noqa: E402
from server.app import engines, schema  # noqa: E402
from server.app.seed import seed  # noqa: E402

SIZES = {1440: 900, 390: 844}
QUALITY = 55
Prepare = Callable[[Page], Awaitable[object]]


async def _people_say(house: EdgeHouse, visit_id: str) -> None:
    """A complaint of a customer, and marks of two colleagues."""
    house.customer("customer", visit_id)
    story = "上午办转账时排队约八分钟，接通后又让我重说了一遍情况。希望改进，并告知处理结果。"
    status, _, answer = await house.ask("customer", "POST", "/api/visit/complaints", {"story": story})
    assert status == 200, answer
    month = datetime.now(UTC).astimezone().strftime("%Y-%m")
    _, _, known = await house.ask("teller2", "GET", f"/api/peer-reviews?month={month}")
    mine = known.split('"teller_id":')[1].split('"')[1]
    for who, score, comment in (("teller2", "90", "耐心，讲解清楚"), ("teller3", "85", "")):
        body = {"month": month, "teller_id": mine, "score": score, "comment": comment}
        await house.ask(who, "POST", "/api/peer-reviews", body)


async def _nothing(page: Page) -> None:
    """The page as it opens."""


async def _first_ticket(page: Page) -> None:
    await page.get_by_test_id(re.compile("ticket-row-")).first.click()
    await page.wait_for_load_state("networkidle")


def _month(page_tab: str) -> Prepare:
    """The report of the last thirty days, or another tab of the statistics."""

    async def show(page: Page) -> None:
        if page_tab != "report":
            await page.get_by_test_id(f"statistics-{page_tab}").click()
        since = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
        if page_tab == "report":
            await page.locator("input[type=date]").first.fill(since)
        elif page_tab == "radar":
            last = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
            await page.locator("input[type=month]").fill(last)
        await page.wait_for_load_state("networkidle")

    return show


async def _list(page: Page) -> None:
    await _month("report")(page)
    await page.wait_for_timeout(3000)
    await page.get_by_test_id("total-low").click()


PICTURES: dict[str, tuple[str, str, Prepare]] = {
    "statistics": ("supervisor1", "/staff/statistics", _month("report")),
    "statistics-list": ("supervisor1", "/staff/statistics", _list),
    "radar": ("supervisor1", "/staff/statistics", _month("radar")),
    "forecast": ("supervisor1", "/staff/statistics", _month("forecast")),
    "rotation": ("supervisor1", "/staff/statistics", _month("duty")),
    "peers": ("teller1", "/staff/peers", _nothing),
    "tickets": ("inspector1", "/staff/tickets", _first_ticket),
    "follow-ups": ("supervisor1", "/staff/tickets", _nothing),
}


async def take(house: EdgeHouse, browser: Browser, name: str, chosen: argparse.Namespace) -> None:
    """One page at both widths."""
    who, path, prepare = PICTURES[name]
    for width, height in SIZES.items():
        context = await browser.new_context(viewport={"width": width, "height": height}, locale=chosen.language)
        cookie = house.who[who]["Cookie"].split("=", 1)[1]
        await context.add_cookies([{"name": "ac_session", "value": cookie, "url": house.url}])
        page = await context.new_page()
        page.on("pageerror", lambda error: print(f"{name}: {error}", file=sys.stderr))
        await page.goto(house.url + path, wait_until="networkidle")
        await prepare(page)
        await page.locator("[role=status][aria-busy=true]").first.wait_for(state="hidden", timeout=60_000)
        await page.wait_for_load_state("networkidle")
        await page.evaluate("document.activeElement?.blur()")
        await page.wait_for_timeout(500)
        picture = Image.open(io.BytesIO(await page.screenshot(full_page=chosen.whole)))
        picture.convert("RGB").save(Path(chosen.into) / f"{name}-{width}.webp", quality=QUALITY, method=6)
        await context.close()


async def run(chosen: argparse.Namespace) -> None:
    """Engines, rows, edge, browser; then picture after picture."""
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        postgres, valkey = (
            engines.start_postgres(Path(folder), temporary=True),
            engines.start_valkey(Path(folder), temporary=True),
        )
        try:
            await schema.upgrade(postgres.url)
            load_secrets(data)
            await seed(Settings(data_dir=data, database_url=postgres.url, redis_url=valkey.url, demo=True))
            database = Database(postgres.url, None, SystemClock())
            async with database.engine.connect() as connection:
                calls = await fill(connection, chosen.days, 300, 30, datetime.now(UTC).date())
            await database.close()
            async with edge_house(postgres.url, valkey.url, data) as house, chromium() as browser:
                await _people_say(house, f"visit_year_{calls}")
                for name in chosen.only or PICTURES:
                    await take(house, browser, name, chosen)
                    print(name, file=sys.stderr)
        finally:
            valkey.stop()
            postgres.stop()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", default=str(ROOT / "docs" / "images"))
    parser.add_argument("--only", nargs="*", choices=list(PICTURES))
    parser.add_argument("--language", default="zh-CN")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--days", type=int, default=120)
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    Path(chosen.into).mkdir(parents=True, exist_ok=True)
    asyncio.run(run(chosen))


if __name__ == "__main__":
    main()
