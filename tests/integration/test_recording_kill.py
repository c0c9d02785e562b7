"""kill -9 at any instant: everything older than one second plays."""

import asyncio
import contextlib
import itertools
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import psutil
import pytest
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from rtp_streams import Publisher

from core.db import Database
from core.errors import UnavailableError
from core.events import RecordingFinalized, RecordingStopped
from core.models import RecordingState
from core.ports.media import Seat
from core.store import open_store
from recording.catalogue.service import Catalogue
from recording.finalize.service import Finalizer

ROOT = Path(__file__).parents[2]
STARVED_NS = 250_000_000
"""A pause of the feeding loop as long as this is the machine's fault; such a round says nothing and is repeated."""


def _rounds(log: Path) -> list[int]:
    data = log.read_bytes() if log.exists() else b""
    return [value for (value,) in struct.iter_unpack("<q", data[: len(data) // 8 * 8])]


async def _killed_after(
    seconds: float, database_url: str, folder: Path, call_id: str, packets: Path, log: Path
) -> bool:
    """Record and kill; returns whether the process had its share of the processor in the last second and a half."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/fakes/record_until_killed.py"),
        *(database_url, str(folder), call_id, str(packets), str(log)),
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/fakes'}"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not _rounds(log):
                await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        killed_ns = time.time_ns()
        assert await process.wait() == -signal.SIGKILL
    last = [at for at in [*_rounds(log), killed_ns] if at > killed_ns - 1_500_000_000]
    return max(b - a for a, b in itertools.pairwise(last)) < STARVED_NS if len(last) > 1 else False


@pytest.mark.timeout(300)
async def test_everything_older_than_a_second_survives_kill_9(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    packets, folder = tmp_path / "packets", tmp_path / "journals"
    packets.write_bytes(pickle.dumps(Publisher(8.0).packets(0)))
    store = open_store(None, tmp_path)
    finalizer = Finalizer(database, store, folder, MASTER_KEY, executor=lambda: ThreadPoolExecutor(1))
    catalogue = Catalogue(database, store, MASTER_KEY)
    chance = random.Random(20260302)
    judged = 0
    for attempt in range(20):
        house = CaptureHouse(database, folder)
        call = await house.call()
        log = tmp_path / f"log-{attempt}"
        fair = await _killed_after(chance.uniform(0.9, 3.0), database_url, folder, call.id, packets, log)
        await house.recorder.recover()
        row = await house.recording(call.id)
        if row is None or not fair:
            continue
        assert (row.state, row.interrupted) == (RecordingState.CAPTURED, True)
        (stopped,) = [fact for fact in await house.facts(RecordingStopped) if fact.call_id == call.id]  # type: ignore[attr-defined]
        if not judged:
            with pytest.raises(UnavailableError, match="may go on"):  # another node may take the call up
                await finalizer.on_stopped(stopped)  # type: ignore[arg-type]
        await house.hang_up(call.id)
        await finalizer.on_stopped(stopped)  # type: ignore[arg-type]
        given_s = (_rounds(log)[-1] - row.started_at.timestamp() * 1e9) / 1e9
        files = await house.files(call.id)
        assert set(files) == {"customer", "teller"}
        for file in files.values():
            assert file.offset_s + file.duration_s > given_s - 1.0, "more than a second is lost"
            async with catalogue.plain_file(file.id) as path:
                with av.open(str(path)) as container:
                    video_s = [float(frame.time) for frame in container.decode(video=0)]
                with av.open(str(path)) as container:
                    audio_s = [float(frame.time) for frame in container.decode(audio=0)]
            assert file.offset_s + audio_s[-1] > given_s - 1.0
            assert file.offset_s + video_s[-1] > given_s - 1.0
            assert len(audio_s) >= (audio_s[-1] - audio_s[0]) / 0.02 - 1, "a hole before the end"
        judged += 1
        if judged == 5:
            return
    if judged == 0:
        pytest.skip("the machine was too busy to say anything")


@pytest.mark.timeout(300)
async def test_killed_while_finalizing_or_uploading_nothing_is_lost(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    house = CaptureHouse(database, tmp_path / "journals")
    call = await house.call()
    zero_ns = zero_ns_ago(8.5)
    for seat in (Seat.CUSTOMER, Seat.TELLER):
        house.record(call.id, seat, Publisher(8.0).packets(zero_ns), zero_ns)
    await house.recorder.stop(call.id)
    await house.recorder.close()
    row = await house.recording(call.id)
    assert row is not None
    kills = 0
    # Ever later, so that start, building, upload, commit and removal are all hit sooner or later.
    while (house.folder / call.id).exists():
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "tests/fakes/finalize_until_killed.py"),
            *(database_url, str(tmp_path), call.id, row.id),
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/fakes'}"},
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.2 * 1.6**kills if kills < 7 else 60)
        finished = process.returncode is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the worker and its building process, as a power failure would
        await process.communicate()
        kills += not finished
        row = await house.recording(call.id)
        assert row is not None
        if row.state != RecordingState.FINALIZED:
            assert len(list((house.folder / call.id).glob("*.journal"))) == 2
        names = [name for _, _, files in os.walk(tmp_path) for name in files]
        assert not [name for name in names if name.endswith(".webm")], "plain media on the disk"
    assert kills >= 3
    assert row.state == RecordingState.FINALIZED
    assert len(await house.facts(RecordingFinalized)) == 1
    catalogue = Catalogue(database, open_store(None, tmp_path), MASTER_KEY)
    for file in (await house.files(call.id)).values():
        async with catalogue.plain_file(file.id) as path:
            with av.open(str(path)) as container:
                assert sum(1 for _ in container.decode(video=0)) == 240


def test_a_helper_process_ends_with_the_worker_that_was_killed() -> None:
    script = (
        "import os, signal\n"
        "from recording.finalize.service import own_process\n"
        "print(own_process().submit(os.getpid).result(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    worker = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    assert worker.returncode == -signal.SIGKILL
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(worker.stdout)).wait(60)
