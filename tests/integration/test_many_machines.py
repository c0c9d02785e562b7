"""Two edges, a worker and two media nodes as processes of their own: customer and teller are at different edges; a node
dies in a call, another is taken out of service, an edge dies."""

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
from browser import Person, chromium, customer_to_consent, teller_ready, wait_frames
from playwright.async_api import expect
from redis.asyncio import Redis
from running_house import free_port
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.heartbeats import alive
from core.models import Call, Recording, RecordingFile
from core.settings import Settings
from core.tasks import TaskOwner
from server.app import roles
from server.demo import call as demo
from server.identity.seed import DEMO_PASSWORD

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).parents[2]
ROLES = {"media-1": "media", "media-2": "media", "worker": "worker", "edge-1": "edge", "edge-2": "edge"}


class Machines:
    """One process per role, with what they share in the environment."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name, role in ROLES.items() if role == "edge"}
        self.base_url, self.other_url = (f"http://127.0.0.1:{port}" for port in self.ports.values())
        self.ops = {name: free_port() for name in ROLES}
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AIRCOUNTER_DATABASE_URL": database_url,
            "AIRCOUNTER_REDIS_URL": redis_url,
            "AIRCOUNTER_DATA_DIR": str(folder),
            "AIRCOUNTER_BANK_URL": "http://127.0.0.1:9",
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
        for name in ROLES:
            self.start_one(name)
        self.wait_ready()

    def start_one(self, name: str) -> None:
        self.processes[name] = self.command(
            ROLES[name],
            AIRCOUNTER_MEDIA_NODE_ID=name,
            AIRCOUNTER_OPS_PORT=str(self.ops[name]),
            AIRCOUNTER_PORT=str(self.ports.get(name, 8300)),
        )

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 110
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                ports = [*self.ops.values(), *self.ports.values()]
                if all(httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200 for port in ports):
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


async def _node_of(database: Database, redis: Redis, call_id: str) -> str | None:
    """Name of the live node that carries a call."""
    async with database.read() as session:
        boot_id = (await session.scalars(select(Call.media_node).where(col(Call.id) == call_id))).one()
    found = (await alive(redis, "media")).items()
    return next((name for name, facts in found if facts["boot_id"] == boot_id), None)


async def _running(database: Database) -> str:
    async with database.read() as session:
        return (await session.scalars(select(Call.id).where(col(Call.state) == "connected"))).one()


async def test_a_node_dies_and_another_is_drained_without_harm_to_their_calls(
    machines: Machines, database: Database, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    survivor, killed_at = await _talk_through_a_kill(machines, database, redis)
    talking = TaskOwner("talking")
    try:
        drained = await _drain_during_a_call(machines, database, redis, redis_url, tmp_path, talking)
    finally:
        await talking.close()  # a talk cut off by the end of its loop would never end
    await _an_edge_dies(machines)
    inspector = await demo.Staff.sign_in(machines.base_url, "inspector1", DEMO_PASSWORD)
    for each in (survivor, *drained):
        async with asyncio.timeout(40):
            while True:
                result = (await inspector.client.get(f"/api/calls/{each}/result")).json()
                if result["stages"]["recording"] == "done":
                    break
                await asyncio.sleep(0.2)
        assert len(result["recordings"]) == 2
    assert min(file["duration_s"] for file in result["recordings"]) > 0.5
    await inspector.client.aclose()
    await _both_parts_are_recorded(database, survivor, killed_at)


async def _talk_through_a_kill(machines: Machines, database: Database, redis: Redis) -> tuple[str, float]:
    """Two pages in a call whose media node is killed: both see each other again, at the other node."""
    async with chromium() as browser:
        customer = await Person.at(browser, machines.base_url, 390, 844)
        teller = await Person.at(browser, machines.other_url, 1440, 900)
        await teller_ready(teller, "teller2", DEMO_PASSWORD)
        await customer_to_consent(customer, "account_opening")
        await customer.by("consent-agree").click()
        await teller.by("offer-accept").click(timeout=20_000)
        for person in (customer, teller):
            await wait_frames(person, "call-remote-video", 20)
        call_id = await _running(database)
        node = await _node_of(database, redis, call_id)
        assert node is not None
        machines.processes[node].kill()
        killed_at = time.time()
        await asyncio.to_thread(machines.processes[node].wait)
        async with asyncio.timeout(30):
            while await _node_of(database, redis, call_id) in (None, node):
                await asyncio.sleep(0.1)
        for person in (customer, teller):
            await wait_frames(person, "call-remote-video", 0)  # a new connection counts from nothing
            seen = await person.frames("call-remote-video")
            await wait_frames(person, "call-remote-video", seen + 5)
        assert await _running(database) == call_id
        # The dead one comes back and must leave alone what another one goes on with.
        machines.start_one(node)
        await asyncio.to_thread(machines.wait_ready)
        await wait_frames(teller, "call-remote-video", await teller.frames("call-remote-video") + 5)
        await customer.by("call-hangup").click()
        await customer.by("call-hangup-confirm").click()
        await expect(customer.by("rating-5")).to_be_visible()
        assert [problem for problem in (*customer.problems, *teller.problems) if "ERR_" not in problem] == []
    return call_id, killed_at


async def _an_edge_dies(machines: Machines) -> None:
    """It is missed within seconds; the other one goes on."""
    machines.processes["edge-2"].kill()
    boss = await demo.Staff.sign_in(machines.base_url, "supervisor1", DEMO_PASSWORD)
    async with asyncio.timeout(30):
        while True:
            told = [alarm for alarm in (await boss.client.get("/api/alarms")).json() if not alarm["cleared_at"]]
            if told:
                break
            await asyncio.sleep(0.2)
    assert [(alarm["kind"], alarm["message"][:5]) for alarm in told] == [("node.lost", "edge:")]
    await boss.client.aclose()


async def _both_parts_are_recorded(database: Database, call_id: str, killed_at: float) -> None:
    async with database.read() as session:
        recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).one()
        files = (await session.scalars(select(RecordingFile).where(col(RecordingFile.call_id) == call_id))).all()
    kill_s = killed_at - recording.started_at.timestamp()
    for file in files:
        before, after = file.spans
        assert before["from_s"] < 1.0
        assert kill_s - 1.0 < before["to_s"] <= kill_s + 0.1, "more than a second is lost"
        assert after["from_s"] - kill_s < 30
        assert after["to_s"] - after["from_s"] > 2
    assert {gap["party"] for gap in recording.gaps} == {"customer", "teller"}


async def _drain_during_a_call(
    machines: Machines, database: Database, redis: Redis, redis_url: str, tmp_path: Path, talking: TaskOwner
) -> tuple[str, str]:
    """A node that is to end finishes its call and takes no other; returns both calls."""
    sound = np.zeros(48_000 * 10, np.int16)
    plan = demo.Plan(machines.base_url, "account_opening", sound, sound, tmp_path, DEMO_PASSWORD)
    plan.teller_url = machines.other_url
    staff = await demo.Staff.sign_in(machines.base_url, "teller1", DEMO_PASSWORD)
    speaking = asyncio.Event()

    def progress(line: str) -> None:
        if "speaking" in line:
            speaking.set()

    talk = talking.start("call", demo.hold_call(plan, staff, progress))
    await asyncio.wait_for(speaking.wait(), 40)
    call_id = await _running(database)
    node = await _node_of(database, redis, call_id)
    assert node is not None
    with pytest.raises(NotFoundError):
        await roles.drain(Settings(redis_url=redis_url), "media-9", True)
    admin = await demo.Staff.sign_in(machines.other_url, "admin1", DEMO_PASSWORD)
    assert (await admin.client.post(f"/api/nodes/{node}/drain", json={"on": True})).status_code == 200
    async with asyncio.timeout(15):  # a busy machine's beats tell it later
        while True:
            processes = (await admin.client.get("/api/processes")).json()
            load = {each["name"]: each["load"] for each in processes if each["kind"] == "media"}
            kinds = sorted(each["kind"] for each in processes)
            if load.get(node) == 1 and kinds == ["edge", "edge", "media", "media", "worker"]:
                break
            await asyncio.sleep(0.2)
    await admin.client.aclose()
    machines.processes[node].terminate()
    await asyncio.sleep(3)
    assert machines.processes[node].poll() is None, "it ended with a call running"
    async with asyncio.timeout(5):
        while not (await alive(redis, "media")).get(node, {}).get("draining"):
            await asyncio.sleep(0.1)
    assert (await talk).call_id == call_id
    assert await asyncio.to_thread(machines.processes[node].wait, 20) == 0
    # The next call goes to the node that is left.
    plan.teller_audio = plan.customer_audio = sound[:48_000]
    speaking.clear()
    other = await asyncio.wait_for(demo.hold_call(plan, staff, progress), 40)
    await staff.client.aclose()
    assert set(await alive(redis, "media")) == {"media-1", "media-2"} - {node}
    documented = set(re.findall(r"`(aircounter_\w+)`", (ROOT / "docs" / "operations.md").read_text()))
    offered: set[str] = set()
    for name, port in machines.ops.items():
        if name != node:
            text = (await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{port}/metrics")).text
            offered |= set(re.findall(r"^# TYPE (aircounter_\w+?) ", text, re.MULTILINE))
    assert {name for name in offered if not name.endswith("_created")} == documented
    return call_id, other.call_id
