"""Search over a million utterances: our index against LIKE on the same table in the same run.

    python bench/search.py [--segments N] [--queries N]

The last line is one JSON object. ``p95_ms``: of searches by characters and by pinyin over HTTP's service, first page;
``p95_ms_text``, ``p95_ms_pinyin``: of each; ``p95_ms_like``: of ``text LIKE '%…%'`` with the same order and limit;
``ratio_like``: how many times faster we are at p95; ``rows``, ``index_mb``.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

from call_rows import CallRows  # noqa: E402
from common import print_result, say  # noqa: E402
from compliance_cases import load_cases, load_dialogues  # noqa: E402
from sqlalchemy import text  # noqa: E402

from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.security.actor import staff_actor  # noqa: E402
from qa.search.letters import grams, pinyin  # noqa: E402
from qa.search.service import PAGE_SIZE, SearchService  # noqa: E402
from server.app import engines, schema  # noqa: E402

# Common and rare, two to eight characters; the last ones are nowhere.
QUERIES = (
    "转账", "身份证", "安全账户", "保本保息", "手续费", "同意", "屏幕共享", "验证码", "稳赚不赔", "录音录像",
    "公安局", "再见", "您本人自愿", "请您核对", "资金来源", "刷单返利", "通缉令", "挂失", "孙子", "杀猪盘",
    "天上掉馅饼", "火星移民", "区块链养猪",
)  # fmt: skip
CALL = 100  # utterances
COLUMNS = ("segment_id", "call_id", "party", "business_code", "said_at", "start_s", "end_s", "text", "grams", "pinyin")


def sentences(rng: random.Random, count: int) -> list[tuple[str, str, str]]:
    """Distinct utterances with their letters: two pieces of everyday counter speech each."""
    pieces = sorted({s.text for d in (*load_dialogues(), *load_cases()) for s in d.segments})
    known = [(piece, grams(piece), pinyin(piece)) for piece in pieces]
    out = []
    for _ in range(count):
        one, other = rng.choice(known), rng.choice(known)
        out.append((one[0] + other[0], one[1] + other[1], one[2] + other[2]))
    return out


async def fill(database: Database, count: int, rng: random.Random) -> Any:
    """So many utterances in calls of `CALL` each; returns an inspector."""
    rows = CallRows(database)
    teller, inspector = await rows.staff("teller", "teller"), await rows.staff("inspector", "inspector")
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    async with database.engine.connect() as connection:
        await connection.execute(text("alter table search_segment drop constraint search_segment_segment_id_fkey"))
        for name in ("grams", "pinyin", "said_at", "call_id"):
            await connection.execute(text(f"drop index ix_search_segment_{name}"))
        await connection.commit()
    template = await rows.call(teller)
    async with database.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        # What stands around a hit is read too, so calls must be as long as calls are.
        columns = [
            row[0]
            for row in await raw.fetch(
                "select column_name from information_schema.columns where table_name = 'call'"
                " and is_generated = 'NEVER' and column_name not in ('id', 'number')"
            )
        ]
        names = ", ".join(f'"{name}"' for name in columns)
        await raw.execute(
            f"insert into call (id, number, {names}) select 'call_' || n, 1000000 + n, {names}"
            f" from call, generate_series(1, {-(-count // CALL)}) as n where call.id = '{template.id}'"
        )
        await raw.execute("analyze call")
        for done in range(0, count, 50_000):
            batch = sentences(rng, min(50_000, count - done))
            records = [
                (
                    f"seg_{done + n}", f"call_{(done + n) // CALL + 1}", rng.choice(("teller", "customer")), "transfer",
                    begin + timedelta(seconds=4 * (done + n)), 4.0 * (n % CALL), 4.0 * (n % CALL) + 3.5, *one,
                )
                for n, one in enumerate(batch)
            ]  # fmt: skip
            await raw.copy_records_to_table("search_segment", records=records, columns=COLUMNS)
        say("indexing")
        for name in ("grams", "pinyin"):
            await raw.execute(f"create index on search_segment using gin ({name} gin_trgm_ops)")
        await raw.execute("create index on search_segment (said_at)")
        await raw.execute("create index on search_segment (call_id)")
        await raw.execute("vacuum analyze search_segment")
    return inspector


async def measure(database: Database, inspector: Any, queries: int, rng: random.Random) -> dict[str, Any]:
    """Times of all kinds of search, mixed."""
    service, actor = SearchService(database), staff_actor(inspector.id, inspector.roles)
    took: dict[str, list[float]] = {"text": [], "pinyin": [], "like": []}
    for n in range(queries):
        query = QUERIES[n % len(QUERIES)] if n < len(QUERIES) else rng.choice(QUERIES)
        for kind, wanted in (("text", query), ("pinyin", pinyin(query))):
            started = time.perf_counter()
            await service.search(actor, wanted)
            took[kind].append((time.perf_counter() - started) * 1000)
    like = text(
        f"select * from search_segment where text like :q order by said_at desc, segment_id desc limit {PAGE_SIZE + 1}"
    )
    async with database.read() as session:
        for query in QUERIES:
            started = time.perf_counter()
            (await session.execute(like, {"q": f"%{query}%"})).all()
            took["like"].append((time.perf_counter() - started) * 1000)
        size = await session.scalar(text("select pg_indexes_size('search_segment') / 1048576"))
        rows = await session.scalar(text("select count(*) from search_segment"))
    p95 = {kind: statistics.quantiles(times, n=20)[-1] for kind, times in took.items()}
    ours = statistics.quantiles(took["text"] + took["pinyin"], n=20)[-1]
    return {
        "p95_ms": round(ours, 1),
        "ratio_like": round(p95["like"] / ours, 1),
        **{f"p95_ms_{kind}": round(value, 1) for kind, value in p95.items()},
        "median_ms": round(statistics.median(took["text"] + took["pinyin"]), 1),
        "rows": rows,
        "index_mb": int(size or 0),
    }


async def run(url: str, segments: int, queries: int) -> dict[str, Any]:
    """Fill a fresh database and measure."""
    rng = random.Random(1)
    await schema.upgrade(url)
    database = Database(url, None, SystemClock())
    try:
        say(f"writing {segments} utterances")
        inspector = await fill(database, segments, rng)
        return await measure(database, inspector, queries, rng)
    finally:
        await database.close()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100, help="searches of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        postgres = engines.start_postgres(Path(folder), temporary=True)
        try:
            print_result(asyncio.run(run(postgres.url, options.segments, options.queries)))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
