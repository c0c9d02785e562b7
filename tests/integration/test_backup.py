"""A backup is proved by restoring it: counts, digests, a recording that plays. It is made by the clock."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from call_rows import CallRows
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from fake_clock import FakeClock
from http_app import always, serving
from rtp_streams import Publisher
from s3_server import BUCKET, running_s3, variables
from sqlmodel import col, select

from core.db import Database
from core.errors import CounterError, UnavailableError
from core.events import BackupWanted, RecordingStopped
from core.models import Alarm, AuditEntry, BackupRun
from core.ports.media import Seat
from core.security.actor import staff_actor
from core.security.seal import load_seal
from core.settings import Settings
from core.store import open_store
from recording.finalize.service import Finalizer
from server.app import backups
from server.backup.backup import backups as made
from server.backup.backup import copy_keys, make_backup, put_keys
from server.backup.drill import DrillReport
from server.backup.routes import routes as backup_routes
from server.backup.rules import Plan
from server.backup.runner import BackupRunner, Tools
from server.backup.service import BackupDesk


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, tmp_path / "journals")
    yield house
    await house.recorder.close()


def installation(folder: Path) -> Settings:
    folder.mkdir()
    keys = {"master_key": base64.b64encode(MASTER_KEY).decode(), "token_key": "t", "internal_token": "i"}
    (folder / "secrets.json").write_text(json.dumps(keys | {"redis_password": "r"}))
    load_seal(folder)
    return Settings(data_dir=folder)


async def test_a_backup_in_another_store_is_rehearsed_and_its_damage_is_told(
    house: CaptureHouse, database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = installation(tmp_path / "data")
    store = open_store(None, settings.data_dir)
    call, zero_ns = await house.call(), zero_ns_ago(2.2)
    house.record(call.id, Seat.CUSTOMER, Publisher(2.0, flash_at_s=1.0).packets(zero_ns), zero_ns)
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    finalizer = Finalizer(database, store, house.folder, MASTER_KEY, executor=lambda: ThreadPoolExecutor(1))
    await finalizer.on_stopped(stopped)

    with running_s3() as address:
        for name, value in variables(address, "BACKUP_").items():
            monkeypatch.setenv(name, value)
        url = f"s3://{BUCKET}/elsewhere"
        target = backups.open_target(url)
        manifest = await backups.backup(settings, database_url, url)
        assert manifest["rows"]["call"] == 1
        assert len(manifest["objects"]) == len(await store.keys(""))
        for key in await target.keys(""):
            content = await target.get(key)
            assert MASTER_KEY not in content
            assert b"PGDMP" not in content, "the dump is not sealed"

        report = await backups.rehearse(settings, url, None)
        assert (report.good, report.problems, report.objects) == (True, [], len(manifest["objects"]))
        assert report.rows == sum(manifest["rows"].values())
        assert report.played is not None
        assert report.played["frames"] > 10
        (written,) = [key for key in await target.keys("drills") if key.endswith(".json")]
        assert json.loads(await target.get(written))["good"]

        with pytest.raises(CounterError) as refused:
            await backups.restore(settings, database_url, url, None)
        assert refused.value.code == "restore.not_empty"
        with pytest.raises(CounterError) as unknown:
            await backups.restore(settings, database_url, url, "backup-19990101T000000Z")
        assert unknown.value.code == "backup.not_found"

        damaged = next(key for key in await target.keys("pool") if "customer.sealed" in key)
        whole = await target.get(damaged)
        await target.put(damaged, whole[:-1] + b"x")
        report = await backups.rehearse(settings, url, None)
        assert not report.good
        assert "backup.damaged" in report.problems[0]
        await backups.note(database_url, report)
        await target.delete(damaged)
        again = await backups.backup(settings, database_url, url)
        assert again["copied_b"] == len(whole), "what is missing is copied again, the rest lies there"
        await backups.note(database_url, await backups.rehearse(settings, url, None))
    async with database.read() as session:
        (alarm,) = (await session.scalars(select(Alarm))).all()
        drills = [row for row in (await session.scalars(select(AuditEntry))).all() if row.action == "backup.drill"]
    assert (alarm.kind, alarm.cleared_at is not None) == ("backup.drill_failed", True)
    assert [row.detail["good"] for row in drills] == [False, True]


class Night:
    """A worker's backups with a clock of our own; `problem` is what the next attempts run into."""

    def __init__(self, database: Database, settings: Settings, url: str, target: str) -> None:
        self.clock = FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
        database.clock = self.clock
        self.database = database
        self.problem: CounterError | None = None
        self.report = DrillReport("", "")
        self._url = url
        self._settings, self._target = settings, target
        self.target = backups.open_target(target)
        tools = Tools(self.target, self._make, self._rehearse)
        plan = Plan(time(2, 30), ZoneInfo("Asia/Shanghai"), keep=2, drill_days=7)
        self.runners = [BackupRunner(database, plan, tools) for _ in range(2)]
        self.desk = BackupDesk(database, plan, target)

    async def _make(self) -> dict[str, Any]:
        if self.problem is not None:
            raise self.problem
        store, key = open_store(None, self._settings.data_dir), MASTER_KEY
        return await make_backup(self._url, store, self.target, key, backups.SEALING, self.clock.now())

    async def _rehearse(self) -> DrillReport:
        return DrillReport((await made(self.target))[-1], self.clock.now().isoformat(), problems=self.report.problems)

    async def pass_on(self, **step: float) -> None:
        """Some time passes; two workers look, one does what is wanted, as often as it is delivered."""
        self.clock.advance(timedelta(**step).total_seconds())
        for _ in range(2):
            await asyncio.gather(*(runner.once() for runner in self.runners))
            await self.work()

    async def work(self) -> None:
        async with self.database.read() as session:
            wanted = select(BackupRun.id).where(col(BackupRun.state).in_(("waiting", "running")))
            for run_id in (await session.scalars(wanted)).all():
                with contextlib.suppress(UnavailableError):  # the job engine delivers it again
                    await self.runners[0].on_wanted(BackupWanted(at=self.clock.now(), run_id=run_id))

    async def runs(self) -> list[tuple[str, str]]:
        async with self.database.read() as session:
            rows = (await session.scalars(select(BackupRun).order_by(col(BackupRun.due_at), col(BackupRun.kind)))).all()
            return [(row.kind, row.state) for row in rows]

    async def alarms(self) -> list[str]:
        async with self.database.read() as session:
            rows = (await session.scalars(select(Alarm).where(col(Alarm.cleared_at).is_(None)))).all()
            return [row.kind for row in rows]


async def test_backups_by_the_clock(database: Database, database_url: str, tmp_path: Path) -> None:
    night = Night(database, installation(tmp_path / "data"), database_url, str(tmp_path / "elsewhere"))
    await open_store(None, tmp_path / "data").put("recordings/a", b"first")
    await night.pass_on(minutes=1)  # what was due last night is made up at once, and rehearsed
    assert await night.runs() == [("backup", "done"), ("drill", "done")]
    first = (await made(night.target))[0]
    await night.pass_on(hours=1)
    assert len(await night.runs()) == 2

    night.problem = UnavailableError("the target is away", code="store.write_failed")
    await night.pass_on(days=1)
    assert (await night.runs())[-1] == ("backup", "running")
    assert await night.alarms() == []
    await night.work()
    assert (await night.runs())[-1] == ("backup", "failed")
    assert await night.alarms() == ["backup.failed"]
    night.problem = None
    await night.pass_on(days=1)
    assert (await night.runs())[-1] == ("backup", "done")
    assert await night.alarms() == []

    await open_store(None, tmp_path / "data").put("recordings/a", b"second")
    night.report.problems.append("the recording is damaged")
    await night.pass_on(days=6)
    assert (await night.runs())[-2:] == [("backup", "done"), ("drill", "failed")]
    assert await night.alarms() == ["backup.drill_failed"]
    # The first is the newest one that a rehearsal has proven: it stays, with the object that only it holds.
    assert (await made(night.target))[0] == first
    assert len(await night.target.keys("pool")) == 2
    night.report.problems.clear()
    admin = staff_actor((await CallRows(database).staff("admin9", "admin")).id, ["admin"])
    async with serving([backup_routes(night.desk)], always(admin)) as client:
        assert (await client.post("/api/backups", json={"kind": "drill"})).status == 200
        twice = await client.post("/api/backups", json={"kind": "backup"})
        assert (twice.status, (await twice.json())["error"]["code"]) == (409, "backup.running")
        await night.work()
        told = await (await client.get("/api/backups")).json()
    assert await night.alarms() == []
    assert (told["runs"][0]["kind"], told["runs"][0]["state"], told["runs"][0]["asked_by"]) == (
        "drill",
        "done",
        "admin9的姓名",
    )
    assert told["next_at"] > told["last_backup_at"]
    await night.pass_on(days=1)
    assert first not in await made(night.target)
    assert len(await made(night.target)) == 2
    assert len(await night.target.keys("pool")) == 1


async def test_without_a_target_nothing_is_made(database: Database) -> None:
    admin = staff_actor("staff_admin", ["admin"])
    desk = BackupDesk(database, Plan(time(2, 30), ZoneInfo("Asia/Shanghai"), 2, 7), None)
    async with serving([backup_routes(desk)], always(admin)) as client:
        refused = await client.post("/api/backups", json={"kind": "backup"})
        assert (refused.status, (await refused.json())["error"]["code"]) == (409, "backup.no_target")
        assert (await (await client.get("/api/backups")).json())["next_at"] is None
        assert (await client.post("/api/backups", json={"kind": "everything"})).status == 400
    async with serving([backup_routes(desk)], always(staff_actor("staff_boss", ["supervisor"]))) as client:
        assert (await client.get("/api/backups")).status == 403


def test_keys_are_kept_apart_and_never_overwritten(tmp_path: Path) -> None:
    settings, apart = installation(tmp_path / "data"), tmp_path / "apart"
    assert copy_keys(settings.data_dir, apart) == ["secrets.json", "seal.pem"]
    assert (apart / "secrets.json").stat().st_mode & 0o077 == 0
    put_keys(apart, tmp_path / "fresh")
    put_keys(apart, tmp_path / "fresh")
    assert (tmp_path / "fresh" / "seal.pem").read_bytes() == (settings.data_dir / "seal.pem").read_bytes()
    load_seal(tmp_path / "other")
    for folder, place, code in (
        (apart, tmp_path / "other", "restore.other_keys"),
        (tmp_path / "nothing", tmp_path / "fresh2", "restore.no_keys"),
    ):
        with pytest.raises(CounterError) as refused:
            put_keys(folder, place)
        assert refused.value.code == code
