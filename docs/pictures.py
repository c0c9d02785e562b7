"""Pictures of the pages about people and numbers, renewed by one command; the web client has to be built.

    PYTHONPATH=. python docs/pictures.py [--into docs/images] [--only NAME …] [--language en] [--whole] [--days 120]

Real pages of a real edge over embedded engines, with the invented year of `bench/year.py` behind them and a morning on
the wallboard. Written as WebP at 1440 and 390 pixels: `<name>-<width>.webp`. `--whole`: the page to its very end.
"""

import argparse
import asyncio
import io
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes")]

from browser import chromium  # noqa: E402
from edge_house import EdgeHouse, edge_house  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.async_api import Browser, Page  # noqa: E402
from sqlalchemy import text  # noqa: E402

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

# The invented tellers are on duty this morning: most of them talk, four customers wait.
_MORNING = (
    """
insert into teller_presence (staff_id, state, reason, since, missed_offers, call_id, version)
select id, (array['in_call', 'in_call', 'in_call', 'wrap_up', 'ready', 'break'])[1 + right(staff_number, 2)::int % 6],
  case when right(staff_number, 2)::int % 6 = 5 then 'lunch' else '' end,
  now() - interval '1 minute' * right(staff_number, 1)::int, 0, null, 1
from staff where id like 'staff\\_year\\_%' and right(staff_number, 2)::int <= 14
""",
    """
insert into visit (id, business_code, channel, device, address_class, language, created_at)
select 'visit_now_' || n, 'transfer', 'web', 'desktop', 'public', 'zh-CN', now() from generate_series(1, 90) n
""",
    """
insert into call (id, visit_id, business_code, language, state, version, priority, teller_id, recording_ok, sharing,
  holds, queued_at, accepted_at, connected_at, ended_at, closed_at, end_reason, disposition, skill_group,
  customer_class)
select 'call_now_' || n, 'visit_now_' || n, business, 'zh-CN', state, 3, 0,
  case when state <> 'queued' and not gone then 'staff_year_' || 1 + n % 14 end, true, false, '[]', at,
  case when state <> 'queued' and not gone then at + wait end, case when state = 'connected' then at + wait end,
  case when state = 'closed' then at + wait + case when gone then interval '0' else interval '6 minutes' end end,
  case when state = 'closed' then at + wait + case when gone then interval '0' else interval '380 seconds' end end,
  case when gone then 'customer_left_queue' when state = 'closed' then 'customer_hung_up' end,
  case when state = 'closed' and not gone then 'resolved' end, 'personal',
  case when n % 4 = 0 then 'elderly' else 'standard' end
from (
  select n, (array['transfer', 'inquiry', 'account_opening', 'password_reset'])[1 + n % 4] as business,
    case when n <= 4 then 'queued' when n <= 10 then 'connected' else 'closed' end as state,
    n > 10 and n % 11 = 0 as gone,
    now() - case when n <= 4 then interval '40 seconds' * n when n <= 10 then interval '1 minute' * n
      else interval '8 minutes' + interval '1 minute' * (n - 10) end as at,
    case when n % 5 = 0 then interval '48 seconds' else interval '1 second' * (3 + n % 14) end as wait
  from generate_series(1, 90) n
) drawn
""",
    """
update teller_presence p set call_id = c.id from call c where c.teller_id = p.staff_id and c.state = 'connected'
""",
)


async def _people_say(house: EdgeHouse) -> None:
    """A complaint of a customer, and marks of two colleagues."""
    house.customer("customer", "visit_now_12")
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
        postgres, valkey = engines.start_postgres(Path(folder)), engines.start_valkey(Path(folder))
        try:
            await schema.upgrade(postgres.url)
            load_secrets(data)
            await seed(Settings(data_dir=data, database_url=postgres.url, redis_url=valkey.url, demo=True))
            database = Database(postgres.url, None, SystemClock())
            async with database.engine.connect() as connection:
                await fill(connection, chosen.days, 300, 30, datetime.now(UTC).date())
                for statement in _MORNING:
                    await connection.execute(text(statement))
                await connection.commit()
            await database.close()
            async with edge_house(postgres.url, valkey.url, data) as house, chromium() as browser:
                await _people_say(house)
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
    Path(chosen.into).mkdir(parents=True, exist_ok=True)
    asyncio.run(run(chosen))


if __name__ == "__main__":
    main()
