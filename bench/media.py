"""What carrying calls costs: our media process against Janus and against the usual aiortc server.

    python bench/media.py [--calls 16 32] [--seconds 8] [--most 96] [--profile FILE]

The server runs on one core, the load on the other; as root, both have real-time priority. Every call is two parties of
640×480 (`bench/media_load.py`); ours is the product's own media process with recorder, journals on the disk and tap.

The last line is one JSON object. ``cpu_ratio_janus``: our CPU per delivered packet over that of Debian's Janus with its
recorder under the same load, the worse of the numbers of calls (per packet: a server that loses some has less to do);
null when ``janus`` is not installed.
``cpu_ratio_relay``: over that of `MediaRelay` and `MediaRecorder` with one call, which decode and encode.
``added_ms_p50``, ``added_ms_p99``: from one client's send to the other's receive at the larger number of calls, the
load generator's own share included. ``lost_packets``: holes in what clients received, all measurements together.
``rss_per_call_mb``: growth of the server's memory over its first calls. ``calls_per_core``: the largest number of calls
with p99 below 20 ms and nothing lost, tried in steps of 16 up to ``--most``; ``load_limited`` when the load generator's
core was full by then, so that the server could do more.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

import aiohttp  # noqa: E402
import janus_mark  # noqa: E402
import uvloop  # noqa: E402
from aiortc import RTCCertificate  # noqa: E402
from call_rows import CallRows  # noqa: E402
from common import cpu_s, print_result, say  # noqa: E402
from media_load import Client, Figures, percentile, pictures, sounds  # noqa: E402
from redis.asyncio import Redis  # noqa: E402

from core.bus import Bus  # noqa: E402
from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.heartbeats import alive  # noqa: E402
from core.models import CallState  # noqa: E402
from core.security.keys import load_secrets  # noqa: E402
from server.app import engines, schema  # noqa: E402
from server.media.config import primary_address  # noqa: E402

WARM_S = 3.0
DRAIN_S = 0.3
WINDOWS = 3
STEP = 16
PRIORITY = 1
"""Real time: before everything else that runs here."""

MOST_P99_MS = 20.0
READY_S = 30.0
SERVER_CORE, LOAD_CORE = 0, 1

Connect = Callable[[Client, Client], Awaitable[object]]


def rss_mb(pid: int) -> float:
    """Resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def pin(pid: int, core: int) -> None:
    """Let all threads of a process run on one core only."""
    if (os.cpu_count() or 1) > 1:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


class Trial:
    """A server under load. `connect` makes one call between two clients."""

    def __init__(
        self,
        pid: int,
        certificate: RTCCertificate,
        address: str,
        connect: Connect,
        *,
        offers: bool = False,
        on_one_core: bool = True,
    ) -> None:
        self.pid = pid
        self._on_one_core = on_one_core
        self.clients: list[Client] = []
        self._certificate, self._address, self._connect, self._offers = certificate, address, connect, offers

    async def grow_to(self, calls: int) -> None:
        """Set up more calls, one after the other."""
        while len(self.clients) < 2 * calls:
            # Only where we make the first offer do we control ICE, and there only the caller.
            pair = [Client(self._certificate, self._address, controlling=self._offers and not at) for at in range(2)]
            await self._connect(*pair)
            self.clients += pair
            for client in pair:
                client.play()
        prefer(self.pid)
        if self._on_one_core:
            pin(self.pid, SERVER_CORE)

    async def measure(self, seconds: float) -> tuple[Figures, float]:
        """Figures after a while of warming up, and the share of its core that the load used."""
        await asyncio.sleep(WARM_S)
        for client in self.clients:
            client.begin()
        own, began_s = time.process_time(), time.monotonic()
        # Other work on the machine makes ours dearer, never cheaper: the best of some windows tells.
        windows = [await self._window(seconds / WINDOWS) for _ in range(WINDOWS)]
        passed_s = time.monotonic() - began_s
        own = time.process_time() - own
        cpu_share, cpu_per_packet_us = (min(each) for each in zip(*windows, strict=True))
        calls = len(self.clients) // 2
        counted = [stream for client in self.clients for stream in client.streams.values()]
        latencies = [value for client in self.clients for value in client.latencies_ns]
        figures = Figures(
            calls=calls,
            cpu_per_call=round(cpu_share / calls, 4),
            cpu_per_packet_us=round(cpu_per_packet_us, 1),
            rss_mb=round(rss_mb(self.pid), 1),
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            lost=sum(stream.lost for stream in counted),
            packets_per_s=round(sum(stream.packets for stream in counted) / passed_s, 0),
            kbps_per_client=round(sum(client.octets for client in self.clients) / len(self.clients) * 8e-3 / passed_s),
            latencies=len(latencies),
        )
        return figures, own / passed_s

    async def _window(self, seconds: float) -> tuple[float, float]:
        """CPU seconds per second, and µs of it per packet that came."""
        cpu, began_s, packets = cpu_s(self.pid), time.monotonic(), self._packets()
        await asyncio.sleep(seconds)
        cpu = cpu_s(self.pid) - cpu
        return cpu / (time.monotonic() - began_s), cpu * 1e6 / max(1, self._packets() - packets)

    def _packets(self) -> int:
        return sum(stream.packets for client in self.clients for stream in client.streams.values())

    async def stop(self) -> None:
        """Hang up."""
        for client in self.clients:
            client.stop()
        await asyncio.sleep(DRAIN_S)
        for at in range(0, len(self.clients), 16):
            await asyncio.gather(*(client.transport.close() for client in self.clients[at : at + 16]))


class OurNode:
    """The product's media process with real engines."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._address = folder, address
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self, stack: AsyncExitStack) -> None:
        """Engines, schema, process."""
        postgres, valkey = (
            engines.start_postgres(self._folder, temporary=True),
            engines.start_valkey(self._folder, temporary=True),
        )
        stack.callback(postgres.stop)
        stack.callback(valkey.stop)
        await schema.upgrade(postgres.url)
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "AIRCOUNTER_DATA_DIR": str(self._folder),
            "AIRCOUNTER_DATABASE_URL": postgres.url,
            "AIRCOUNTER_REDIS_URL": valkey.url,
            "AIRCOUNTER_MEDIA_HOSTS": self._address,
            "AIRCOUNTER_LOG_LEVEL": "error",
        }
        self._redis = Redis.from_url(valkey.url)
        stack.push_async_callback(self._redis.aclose)
        self._database = Database(postgres.url, Bus(self._redis), SystemClock())
        stack.push_async_callback(self._database.close)
        self._rows = CallRows(self._database)
        self._headers = {"Authorization": f"Bearer {load_secrets(self._folder).internal_token}"}
        # Kept connections would be counted as the process's own.
        connector = aiohttp.TCPConnector(force_close=True)
        self._http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        self.process = start_process([sys.executable, "-m", "server.app.process", "media"], environment)
        stack.callback(stop_process, self.process)
        await until(self._is_alive)

    async def _is_alive(self) -> bool:
        nodes = await alive(self._redis, "media")
        self._url = next((facts["url"] for facts in nodes.values()), "")
        return bool(nodes)

    async def connect(self, customer: Client, teller: Client) -> str:
        """One call as the rooms set it up; returns its id."""
        call = await self._rows.call(None, state=CallState.CONNECTED, ended_at=None)
        for seat, client in (("customer", customer), ("teller", teller)):
            offer = await self._ask("POST", f"/v1/calls/{call.id}/peers", {"seat": seat})
            answer = await client.answer(offer["sdp_offer"])
            await self._ask("POST", f"/v1/calls/{call.id}/peers/{offer['peer_id']}/answer", {"sdp_answer": answer})
        await asyncio.gather(customer.connected(), teller.connected())
        await self._ask("POST", f"/v1/calls/{call.id}/activate", {"started_ns": "0"})
        return str(call.id)

    async def close_call(self, call_id: str) -> None:
        """Hang up."""
        await self._ask("DELETE", f"/v1/calls/{call_id}")

    async def health(self) -> dict[str, Any]:
        """What the node says of itself."""
        return await self._ask("GET", "/v1/health")

    async def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        async with self._http.request(method, self._url + path, json=body, headers=self._headers) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer


def is_good(figures: Figures) -> bool:
    """Whether nobody would notice that the core is busy."""
    return figures.p99_ms is not None and figures.p99_ms < MOST_P99_MS and not figures.lost


def start_process(command: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run something that says its address on stdout, or does not need to."""
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a server to get ready."""
    async with asyncio.timeout(READY_S):
        while True:
            if await check():
                return
            await asyncio.sleep(0.1)


def prefer(pid: int) -> None:
    """Let all threads of a process go before other work, if we may: else figures of a busy machine are worthless."""
    if os.geteuid() == 0:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(PRIORITY))


def stop_process(process: subprocess.Popen[Any]) -> None:
    """An orderly end, or an end."""
    if process.stdin is not None:
        process.stdin.close()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def ours(arguments: argparse.Namespace, certificate: RTCCertificate, address: str) -> dict[str, Any]:
    """Our figures at each number of calls, then the most that one core carries."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ac-")))
        node = OurNode(folder, address)
        await node.start(stack)
        assert node.process is not None
        trial = Trial(node.process.pid, certificate, address, node.connect)
        stack.push_async_callback(trial.stop)
        base_mb = rss_mb(trial.pid)
        found: list[Figures] = []
        for calls in arguments.calls:
            await trial.grow_to(calls)
            if arguments.profile and calls == arguments.calls[-1]:
                seconds = str(round(arguments.seconds + WARM_S))
                recording = ["py-spy", "record", "-d", seconds, "-r", "250", "-f", "raw", "-o", arguments.profile]
                start_process([*recording, "-p", str(trial.pid)])
            figures, load = await trial.measure(arguments.seconds)
            found.append(figures)
            say(f"ours: {figures} (load {load:.0%} of its core)")
        result = {
            "at": found,
            "rss_per_call_mb": round((found[0].rss_mb - base_mb) / found[0].calls, 2),
            "base_mb": round(base_mb, 1),
            "most": max((each.calls for each in found if is_good(each)), default=0),
            "load_limited": False,
        }
        while result["most"] == len(trial.clients) // 2 and len(trial.clients) // 2 + STEP <= arguments.most:
            await trial.grow_to(len(trial.clients) // 2 + STEP)
            figures, load = await trial.measure(arguments.seconds)
            say(f"ours: {figures} (load {load:.0%} of its core)")
            result["load_limited"] = load > 0.9
            if is_good(figures):
                result["most"] = figures.calls
        return result


async def with_janus(arguments: argparse.Namespace, certificate: RTCCertificate, address: str) -> list[Figures] | None:
    """Janus's figures, or None when it is not there."""
    program = janus_mark.find()
    if program is None or address.startswith("127."):
        say("janus is not installed (Debian: apt-get install janus), or there is no network: no figure for it")
        return None
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ac-")))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = janus_mark.start(program, work, address, port)
        stack.callback(stop_process, process)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url, names = f"http://127.0.0.1:{port}/janus", iter(range(1_000_000))

        async def is_up() -> bool:
            try:
                async with session.get(url + "/info"):
                    return True
            except aiohttp.ClientError:
                return False

        await until(is_up)

        async def connect(caller: Client, callee: Client) -> None:
            for handle in await janus_mark.connect(session, url, str(next(names)), caller, callee):
                stack.push_async_callback(handle.close)

        trial = Trial(process.pid, certificate, address, connect, offers=True)
        stack.push_async_callback(trial.stop)
        found = []
        for calls in arguments.calls:
            await trial.grow_to(calls)
            figures, load = await trial.measure(arguments.seconds)
            found.append(figures)
            say(f"janus: {figures} (load {load:.0%} of its core)")
        return found


async def with_relay(arguments: argparse.Namespace, certificate: RTCCertificate, address: str) -> Figures:
    """The figures of `MediaRelay` and `MediaRecorder` with one call."""
    async with AsyncExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory(prefix="ac-"))
        process = start_process([sys.executable, str(ROOT / "bench" / "relay_baseline.py"), work])
        stack.callback(stop_process, process)
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(await asyncio.to_thread(process.stdout.readline))}"
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def connect(customer: Client, teller: Client) -> None:
            for seat, client in (("customer", customer), ("teller", teller)):
                async with session.post(f"{url}/{seat}/offer") as response:
                    offer = (await response.json())["sdp_offer"]
                answer = {"sdp_answer": await client.answer(offer)}
                async with session.post(f"{url}/{seat}/answer", json=answer) as response:
                    response.raise_for_status()
            await asyncio.gather(customer.connected(), teller.connected())

        trial = Trial(process.pid, certificate, address, connect, on_one_core=False)  # it needs more than one
        stack.push_async_callback(trial.stop)
        await trial.grow_to(1)
        figures, _ = await trial.measure(arguments.seconds)
        say(f"relay: {figures}")
        return figures


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All trials, one after the other."""
    address = primary_address() or "127.0.0.1"
    certificate = RTCCertificate.generateCertificate()
    pictures(), sounds()
    pin(os.getpid(), LOAD_CORE)
    prefer(os.getpid())
    own = await ours(arguments, certificate, address)
    mark = None if "janus" in arguments.skip else await with_janus(arguments, certificate, address)
    relay = None if "relay" in arguments.skip else await with_relay(arguments, certificate, address)
    found: list[Figures] = own["at"]
    ratios = [ours.cpu_per_packet_us / its.cpu_per_packet_us for ours, its in zip(found, mark or [], strict=False)]
    return {
        "cpu_ratio_janus": round(max(ratios), 2) if ratios else None,
        "cpu_ratio_relay": round(found[0].cpu_per_call / relay.cpu_per_call, 4) if relay else None,
        "added_ms_p50": found[-1].p50_ms,
        "added_ms_p99": found[-1].p99_ms,
        "lost_packets": sum(figures.lost for figures in found),
        "rss_per_call_mb": own["rss_per_call_mb"],
        "calls_per_core": own["most"],
        "load_limited": own["load_limited"],
        "base_mb": own["base_mb"],
        "ours": [asdict(figures) for figures in found],
        "janus": [asdict(figures) for figures in mark] if mark else None,
        "relay": asdict(relay) if relay else None,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--most", type=int, default=96, help="do not try more calls than this on one core")
    parser.add_argument("--skip", nargs="*", default=[], choices=["janus", "relay"])
    parser.add_argument("--profile", default="", help="write a py-spy profile of our server at the larger number")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end: nothing may stay behind
    print_result(uvloop.run(run(arguments)))


if __name__ == "__main__":
    main()
