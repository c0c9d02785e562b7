"""Statistics over a year of calls: how long every report, list and page of numbers takes.

    python bench/reports.py [--days 365] [--per-day 1000] [--tellers 30]

The rows are those of `bench/year.py`, in an embedded PostgreSQL. `p95_ms` is over all questions, each asked three times
one after the other; `slowest` names the worst; `day_ms`, `month_ms` and `year_ms` are the medians of a report over such
a period; `calls` says over how many calls.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from common import print_result, say  # noqa: E402
from year import fill  # noqa: E402

from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.security.actor import staff_actor, system_actor  # noqa: E402
from server.app import engines, schema  # noqa: E402
from server.counter.catalogue import seed_businesses  # noqa: E402
from server.counter.flow_store import seed_flows  # noqa: E402
from server.statistics.load import LoadForecasts  # noqa: E402
from server.statistics.people import PeopleFigures  # noqa: E402
from server.statistics.reports import Filter, Reports  # noqa: E402
from server.statistics.schemas import By  # noqa: E402
from server.statistics.sheet import as_csv, as_xlsx  # noqa: E402

ZONE = "Asia/Shanghai"
TIMES = 3
Question = Callable[[], Awaitable[Any]]


def questions(database: Database, today: date) -> dict[str, Question]:
    """Everything the statistics pages ask, by a name."""
    reports, people = Reports(database, ZONE), PeopleFigures(database, ZONE)
    loads = LoadForecasts(database, ZONE)
    everything, teller = Filter(), Filter(teller="staff_year_7")
    yesterday = today - timedelta(days=1)
    asked: dict[str, Question] = {}
    for name, days in (("day", 1), ("month", 30), ("year", 365)):
        first = today - timedelta(days=days)
        for by in get_args(By):
            asked[f"{name} by {by}"] = lambda by=by, first=first: reports.report(by, first, yesterday, everything)
        asked[f"{name} of a teller"] = lambda first=first: reports.report("day", first, yesterday, teller)
        asked[f"{name} list"] = lambda first=first: reports.calls("low", first, yesterday, everything, None, None)

    async def sheets() -> None:
        found = await reports.report("day", today - timedelta(days=365), yesterday, everything)
        as_csv(found)
        as_xlsx(found)

    asked["sheets"] = sheets
    asked["radar"] = lambda: people.radars(yesterday.strftime("%Y-%m"))
    asked["forecast"] = lambda: loads.of(today, None)
    asked["own day"] = lambda: people.own_day(staff_actor("staff_year_7", ["teller"]))
    asked["duty alerts"] = people.duty_alerts
    return asked


async def measure(database: Database, chosen: argparse.Namespace) -> dict[str, Any]:
    """Fill, then ask."""
    async with database.unit_of_work(system_actor("bench")) as work:
        await seed_businesses(work)
        await seed_flows(work)
    today = database.clock.now().date()
    began = time.perf_counter()
    async with database.engine.connect() as connection:
        calls = await fill(connection, chosen.days, chosen.per_day, chosen.tellers, today)
    say(f"{calls} calls written in {time.perf_counter() - began:.0f} s")
    took: dict[str, list[float]] = {}
    for name, ask in questions(database, today).items():
        for _ in range(TIMES):
            began = time.perf_counter()
            await ask()
            took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        say(f"{name}: {statistics.median(took[name]):.0f} ms")
    every = [each for times in took.values() for each in times]
    slowest = max(took, key=lambda name: statistics.median(took[name]))
    medians = {}
    for period in ("day", "month", "year"):
        reports = [each for name, times in took.items() if name.startswith(f"{period} by") for each in times]
        medians[f"{period}_ms"] = round(statistics.median(reports))
    return {
        "p95_ms": round(statistics.quantiles(every, n=20)[-1]),
        "slowest": slowest,
        "slowest_ms": round(statistics.median(took[slowest])),
        **medians,
        "calls": calls,
    }


async def run(chosen: argparse.Namespace) -> None:
    """Engine up, measure, engine down."""
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        postgres = engines.start_postgres(Path(folder), temporary=True)
        try:
            await schema.upgrade(postgres.url)
            database = Database(postgres.url, None, SystemClock())
            result = await measure(database, chosen)
            await database.close()
        finally:
            postgres.stop()
    print_result(result)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--per-day", type=int, default=1000)
    parser.add_argument("--tellers", type=int, default=30)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
