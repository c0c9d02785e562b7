"""A disk that is really full: told within 3 s, nothing before it is lost, and it goes on once there is room."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from capture_house import MASTER_KEY, CaptureHouse, feed, stream
from rtp_streams import AUDIO_PT, Packet, rtp

from core.db import Database
from core.events import RecordingFailed, RecordingResumed
from core.models import RecordingState
from core.ports.media import Seat
from recording.capture.journal import JournalReader, RecordKind, journal_cipher, journals_in
from recording.capture.meta import read_meta

SIZE_MB = 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of `SIZE_MB`."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0700", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def house(database: Database, small_disk: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, small_disk / "journals")
    yield house
    await house.recorder.close()


async def test_a_full_disk_is_told_and_survived(house: CaptureHouse, small_disk: Path) -> None:
    call = await house.call()
    ballast = small_disk / "ballast"
    await asyncio.to_thread(ballast.write_bytes, bytes((SIZE_MB << 20) - 300_000))  # of somebody else on this disk
    (sink,) = house.recorder.sinks_for(stream(call.id, Seat.CUSTOMER, 1, time.time_ns()))
    sent: list[bytes] = []

    def send() -> None:
        data = rtp(AUDIO_PT, len(sent), len(sent) * 960, 1, os.urandom(1000), marker=False)
        sent.append(data)
        feed(sink, Packet("audio", 0.0, data), time.time_ns())

    async with asyncio.timeout(10):
        while len(sent) < 400:  # 400 kB/s: the rest of the disk is full within the second
            send()
            await asyncio.sleep(0.0025)
    full_s = time.monotonic()
    async with asyncio.timeout(5):
        while "recording.failed" not in await house.alarms():
            send()
            await asyncio.sleep(0.05)
    assert time.monotonic() - full_s < 3.0
    failed = (await house.facts(RecordingFailed))[0]
    assert "No space left on device" in failed.reason  # type: ignore[attr-defined]

    await asyncio.to_thread(ballast.unlink)
    async with asyncio.timeout(5):
        while not await house.facts(RecordingResumed):
            send()
            await asyncio.sleep(0.05)
    await house.recorder.stop(call.id)
    row = await house.recording(call.id)
    assert row is not None
    assert row.state == RecordingState.CAPTURED
    folder = house.folder / call.id
    reader = JournalReader(journals_in(folder)[0], journal_cipher(read_meta(folder).data_key(MASTER_KEY)))
    assert [data for kind, _, data in reader if kind == RecordKind.AUDIO] == sent, "packets waited and were written"
    assert (reader.damage, reader.torn_b) == ([], 0)
