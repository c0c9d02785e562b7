"""What a second process brings, on two cores. One JSON line at the end.

    python bench/scale.py [--calls 8] [--seconds 6] [--jobs 400]

``media_scaling``: calls per core with two media processes over calls per core with one, the same number of calls in
each. Cost is CPU time per packet that came, of the media processes alone, so the load generator's own is not in it; the
best of some windows counts, as other work on the machine makes ours dearer and never cheaper.
``job_scaling``: jobs per second with two workers over twice the jobs per second with one. A job is 10 ms of computing,
claimed and settled in PostgreSQL as every job is; PostgreSQL, Valkey and the relay share the cores with the workers.
"""

import argparse
import asyncio
import hashlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

import uvloop  # noqa: E402
from aiortc import RTCCertificate  # noqa: E402
from common import print_result, say  # noqa: E402
from media import OurNode, Trial  # noqa: E402
from media_load import pictures, sounds  # noqa: E402
from redis.asyncio import Redis  # noqa: E402
from sqlmodel import col, func, select  # noqa: E402

from core.bus import Bus  # noqa: E402
from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.events import AlarmCleared  # noqa: E402
from core.jobs import Relay, Subscription, Worker, make_broker  # noqa: E402
from core.models import EventDelivery  # noqa: E402
from core.security.actor import system_actor  # noqa: E402
from core.tasks import TaskOwner  # noqa: E402
from server.app import engines, schema  # noqa: E402
from server.media.config import primary_address  # noqa: E402

JOB_S = 0.010
HANDLER = "bench.compute"


async def media_cost(nodes: int, calls: int, seconds: float) -> float:
    """CPU microseconds per packet, the mean of the nodes; each carries so many calls."""
    address, certificate = primary_address() or "127.0.0.1", RTCCertificate.generateCertificate()
    async with AsyncExitStack() as stack:
        trials = []
        for _ in range(nodes):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ac-")))
            node = OurNode(folder, address)
            await node.start(stack)
            assert node.process is not None
            trial = Trial(node.process.pid, certificate, address, node.connect, on_one_core=False)
            await trial.grow_to(calls)
            stack.push_async_callback(trial.stop)
            trials.append(trial)
        measured = await asyncio.gather(*(trial.measure(seconds) for trial in trials))
    for figures, own in measured:
        say(f"{nodes} node(s): {figures}, load {own:.2f} of a core")
    return statistics.mean(figures.cpu_per_packet_us for figures, _ in measured)


async def compute(event: AlarmCleared) -> None:
    """10 ms of this process's CPU time."""
    until_s = time.process_time() + JOB_S
    while time.process_time() < until_s:
        hashlib.sha256(b"x" * 10_000).digest()


async def work(database_url: str, redis_url: str) -> None:
    """A worker process; ends when it is killed."""
    database = Database(database_url, None, SystemClock())
    await Worker(database, make_broker(redis_url), [Subscription(AlarmCleared, HANDLER, compute)]).run()


async def jobs_per_s(workers: int, jobs: int, database: Database, database_url: str, redis_url: str) -> float:
    """Throughput from the moment the workers take the first job."""
    command = [sys.executable, __file__, "--work", database_url, redis_url]
    processes = [await asyncio.to_thread(subprocess.Popen, command) for _ in range(workers)]
    redis = Redis.from_url(redis_url)
    owner = TaskOwner("scale")
    try:
        owner.start("relay", Relay(database, Bus(redis), make_broker(redis_url), {"AlarmCleared": [HANDLER]}).run())
        await emit(database, 8 * workers)  # until every worker has started and loaded what it needs
        before = await done(database, 0)
        await emit(database, jobs)
        began_s = time.monotonic()
        await done(database, before + jobs)
        return jobs / (time.monotonic() - began_s)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        await owner.close()
        await redis.aclose()


async def emit(database: Database, count: int) -> None:
    """Commit facts."""
    async with database.unit_of_work(system_actor("bench")) as unit:
        for number in range(count):
            unit.emit(AlarmCleared(at=unit.clock.now(), alarm_id=f"alarm_{number}"))


async def done(database: Database, wanted: int) -> int:
    """Wait until so many jobs are done, or with 0 until none waits; returns how many are done."""
    finished = select(func.count()).select_from(EventDelivery).where(col(EventDelivery.state) == "done")
    everything = select(func.count()).select_from(EventDelivery)
    while True:
        async with database.read() as session:
            count, total = (await session.scalars(finished)).one(), (await session.scalars(everything)).one()
        if count >= wanted and (wanted or 0 < total == count):
            return count
        await asyncio.sleep(0.05)


async def job_rates(jobs: int) -> tuple[float, float]:
    """Jobs per second with one worker and with two."""
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        postgres, valkey = (
            engines.start_postgres(Path(folder), temporary=True),
            engines.start_valkey(Path(folder), temporary=True),
        )
        try:
            await schema.upgrade(postgres.url)
            database = Database(postgres.url, None, SystemClock())
            one = await jobs_per_s(1, jobs, database, postgres.url, valkey.url)
            two = await jobs_per_s(2, jobs, database, postgres.url, valkey.url)
            await database.close()
        finally:
            valkey.stop()
            postgres.stop()
    return one, two


async def run(calls: int, seconds: float, jobs: int) -> dict[str, Any]:
    """All of it."""
    one, two = await job_rates(jobs)
    say(f"jobs per second: {one:.0f} with one worker, {two:.0f} with two")
    pictures(), sounds()
    alone = await media_cost(1, calls, seconds)
    both = await media_cost(2, calls, seconds)
    return {
        "media_scaling": round(alone / both, 2),
        "job_scaling": round(two / (2 * one), 2),
        "cpu_per_packet_us": [round(alone, 1), round(both, 1)],
        "jobs_per_s": [round(one), round(two)],
        "calls_per_node": calls,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--work", nargs=2, metavar=("DATABASE", "REDIS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        uvloop.run(work(*arguments.work))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end: nothing may stay behind
    print_result(uvloop.run(run(arguments.calls, arguments.seconds, arguments.jobs)))


if __name__ == "__main__":
    main()
