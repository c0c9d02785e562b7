"""Hundreds of short calls through the media process: does anything stay behind?

    python bench/soak.py [--calls 400] [--at-once 8]

Every call is two parties that connect, send a second of 640×480 with sound (recorded, tapped) and hang up.

The last line is one JSON object: ``calls``; ``rss_growth``, ``thread_growth``, ``fd_growth``, ``task_growth``: how much
more of each the process holds after all calls than after the first half, which warms it up, as a share (0.05 is 5 %),
both times with no call running; ``lost_calls``: calls that could not be set up; ``fds``: what is open in the end, by
kind: connections to database and Redis are pools that fill up once and then stay as they are.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

import psutil  # noqa: E402
import uvloop  # noqa: E402
from aiortc import RTCCertificate  # noqa: E402
from common import print_result, say  # noqa: E402
from media import OurNode, rss_mb, until  # noqa: E402
from media_load import Client, pictures, sounds  # noqa: E402

from server.app.memory import EVERY_S  # noqa: E402
from server.media.config import primary_address  # noqa: E402

TALK_S = 1.0
SETTLE_S = EVERY_S + 2.0  # by then it has given back what it does not need
WARM_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds."""

    rss_mb: float
    threads: int
    fds: dict[str, int]
    tasks: int


def unix_peers() -> dict[str, str]:
    """Where each unix socket leads to, by inode: database or Redis. Empty without ``ss`` (iproute2)."""
    program = shutil.which("ss")
    if program is None:
        return {}
    lines = subprocess.run([program, "-xaH"], capture_output=True, text=True, check=True).stdout.splitlines()
    fields = [line.split() for line in lines]
    return {each[7]: Path(each[4]).parent.name for each in fields if len(each) > 7 and each[4].startswith("/")}


def open_files(pid: int) -> dict[str, int]:
    """Descriptors by kind: where a socket leads to, or what it is."""
    found: Counter[str] = Counter()
    peers = unix_peers()
    sockets = {connection.fd: connection for connection in psutil.Process(pid).net_connections("all")}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        connection = sockets.get(int(entry.name))
        if connection is None:
            found[os.readlink(entry).split(":")[0]] += 1
        elif connection.family == socket.AF_UNIX:
            inode = os.readlink(entry).removeprefix("socket:[").removesuffix("]")
            found[f"to {peers.get(inode, 'a unix socket')}"] += 1
        elif connection.type == socket.SOCK_DGRAM:
            found["udp"] += 1
        else:
            found["tcp, listening" if connection.status == psutil.CONN_LISTEN else "tcp"] += 1
    return dict(sorted(found.items()))


async def held(node: OurNode, pid: int) -> Held:
    """Once no call is left and everything has had the time to end."""

    async def is_idle() -> bool:
        return int((await node.health())["calls"]) == 0

    await until(is_idle)
    await asyncio.sleep(SETTLE_S)
    folder = Path(f"/proc/{pid}")
    return Held(
        round(rss_mb(pid), 1),
        len(list((folder / "task").iterdir())),
        open_files(pid),
        int((await node.health())["tasks"]),
    )


async def one_call(node: OurNode, certificate: RTCCertificate, address: str) -> bool:
    """Connect, talk, hang up; False when it did not connect."""
    pair = [Client(certificate, address, controlling=False) for _ in range(2)]
    try:
        call_id = await node.connect(*pair)
        for client in pair:
            client.play()
        await asyncio.sleep(TALK_S)
        for client in pair:
            client.stop()
        await node.close_call(call_id)
    except (ConnectionError, TimeoutError) as error:
        say(f"a call failed: {error!r}")
        return False
    finally:
        await asyncio.gather(*(client.transport.close() for client in pair))
    return True


async def many(node: OurNode, certificate: RTCCertificate, address: str, calls: int, at_once: int) -> int:
    """Hold calls, some at once. Returns how many failed."""
    room, failed = asyncio.Semaphore(at_once), 0

    async def one() -> None:
        nonlocal failed
        async with room:
            failed += not await one_call(node, certificate, address)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(calls):
            tasks.create_task(one())
    return failed


def growth(before: float, after: float) -> float:
    """As a share; what became less did not grow."""
    return round(max(0.0, after / before - 1), 4)


async def run(calls: int, at_once: int) -> dict[str, Any]:
    """Warm up, look, hold the rest, look again."""
    address = primary_address() or "127.0.0.1"
    certificate = RTCCertificate.generateCertificate()
    pictures(), sounds()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ac-")))
        node = OurNode(folder, address)
        await node.start(stack)
        assert node.process is not None
        warm = round(calls * WARM_SHARE)
        failed = await many(node, certificate, address, warm, at_once)
        before = await held(node, node.process.pid)
        say(f"after {warm} calls: {before}")
        failed += await many(node, certificate, address, calls - warm, at_once)
        after = await held(node, node.process.pid)
        say(f"after {calls} calls: {after}")
    return {
        "calls": calls,
        "lost_calls": failed,
        "rss_growth": growth(before.rss_mb, after.rss_mb),
        "thread_growth": growth(before.threads, after.threads),
        "fd_growth": growth(sum(before.fds.values()), sum(after.fds.values())),
        "task_growth": growth(before.tasks, after.tasks),
        "rss_mb": after.rss_mb,
        "fds": after.fds,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=8)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end: nothing may stay behind
    print_result(uvloop.run(run(arguments.calls, arguments.at_once)))


if __name__ == "__main__":
    main()
