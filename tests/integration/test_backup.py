"""A backup is proved by restoring it: counts, digests, a recording that plays; a damaged one raises an alarm."""

import base64
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from rtp_streams import Publisher
from sqlmodel import select

from core.db import Database
from core.errors import CounterError
from core.events import RecordingStopped
from core.models import Alarm, AuditEntry
from core.ports.media import Seat
from core.security.seal import load_seal
from core.settings import Settings
from core.store import open_store
from recording.finalize.service import Finalizer
from server.app import backups
from server.backup.backup import copy_keys, put_keys


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


async def test_a_backup_is_rehearsed_and_its_damage_is_told(
    house: CaptureHouse, database: Database, database_url: str, tmp_path: Path
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

    target = str(tmp_path / "elsewhere")
    manifest = await backups.backup(settings, database_url, target)
    assert manifest["rows"]["call"] == 1
    assert len(manifest["objects"]) == len(await store.keys(""))
    lying = b"".join(path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file())
    assert MASTER_KEY not in lying
    assert b"PGDMP" not in lying, "the dump is not sealed"

    report = await backups.rehearse(settings, database_url, target, None)
    assert (report.good, report.problems, report.objects) == (True, [], len(manifest["objects"]))
    assert report.rows == sum(manifest["rows"].values())
    assert report.played is not None
    assert report.played["frames"] > 10
    written = list((tmp_path / "elsewhere" / "drills").glob("*.json"))
    assert [json.loads(path.read_text())["good"] for path in written] == [True]

    with pytest.raises(CounterError) as refused:
        await backups.restore(settings, database_url, target, None)
    assert refused.value.code == "restore.not_empty"
    with pytest.raises(CounterError) as unknown:
        await backups.restore(settings, database_url, target, "backup-19990101T000000Z")
    assert unknown.value.code == "backup.not_found"

    damaged = next((tmp_path / "elsewhere" / "backups").rglob("customer.sealed"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    report = await backups.rehearse(settings, database_url, target, None)
    assert not report.good
    assert "backup.damaged" in report.problems[0]
    async with database.read() as session:
        assert [row.kind for row in (await session.scalars(select(Alarm))).all()] == ["backup.drill_failed"]
        drills = [row for row in (await session.scalars(select(AuditEntry))).all() if row.action == "backup.drill"]
    assert [row.detail["good"] for row in drills] == [True, False]


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
