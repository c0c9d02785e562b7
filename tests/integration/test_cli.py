"""What a person at the terminal sees when something is wrong: one sentence, an exit code, nothing left behind."""

import contextlib
import os
import socket
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from running_house import RunningHouse
from speech_data import write_wav

AIRCOUNTER = Path(sys.executable).with_name("aircounter")


def _run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AIRCOUNTER, *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


@pytest.fixture
def quiet() -> dict[str, str]:
    """No speech: these tests are not about it."""
    return {"AIRCOUNTER_LIVE_ENGINE": "none", "AIRCOUNTER_FINAL_ENGINE": "none"}


def _one_sentence(result: subprocess.CompletedProcess[str], code: str, word: str) -> None:
    assert result.returncode == 2, result.stderr
    assert code in result.stderr
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_port_in_use(tmp_path: Path, quiet: dict[str, str]) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        _one_sentence(_run("run", "--data", tmp_path, "--port", port, **quiet), "start.failed", "--port")


def test_data_folder_is_a_file(tmp_path: Path, quiet: dict[str, str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    _one_sentence(_run("run", "--data", tmp_path / "file", **quiet), "start.failed", "--data")


def test_data_folder_holds_something_else(tmp_path: Path, quiet: dict[str, str]) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "holiday.jpg").write_bytes(b"x")
    _one_sentence(_run("run", "--data", tmp_path, **quiet), "engine.failed", "not a PostgreSQL data folder")


def test_data_of_another_version(tmp_path: Path, quiet: dict[str, str]) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("14\n")
    _one_sentence(_run("run", "--data", tmp_path, **quiet), "engine.failed", "14")


def test_bad_setting(tmp_path: Path, quiet: dict[str, str]) -> None:
    result = _run("run", "--data", tmp_path, **quiet, AIRCOUNTER_RING_S="soon")
    assert result.returncode == 2
    assert "AIRCOUNTER_RING_S" in result.stderr


def test_demo_call_refuses_broken_and_silent_files(tmp_path: Path) -> None:
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
        result = _run("demo-call", "--teller-audio", good, "--customer-audio", bad, "--json")
        _one_sentence(result, code, bad.name)
        assert result.stdout == ""


@pytest.mark.timeout(120)
def test_ctrl_c_stops_everything_and_audit_verifies(tmp_path: Path, quiet: dict[str, str]) -> None:
    with RunningHouse(tmp_path, **quiet) as house:
        assert set(house.processes()) == {"bank", "edge", "media", "worker"}
        assert house.interrupt() == 0
        assert house.left_over() == []
        verified = _run("audit", "verify", "--data", house.data_dir)
        assert verified.returncode == 0, verified.stderr
        assert "intact" in verified.stderr
        assert house.left_over() == []


@pytest.mark.timeout(120)
def test_a_process_that_dies_is_started_again(tmp_path: Path, quiet: dict[str, str]) -> None:
    with RunningHouse(tmp_path, **quiet) as house:
        before = {name: process.pid for name, process in house.processes().items()}
        house.processes()["edge"].kill()
        house.wait_ready()
        after = {name: process.pid for name, process in house.processes().items()}
        assert after["edge"] != before["edge"]
        assert (after["media"], after["worker"]) == (before["media"], before["worker"])
