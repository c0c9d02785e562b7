"""How fast business steps are, and what reading an ID card costs.

``python bench/counter.py [--calls 50] [--seconds 10]``: concurrent step transactions against bare INSERTs in the same
database in the same run (the same number of connections and of concurrent writers), the 99th percentile of a step with
that many calls at once, and OCR over generated cards: CPU seconds per card and the share of fields read exactly.
"""

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import print_result, say  # puts tests/fakes on the path

# isort: split
from business import FORMS, Desk, build_room, open_desk
from id_cards import Card, back, front, jpeg, people, photographed
from redis.asyncio import Redis
from sqlalchemy import text

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from server.app import engines, schema
from server.counter.ocr.engine import read_picture

LOOKS: dict[str, dict[str, Any]] = {
    "flat": {},
    "turned": {"turned": 8},
    "turned more": {"turned": -18},
    "sideways": {"turned": 90},
    "on its head": {"turned": 180},
    "blurred": {"blur": 2.0},
    "blurred more": {"blur": 3.0},
    "glare": {"glare": True},
    "glare, blurred, turned": {"glare": True, "blur": 1.5, "turned": 5},
}
CARDS = 27  # different people; each look gets its share


async def steps(desks: list[Desk], seconds: float) -> list[float]:
    """Every call fills its form in again and again; how long each took."""
    took: list[float] = []
    until = time.monotonic() + seconds

    async def one(desk: Desk) -> None:
        case = desk.case
        assert case is not None
        turn = 0
        while time.monotonic() < until:
            values = {**FORMS["transfer"], "amount": 100 + turn}
            began = time.monotonic()
            case = await desk.cases.act(desk.customer, case.case_id, "form", case.version, "fill", {"values": values})
            took.append(time.monotonic() - began)
            turn += 1

    await asyncio.gather(*(one(desk) for desk in desks))
    return took


async def inserts(database: Database, writers: int, seconds: float) -> int:
    """Bare INSERTs of a row of the same size, one transaction each."""
    async with database.engine.begin() as connection:
        await connection.execute(text("create table bare (id bigserial primary key, at timestamptz, sealed bytea)"))
    done, until, row = 0, time.monotonic() + seconds, {"sealed": b"x" * 600}

    async def one() -> None:
        nonlocal done
        while time.monotonic() < until:
            async with database.engine.begin() as connection:
                await connection.execute(text("insert into bare (at, sealed) values (now(), :sealed)"), row)
            done += 1

    await asyncio.gather(*(one() for _ in range(writers)))
    return done


def ocr() -> dict[str, Any]:
    """Read both sides of many people's cards, photographed in every way."""
    cards, by_look, wrong = people(CARDS), dict[str, list[bool]](), list[str]()
    read_picture(jpeg(front(Card())), "front")  # loads the models
    began = resource.getrusage(resource.RUSAGE_SELF)
    for number, card in enumerate(cards):
        name = list(LOOKS)[number % len(LOOKS)]
        got: dict[str, str] = {}
        for face, image in (("front", front(card)), ("back", back(card))):
            reading = read_picture(jpeg(photographed(image, **LOOKS[name])), "front" if face == "front" else "back")
            got |= {field: read.value for field, read in reading.fields.items()}
        for field, value in card.fields.items():
            by_look.setdefault(name, []).append(got.get(field) == value)
            if got.get(field) != value:
                wrong.append(f"{name}: {field} {value} read as {got.get(field)}")
    ended = resource.getrusage(resource.RUSAGE_SELF)
    used = (ended.ru_utime + ended.ru_stime) - (began.ru_utime + began.ru_stime)
    return {
        "ocr_field_accuracy": round(statistics.mean(good for look in by_look.values() for good in look), 4),
        "ocr_cpu_s": round(used / len(cards), 3),
        "ocr_by_look": {name: round(statistics.mean(look), 3) for name, look in by_look.items()},
        "ocr_cards": len(cards),
        "ocr_wrong": wrong,
    }


async def run(calls: int, seconds: float, folder: Path) -> dict[str, Any]:
    """All of it on fresh engines in a folder."""
    postgres, valkey = engines.start_postgres(folder, temporary=True), engines.start_valkey(folder, temporary=True)
    try:
        await schema.upgrade(postgres.url)
        redis = Redis.from_url(valkey.url)
        bus = Bus(redis)
        database = Database(postgres.url, bus, SystemClock())
        room = build_room(database, bus, redis, folder)
        say(f"{calls} calls")
        desks = []
        for _ in range(calls):
            desk = await open_desk(database, room)
            await desk.start("transfer")
            desks.append(desk)
        await steps(desks, 1)  # warm
        for desk in desks:
            desk.case = await desk.seen("customer")
        say("steps")
        took = sorted(await steps(desks, seconds))
        say("bare inserts")
        bare = await inserts(database, calls, seconds)
        await database.close()
        await redis.aclose()
    finally:
        valkey.stop()
        postgres.stop()
    return {
        "ratio_bare_insert": round(len(took) / bare, 4),
        "steps_per_s": round(len(took) / seconds, 1),
        "bare_inserts_per_s": round(bare / seconds, 1),
        "step_p50_ms": round(statistics.median(took) * 1000, 1),
        "step_p99_ms": round(took[int(len(took) * 0.99) - 1] * 1000, 1),
        "calls": calls,
    }


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="acb-") as folder:
        result = asyncio.run(run(given.calls, given.seconds, Path(folder)))
    say("cards")
    print_result({**result, **ocr()})


if __name__ == "__main__":
    main()
