"""Edge, worker and two media nodes as processes of their own: a node that is to end finishes its call, others go on."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from redis.asyncio import Redis
from running_house import free_port
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.models import Call
from core.settings import Settings
from server.app import roles
from server.app.heartbeats import alive
from server.demo import call as demo
from server.identity.seed import DEMO_PASSWORD

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).parents[2]
ROLES = {"media-1": "media", "media-2": "media", "worker": "worker", "edge": "edge"}


class Machines:
    """One process per role, with what they share in the environment."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.ops = {name: free_port() for name in ROLES}
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AIRCOUNTER_DATABASE_URL": database_url,
            "AIRCOUNTER_REDIS_URL": redis_url,
            "AIRCOUNTER_DATA_DIR": str(folder),
            "AIRCOUNTER_BANK_URL": "http://127.0.0.1:9",
            "AIRCOUNTER_PORT": str(self.port),
            "AIRCOUNTER_LIVE_ENGINE": "none",
            "AIRCOUNTER_FINAL_ENGINE": "none",
            "AIRCOUNTER_WRAP_UP_S": "0",
            "AIRCOUNTER_DRAIN_S": "60",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", "from server.cli import main; main()", *words],
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )

    def start(self) -> None:
        assert self.command("migrate", "--demo").wait(60) == 0, self.log()
        for name, role in ROLES.items():
            self.processes[name] = self.command(
                role, AIRCOUNTER_MEDIA_NODE_ID=name, AIRCOUNTER_OPS_PORT=str(self.ops[name])
            )
        deadline = time.monotonic() + 110
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                answers = [httpx.get(f"http://127.0.0.1:{port}/ready").status_code for port in self.ops.values()]
                if [*answers, httpx.get(f"{self.base_url}/ready").status_code] == [200] * 5:
                    return
            time.sleep(0.2)
        raise AssertionError(self.log())

    def log(self) -> str:
        return (self.folder / "log").read_text()[-8000:]

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait(10)


@pytest.fixture
def machines(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Machines]:
    started = Machines(tmp_path, database_url, redis_url)
    try:
        started.start()
        yield started
    finally:
        started.stop()


async def _node_of(database: Database, redis: Redis, call_id: str) -> str:
    async with database.read() as session:
        boot_id = (await session.scalars(select(Call.media_node).where(col(Call.id) == call_id))).one()
    return next(name for name, facts in (await alive(redis, "media")).items() if facts["boot_id"] == boot_id)


async def test_a_drained_node_finishes_its_call_and_takes_no_other(
    machines: Machines, database: Database, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    sound = np.zeros(48_000 * 10, np.int16)
    plan = demo.Plan(machines.base_url, "account_opening", sound, sound, tmp_path, DEMO_PASSWORD)
    staff = await demo.Staff.sign_in(machines.base_url, "teller1", DEMO_PASSWORD)
    speaking = asyncio.Event()

    def progress(line: str) -> None:
        if "speaking" in line:
            speaking.set()

    talk = asyncio.get_running_loop().create_task(demo.hold_call(plan, staff, progress))
    await asyncio.wait_for(speaking.wait(), 40)
    async with database.read() as session:
        call_id = (await session.scalars(select(Call.id).where(col(Call.state) == "connected"))).one()
    node = await _node_of(database, redis, call_id)
    settings = Settings(redis_url=redis_url)
    await roles.drain(settings, node, True)
    with pytest.raises(NotFoundError):
        await roles.drain(settings, "media-9", True)
    machines.processes[node].terminate()
    await asyncio.sleep(3)
    assert machines.processes[node].poll() is None, "it ended with a call running"
    assert (await alive(redis, "media"))[node]["draining"] is True
    assert (await talk).call_id == call_id
    assert await asyncio.to_thread(machines.processes[node].wait, 20) == 0
    # The next call goes to the node that is left.
    plan.teller_audio = plan.customer_audio = sound[:48_000]
    speaking.clear()
    other = await asyncio.wait_for(demo.hold_call(plan, staff, progress), 40)
    await staff.client.aclose()
    assert set(await alive(redis, "media")) == set(ROLES) - {node, "worker", "edge"}
    inspector = await demo.Staff.sign_in(machines.base_url, "inspector1", DEMO_PASSWORD)
    for each in (call_id, other.call_id):
        async with asyncio.timeout(40):
            while True:
                result = (await inspector.client.get(f"/api/calls/{each}/result")).json()
                if result["stages"]["recording"] == "done":
                    break
                await asyncio.sleep(0.2)
        assert len(result["recordings"]) == 2
    assert min(file["duration_s"] for file in result["recordings"]) > 0.5
    await inspector.client.aclose()
    documented = set(re.findall(r"`(aircounter_\w+)`", (ROOT / "docs" / "operations.md").read_text()))
    offered: set[str] = set()
    for name, port in machines.ops.items():
        if name != node:
            text = (await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{port}/metrics")).text
            offered |= set(re.findall(r"^# TYPE (aircounter_\w+?) ", text, re.MULTILINE))
    assert {name for name in offered if not name.endswith("_created")} == documented
