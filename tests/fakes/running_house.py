"""The whole product as a user starts it: `aircounter run` in a process of its own, with its own data folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import httpx
import psutil

START_S = 90.0


def free_port() -> int:
    """A TCP port nobody uses now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


GUARD = """
import os, signal, sys, time
parent, house = map(int, sys.argv[1:])
while os.getppid() == parent:
    time.sleep(0.5)
os.kill(house, signal.SIGTERM)
"""
"""Asks the house to stop when its owner is gone; the owner ends it before it lets the house go."""


class RunningHouse:
    """A started all-in-one. A context manager: stops it and removes the data folder at the end."""

    def __init__(self, models_dir: Path, **environment: str) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="ach-"))
        self.log_path = self.data_dir / "house.log"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "AIRCOUNTER_MODELS_DIR": str(models_dir),
            "AIRCOUNTER_LOG_LEVEL": "info",
            "AIRCOUNTER_WRAP_UP_S": "60",
            "AIRCOUNTER_ALARM_DISK_FREE_GB": "0",  # a test machine's disk is nobody's business
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it is ready. AssertionError with its log when it does not get there."""
        command = [Path(sys.executable).with_name("aircounter"), "run", "--demo"]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--data", str(self.data_dir), "--port", str(self.port)],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._watch()
        self.wait_ready()
        return self

    def _watch(self) -> None:
        """A house must not outlive the test or benchmark that started it, however that ends."""
        assert self._process is not None
        self._dismiss()
        own = [str(os.getpid()), str(self._process.pid)]
        self._guard = subprocess.Popen([sys.executable, "-I", "-S", "-c", GUARD, *own], start_new_session=True)

    def _dismiss(self) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            self._guard = None

    def wait_ready(self) -> None:
        """Until every process is there. AssertionError with the log when they do not come."""
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.base_url}/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("the house did not get ready:\n" + self.log())

    def log(self) -> str:
        """What it has printed."""
        return self.log_path.read_text()

    def processes(self) -> dict[str, psutil.Process]:
        """The house's own processes by name (edge, media, worker)."""
        assert self._process is not None
        found = {}
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command = child.cmdline()
                if "server.app.process" in command:
                    found[command[-1]] = child
        return found

    def kill(self) -> None:
        """Kill -9: supervisor, processes and engines at once, as a power cut would."""
        assert self._process is not None
        family = psutil.Process(self._process.pid).children(recursive=True)
        family += [process for process in psutil.process_iter() if self._is_engine(process)]
        for process in [*family, psutil.Process(self._process.pid)]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait(10)
        psutil.wait_procs(family, timeout=10)

    def _is_engine(self, process: psutil.Process) -> bool:
        try:
            return str(self.data_dir) in " ".join(process.cmdline())
        except psutil.Error:
            return False

    def interrupt(self, wait_s: float = 40.0) -> int:
        """Ctrl-C, twice, as impatient people and shells do; returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(wait_s)

    def left_over(self) -> list[str]:
        """Command lines of processes that still use the data folder."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if self._is_engine(process)]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self.interrupt()
            except subprocess.TimeoutExpired:
                self.kill()
        self._dismiss()
        shutil.rmtree(self.data_dir, ignore_errors=True)
