"""Positions to those who wait: 2 000 customers' sockets in the queue and 200 tellers' at one edge process.

    python -m bench.signaling [--customers 2000] [--tellers 200] [--changes 200]

Everything is real but the media node: embedded PostgreSQL and Valkey, the rooms calls, acd and signaling, Socket.IO
over loopback; the clients run in other processes. Measured: how long after a customer has left the queue the ten at the
front hear of their new place (p99), how many messages one change costs in all, and requests per second against a bare
python-socketio echo with the same number of sockets in the same run.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fakes"))

import socketio
from aiohttp import web
from counter import TOKEN_KEY, Counter, open_counter
from redis.asyncio import Redis

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from core.security.actor import customer_actor
from core.security.tokens import issue_visit_token
from server.app import engines, schema

PROCESSES = 2
FRONT = 10
ECHO_S = 5.0


def clients(url: str, namespace: str, tokens: list[str], numbers: Any, stop: Any, ready: Any) -> None:
    """One process of sockets: joins the queue, then notes every place it is told, with the time."""
    asyncio.run(_clients(url, namespace, tokens, numbers, stop, ready))


async def _clients(url: str, namespace: str, tokens: list[str], numbers: Any, stop: Any, ready: Any) -> None:
    heard: list[tuple[float, int]] = []
    sockets = []
    limit = asyncio.Semaphore(20)

    async def open_one(token: str) -> None:
        async with limit:
            socket = socketio.AsyncClient(reconnection=False)

            def state(call: dict[str, Any]) -> None:
                heard.append((time.time(), call["position"] or 0))

            socket.on("call.state", state, namespace=namespace)
            await socket.connect(url, auth={"token": token}, namespaces=[namespace], transports=["websocket"])
            sockets.append(socket)

    await asyncio.gather(*(open_one(token) for token in tokens))
    ready.wait()
    await asyncio.to_thread(stop.wait)
    numbers.put(heard)
    for socket in sockets:
        await socket.disconnect()


async def echo_rate(url: str, namespace: str, event: str, auth: dict[str, str], seconds: float) -> float:
    """Requests per second of one connection that asks as fast as it is answered."""
    socket = socketio.AsyncClient(reconnection=False)
    await socket.connect(url, auth=auth, namespaces=[namespace], transports=["websocket"])
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        await socket.call(event, {}, namespace=namespace)
        count += 1
        if count % 15 == 0:
            await asyncio.sleep(0.75)  # within a socket's allowance; the pause is taken out of the rate
    took_s = time.perf_counter() - began - (count // 15) * 0.75
    await socket.disconnect()
    return count / took_s


@asynccontextmanager
async def bare_echo() -> AsyncIterator[str]:
    """python-socketio as it comes, answering what it was asked."""
    server = socketio.AsyncServer(async_mode="aiohttp", logger=False, engineio_logger=False)

    async def echo(sid: str, payload: Any) -> Any:
        return payload

    server.on("echo", echo, namespace="/bare")
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await server.shutdown()
        await runner.cleanup()


async def measure(counter: Counter, chosen: argparse.Namespace) -> dict[str, float]:
    """Fill the queue, let the front leave one by one, count and time what the others hear."""
    database = counter.database
    now = database.clock.now()
    visits = [await counter.add_visit() for _ in range(chosen.customers)]
    tokens = [issue_visit_token(TOKEN_KEY, visit, now, 3600) for visit in visits]
    for visit in visits:
        await counter.calls.service.join(customer_actor(visit))
    tellers = [await counter.teller(f"t{number}", ready=False) for number in range(chosen.tellers)]
    context = multiprocessing.get_context("spawn")
    numbers, stop, ready = context.Queue(), context.Event(), context.Barrier(PROCESSES + 1)
    parts = [tokens[index::PROCESSES] for index in range(PROCESSES)]
    workers = [
        context.Process(target=clients, args=(counter.url, "/customer", part, numbers, stop, ready), daemon=True)
        for part in parts
    ]
    for worker in workers:
        worker.start()
    await asyncio.to_thread(ready.wait)
    await asyncio.sleep(3)
    changed: list[float] = []
    for visit in visits[: chosen.changes]:
        await counter.calls.service.leave(customer_actor(visit))
        changed.append(time.time())
        await asyncio.sleep(1 / chosen.rate_hz)
    await asyncio.sleep(3)
    stop.set()
    heard = [entry for _ in workers for entry in await asyncio.to_thread(numbers.get)]
    began, ended = changed[0] - 0.5, changed[-1] + 2.5
    within = [(at, position) for at, position in heard if began <= at <= ended]
    # Whoever comes to the front place was told so: the k-th change puts the (k+1)-th customer there.
    firsts = sorted(at for at, position in within if position == 1)
    delays = [min((first - at for first in firsts if first >= at), default=3.0) for at in changed]
    mine = await echo_rate(counter.url, "/customer", "call.snapshot", {"token": tokens[-1]}, ECHO_S)
    async with bare_echo() as url:
        bare = await echo_rate(url, "/bare", "echo", {}, ECHO_S)
    print(
        f"{chosen.customers} waiting, {len(tellers)} tellers, {len(changed)} changes at {chosen.rate_hz:.0f} Hz: "
        f"{len(within)} messages; snapshot {mine:.0f}/s, bare echo {bare:.0f}/s"
    )
    ordered = sorted(delays)
    return {
        "ratio_bare_echo": round(mine / bare, 3),
        "position_p50_ms": round(statistics.median(ordered) * 1000),
        "position_p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000),
        "messages_per_change": round(len(within) / len(changed), 1),
    }


async def run(chosen: argparse.Namespace) -> None:
    """Engines up, measure, engines down."""
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        postgres = engines.start_postgres(Path(folder))
        valkey = engines.start_valkey(Path(folder))
        try:
            await schema.upgrade(postgres.url)
            redis = Redis.from_url(valkey.url)
            bus = Bus(redis)
            database = Database(postgres.url, bus, SystemClock())
            async with open_counter(database, bus, redis) as counter:
                figures = await measure(counter, chosen)
            await database.close()
            await redis.aclose()
        finally:
            valkey.stop()
            postgres.stop()
    print(json.dumps(figures))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--tellers", type=int, default=200)
    parser.add_argument("--changes", type=int, default=150)
    parser.add_argument("--rate-hz", type=float, default=5.0)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
