"""Places told to those who wait: 2 000 customers' sockets in the queue and 200 tellers' at one edge process.

    python bench/signaling.py [--customers 2000] [--tellers 200] [--changes 80]

Everything is real but the media node: embedded PostgreSQL and Valkey, the rooms calls, acd, wallboard and signaling,
Socket.IO over loopback. The clients run in processes of their own. First a quarter of the customers come and wait, then
all of them; each time the one at the front leaves, twice a second. Measured:

* `position_p99_ms`: from the answer to the one who leaves until those on places 6 to 10 hear of their new place;
* `messages_per_change`: what one change costs in messages to all who wait, and what it cost with a quarter of them;
* `joins_per_s`, `join_cpu_ms`: joining customers (all but the first quarter), and what each costs the edge process, the
  pushes to everybody who waits meanwhile included;
* `ratio_bare_echo`: requests answered per second (`call.snapshot`, every one through the database) over those of a
  bare python-socketio echo to the same sockets, clients and number of requests in flight.
"""

import argparse
import asyncio
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# ruff: noqa: E402 – this file's own folder comes first otherwise, and hides the package of its name.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes")]

import socketio
import structlog
import uvloop
from aiohttp import web
from counter import TOKEN_KEY, Counter, open_counter
from redis.asyncio import Redis
from sqlalchemy import insert, update
from sqlmodel import col, select

from bench.common import print_result, say
from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from core.ids import new_id
from core.models.call import Call, CallState, TellerPresence, TellerState
from core.models.visit import Consent, Visit
from core.security.tokens import issue_visit_token
from server.app import engines, schema

PROCESSES = 2
AT_ONCE = 16  # connections being opened, and requests in flight, per process
RATE_HZ = 2.0  # changes at the front; 200 tellers with 8.2 min a call make 0.4
FRONT = range(6, 11)  # places whose news are timed: near enough to hear of each step, and not about to leave
SETTLE_S = 4.0
RATE_S = 6.0


# --- the clients' processes -----------------------------------------------------------------------------------------


class Clients:
    """Sockets of one process. Every method is a command that came through the pipe."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sockets: dict[str, socketio.AsyncClient] = {}
        self._namespaces: dict[str, str] = {}
        self._heard: list[tuple[float, str, int]] = []
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def open(self, namespace: str, people: list[tuple[str, dict[str, str], dict[str, str]]]) -> int:
        """Connect (name, auth, headers) each."""
        await asyncio.gather(*(self._open(namespace, *person) for person in people))
        return len(self._sockets)

    async def join(self, names: list[str]) -> int:
        """These customers join the queue, `AT_ONCE` at a time."""

        async def join_one(name: str) -> None:
            async with self._limit:
                answer = await self._sockets[name].call("queue.join", {}, namespace="/customer", timeout=60)
            assert answer["ok"], answer

        await asyncio.gather(*(join_one(name) for name in names))
        return len(names)

    async def _open(self, namespace: str, name: str, auth: dict[str, str], headers: dict[str, str]) -> None:
        socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        if namespace == "/customer":
            socket.on("call.state", lambda call: self._note(name, call), namespace=namespace)
        async with self._limit:
            await socket.connect(
                self._url,
                auth=auth,
                headers=headers,
                namespaces=[namespace],
                transports=["websocket"],
                wait_timeout=30,
            )
        self._sockets[name], self._namespaces[name] = socket, namespace

    def _note(self, name: str, call: dict[str, Any]) -> None:
        self._heard.append((time.time(), name, call["position"] or 0))

    async def leave(self, name: str) -> float:
        """Leave the queue; when the answer was there."""
        answer = await self._sockets[name].call("queue.leave", {}, namespace="/customer", timeout=60)
        assert answer["ok"], answer
        return time.time()

    async def heard(self) -> list[tuple[float, str, int]]:
        """What was pushed since the last time: (when, to whom, place)."""
        heard, self._heard = self._heard, []
        return heard

    async def rate(self, event: str, seconds: float) -> float:
        """Requests answered per second, `AT_ONCE` in flight, a different socket each time."""
        names = [name for name, namespace in self._namespaces.items() if namespace != "/staff"]
        turn, count, until = iter(range(10**9)), 0, time.monotonic() + seconds

        async def ask() -> None:
            nonlocal count
            while time.monotonic() < until:
                name = names[-1 - next(turn) % len(names)]
                answer = await self._sockets[name].call(event, {}, namespace=self._namespaces[name], timeout=60)
                assert answer["ok"], answer
                count += 1

        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return count / seconds

    async def close(self) -> None:
        """Disconnect all."""
        for socket in self._sockets.values():
            await socket.disconnect()


def clients(url: str, pipe: Connection) -> None:
    """A process: commands in, answers out."""

    async def serve() -> None:
        here = Clients(url)
        while True:
            command, *arguments = await asyncio.to_thread(pipe.recv)
            pipe.send(await getattr(here, command)(*arguments))
            if command == "close":
                return

    uvloop.run(serve())


class Crowd:
    """The processes, seen from the server's."""

    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(PROCESSES):
            mine, theirs = context.Pipe()
            process = context.Process(target=clients, args=(url, theirs), daemon=True)
            process.start()
            self._pipes.append(mine)
            self._processes.append(process)

    async def ask(self, index: int, *command: Any) -> Any:
        """One process does it."""
        self._pipes[index].send(command)
        return await asyncio.to_thread(self._pipes[index].recv)

    async def all(self, *command: Any) -> list[Any]:
        """Every process does the same."""
        return await asyncio.gather(*(self.ask(index, *command) for index in range(PROCESSES)))

    async def open(self, namespace: str, people: list[Any]) -> None:
        """Everybody comes, dealt out over the processes."""
        parts = [people[index::PROCESSES] for index in range(PROCESSES)]
        await asyncio.gather(*(self.ask(index, "open", namespace, part) for index, part in enumerate(parts)))

    async def join(self, names: list[str]) -> None:
        """All of them join the queue."""
        parts = [names[index::PROCESSES] for index in range(PROCESSES)]
        await asyncio.gather(*(self.ask(index, "join", part) for index, part in enumerate(parts)))

    async def close(self) -> None:
        """Disconnect everybody and end."""
        await self.all("close")
        for process in self._processes:
            await asyncio.to_thread(process.join, 10)


# --- the measurement ------------------------------------------------------------------------------------------------


async def customers(counter: Counter, count: int) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """So many visits with consent, as clients need them."""
    now = counter.database.clock.now()
    visits = [new_id("visit") for _ in range(count)]
    entries = [
        {"id": each, "business_code": "transfer", "channel": "web", "device": "bench", "address_class": "loopback",
         "language": "zh-CN", "created_at": now}
        for each in visits
    ]  # fmt: skip
    consents = [
        {"id": new_id("consent"), "visit_id": each, "purpose": "recording", "wording_version": "1",
         "wording_sha256": "0" * 64, "granted": True, "at": now}
        for each in visits
    ]  # fmt: skip
    async with counter.database.transaction() as session:
        await session.execute(insert(Visit), entries)
        await session.execute(insert(Consent), consents)
    return [(visit, {"token": issue_visit_token(TOKEN_KEY, visit, now, 7200)}, {}) for visit in visits]


async def tellers(counter: Counter, count: int) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """So many tellers."""
    staff = [await counter.add_staff(f"t{number}", ["teller"]) for number in range(count)]
    return [(each, {}, {"Cookie": f"ac_session={each}", "Origin": counter.url}) for each in staff]


async def on_duty(counter: Counter) -> None:
    """All tellers talk: nobody is rung, and the range of the wait stands on all of them."""
    async with counter.database.transaction() as session:
        await session.execute(update(TellerPresence).values(state=TellerState.IN_CALL.value, reason=""))


async def queue_order(counter: Counter) -> list[str]:
    """Visits that wait, the next one first."""
    waiting = select(Call.visit_id).where(col(Call.state) == CallState.QUEUED.value)
    async with counter.database.read() as session:
        return list((await session.scalars(waiting.order_by(col(Call.rank_at), col(Call.id)))).all())


async def leave_one_by_one(crowd: Crowd, order: list[str], homes: dict[str, int], changes: int) -> dict[str, float]:
    """The front leaves; who stands behind is timed."""
    await crowd.all("heard")
    left: list[float] = []
    began = time.time()
    for change in range(changes):
        left.append(await crowd.ask(homes[order[change]], "leave", order[change]))
        await asyncio.sleep(max(0.0, began + (change + 1) / RATE_HZ - time.time()))
    await asyncio.sleep(SETTLE_S)
    heard = [entry for part in await crowd.all("heard") for entry in part]
    told: dict[str, list[tuple[float, int]]] = {}
    for at, name, place in sorted(heard):
        told.setdefault(name, []).append((at, place))
    delays = []
    for change, at in enumerate(left[: -FRONT.stop]):
        for place in FRONT:
            news = told.get(order[change + place], [])
            delays.append(
                next((when for when, now in news if 0 < now <= place and when >= at - 0.5), at + SETTLE_S) - at
            )
    waiting = set(order[changes:])
    during = sum(name in waiting and began <= at <= left[-1] for at, name, _ in heard)
    delays.sort()
    return {
        "p50_ms": max(0.0, delays[len(delays) // 2]) * 1000,
        "p99_ms": max(0.0, delays[int(len(delays) * 0.99)]) * 1000,
        "messages": during / changes,
    }


async def measure(counter: Counter, chosen: argparse.Namespace) -> dict[str, float]:
    """A quarter of the customers, then all of them, then the same clients at a bare server."""
    crowd = Crowd(counter.url)
    await crowd.open("/staff", await tellers(counter, chosen.tellers))
    await on_duty(counter)
    homes: dict[str, int] = {}
    steps: list[dict[str, float]] = []
    joined: dict[str, float] = {}
    for count in (chosen.customers // 4, chosen.customers):
        people = await customers(counter, count - len(homes))
        homes |= {person[0]: index % PROCESSES for index, person in enumerate(people)}
        began = time.monotonic()
        await crowd.open("/customer", people)
        say(f"{len(people)} came in {time.monotonic() - began:.1f} s")
        began, cpu_began_s = time.monotonic(), time.process_time()
        await crowd.join([person[0] for person in people])
        joined = {
            "joins_per_s": len(people) / (time.monotonic() - began),
            "join_cpu_ms": (time.process_time() - cpu_began_s) * 1000 / len(people),
        }
        say(f"{len(people)} joined: {joined}")
        await asyncio.sleep(SETTLE_S)
        steps.append(await leave_one_by_one(crowd, await queue_order(counter), homes, chosen.changes))
        say(f"{count} waiting: {steps[-1]}")
    mine = sum(await crowd.all("rate", "call.snapshot", RATE_S))
    await crowd.close()
    few, many = steps
    async with bare_echo() as url:
        crowd = Crowd(url)
        everybody = [(str(number), {}, {}) for number in range(chosen.customers + chosen.tellers)]
        await crowd.open("/bare", everybody)
        bare = sum(await crowd.all("rate", "echo", RATE_S))
        await crowd.close()
    return {
        "customers": chosen.customers,
        "tellers": chosen.tellers,
        "requests_per_s": round(mine),
        "bare_echo_per_s": round(bare),
        "joins_per_s": round(joined["joins_per_s"]),
        "join_cpu_ms": round(joined["join_cpu_ms"], 1),
        "ratio_bare_echo": round(mine / bare, 3),
        "position_p50_ms": round(many["p50_ms"]),
        "position_p99_ms": round(many["p99_ms"]),
        "messages_per_change": round(many["messages"], 1),
        "messages_per_change_quarter": round(few["messages"], 1),
    }


@asynccontextmanager
async def bare_echo() -> AsyncIterator[str]:
    """python-socketio as it comes, answering what it was asked."""
    server = socketio.AsyncServer(async_mode="aiohttp", namespaces=["/bare"])

    async def echo(sid: str, payload: Any) -> dict[str, Any]:
        return {"ok": True, "payload": payload}

    server.on("echo", echo, namespace="/bare")
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await server.shutdown()
        await runner.cleanup()


async def run(chosen: argparse.Namespace) -> None:
    """Engines up, measure, engines down."""
    with tempfile.TemporaryDirectory(prefix="ac-") as folder:
        postgres = engines.start_postgres(Path(folder), temporary=True)
        valkey = engines.start_valkey(Path(folder), temporary=True)
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
    print_result(figures)


def main() -> None:
    """Command line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--tellers", type=int, default=200)
    parser.add_argument("--changes", type=int, default=80)
    uvloop.run(run(parser.parse_args()))  # as the edge does


if __name__ == "__main__":
    main()
