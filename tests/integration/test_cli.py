"""What a person at the terminal sees: one sentence when something is wrong, an exit code, nothing left behind."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from running_house import RunningHouse, free_port
from speech_data import write_wav
from typer.testing import CliRunner, Result

from server.cli import app, common
from server.cli import demo as demo_commands
from server.cli import house as house_commands

STOPPED_WITHIN_S = 15.0

AIRCOUNTER = Path(sys.executable).with_name("aircounter")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in this process, with a log that stays the tests' own. No speech: it is not about that."""
    for module in (house_commands, demo_commands):
        monkeypatch.setattr(module, "configure_logs", lambda level, process: None)
    for name in ("LIVE_ENGINE", "FINAL_ENGINE"):
        monkeypatch.setenv(f"AIRCOUNTER_{name}", "none")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def _one_sentence(result: Result, code: str, word: str) -> None:
    assert result.exit_code == 2, result.stderr
    assert code in result.stderr
    assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_port_in_use(run: Callable[..., Result], tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run("run", "--data", tmp_path, "--port", port)
    assert "start.failed" in result.stderr
    assert "--port" in result.stderr
    assert result.exit_code == 2
    assert not (tmp_path / "postgres").exists()


def test_data_folders_that_cannot_be_used(run: Callable[..., Result], engine_folder: Path) -> None:
    tmp_path = engine_folder / "unusable"  # a short one: too long a path is refused before all else
    tmp_path.mkdir()
    (tmp_path / "file").write_text("not a folder")
    other, older = tmp_path / "other" / "postgres", tmp_path / "older" / "postgres"
    other.mkdir(parents=True)
    (other / "holiday.jpg").write_bytes(b"x")
    older.mkdir(parents=True)
    (older / "PG_VERSION").write_text("14\n")
    for folder, code, word in (
        (tmp_path / "file", "start.failed", "--data"),
        (other.parent, "engine.failed", "not a PostgreSQL data folder"),
        (older.parent, "engine.failed", "14"),
    ):
        result = run("run", "--data", folder, "--port", free_port())
        assert result.exit_code == 2
        assert code in result.stderr
        assert word in result.stderr
        assert "Traceback" not in result.stderr


def test_bad_setting(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCOUNTER_RING_S", "soon")
    result = run("run", "--data", tmp_path)
    assert result.exit_code == 2
    assert "AIRCOUNTER_RING_S" in result.stderr


def test_demo_call_refuses_broken_and_silent_files(run: Callable[..., Result], tmp_path: Path) -> None:
    good = write_wav(tmp_path / "good.wav", "password_reset_rude", "teller", 0, 3, 16_000)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF but nothing else")
    silent = tmp_path / "silent.wav"
    with wave.open(str(silent), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.zeros(8000, np.int16).tobytes())
    for bad, code in (
        (broken, "audio.unreadable"),
        (silent, "audio.silent"),
        (tmp_path / "no.wav", "audio.unreadable"),
    ):
        _one_sentence(run("demo-call", "--teller-audio", good, "--customer-audio", bad, "--json"), code, bad.name)


@pytest.mark.timeout(120)
def test_a_house_revives_what_dies_and_ends_whatever_hangs(tmp_path: Path) -> None:
    quiet = {"AIRCOUNTER_LIVE_ENGINE": "none", "AIRCOUNTER_FINAL_ENGINE": "none", "AIRCOUNTER_STOP_S": "2"}
    with RunningHouse(tmp_path, **quiet) as house:
        before = {name: process.pid for name, process in house.processes().items()}
        assert set(before) == {"bank", "edge", "media", "worker"}
        house.processes()["edge"].kill()
        house.wait_ready()
        after = {name: process.pid for name, process in house.processes().items()}
        assert after["edge"] != before["edge"]
        assert (after["media"], after["worker"]) == (before["media"], before["worker"])

        # One that does not listen to anybody, and one that was killed while it used the database as well.
        house.processes()["worker"].suspend()
        users = house.data_dir / "postgres" / ".handle_pids.json"
        users.write_text(json.dumps([before["edge"], *json.loads(users.read_text())]))
        began_s = time.monotonic()
        assert house.interrupt() == 0
        assert time.monotonic() - began_s < STOPPED_WITHIN_S
        assert "process did not end in time" in house.log()
        assert house.left_over() == []
        assert not any(psutil.pid_exists(process_id) for process_id in after.values())

        command = [AIRCOUNTER, "audit", "verify", "--data", str(house.data_dir)]
        verified = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert verified.returncode == 0, verified.stderr
        assert "intact" in verified.stderr
        assert house.left_over() == []


class Stubborn:
    """Work that loses the cancellations it is sent at first, as Python 3.11's `asyncio.wait_for` may."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.cleaned = 0

    async def work(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not self.lost:
                    raise
                self.lost -= 1

    async def clean_up(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        self.cleaned += 1


def test_a_signal_is_obeyed_though_its_cancellation_gets_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "CANCEL_AGAIN_S", 0.05)
    stubborn = Stubborn(lost=2)
    with pytest.raises(asyncio.CancelledError):
        common.until_stopped(stubborn.work(), stubborn.clean_up)
    assert (stubborn.lost, stubborn.cleaned) == (0, 1), "and a second signal does not break the cleaning up off"
