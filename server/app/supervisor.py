"""The all-in-one: starts engines and processes, restarts what dies, stops everything it started and nothing else."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
import structlog

from core.errors import CounterError
from core.security.keys import load_secrets
from core.settings import Settings
from core.store import open_store
from core.tasks import TaskOwner
from server.app import bank, engines, ops, schema, seed
from server.app.pages import WEB_DIR
from server.backup.backup import check_finished

log = structlog.get_logger(__name__)

PROCESSES = ("media", "worker", "edge")
KILLED_S = 5.0
RESTART_PAUSE_S = 1.0
READY_S = 60.0
DEATHS_AT_START = 3
ENGINE_LOOK_S = 0.5


class StartError(CounterError):
    """The all-in-one cannot start; the message is for the person at the terminal."""

    code = "start.failed"


@dataclass(slots=True)
class Engines:
    """Embedded engines this supervisor started (or took over); None where an address was given."""

    postgres: engines.EmbeddedPostgres | None = None
    valkey: engines.EmbeddedValkey | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def start(self, settings: Settings) -> None:
        """Start those for which no address is given, and note their addresses. EngineError when one does not start."""
        with self._lock:
            if settings.database_url is None and not self._stopped:
                self.postgres = engines.start_postgres(settings.data_dir)
                settings.database_url = self.postgres.url
            if settings.redis_url is None and not self._stopped:
                self.valkey = engines.start_valkey(settings.data_dir)
                settings.redis_url = self.valkey.url

    def revive(self, data_dir: Path) -> None:
        """Start again what died. EngineError when it does not start (yet)."""
        with self._lock:
            if self._stopped:
                return
            if self.postgres and not self.postgres.is_alive():
                log.error("PostgreSQL died, starting it again")
                self.postgres.revive()
            if self.valkey and not self.valkey.is_alive():
                log.error("Valkey died, starting it again")
                self.valkey = engines.start_valkey(data_dir)

    def stop(self) -> None:
        """Stop the engines, Valkey first: it only carries. One that is being started is waited for and stopped."""
        self._stopped = True
        with self._lock:
            if self.valkey:
                self.valkey.stop()
            if self.postgres:
                self.postgres.stop()


def check_data_dir(data_dir: Path) -> None:
    """Make the data folder, private to its owner. StartError with what to do when that is impossible."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / ".write-test"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"the data folder {data_dir} cannot be used ({error.strerror}); choose another with --data"
        ) from error


def claim_data_dir(data_dir: Path) -> IO[bytes]:
    """Keep a second all-in-one away from this folder for as long as the returned file is open.

    Two of them would share one database and one queue and answer for each other's calls.

    Raises:
        StartError: Another one runs on it.
    """
    claim = (data_dir / "run.lock").open("a+b")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        claim.close()
        raise StartError(
            f"another AirCounter is running on the data folder {data_dir}; stop it or choose another with --data"
        ) from error
    return claim


def check_port(host: str, port: int) -> None:
    """StartError when the port is taken."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(
                f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
            ) from error


def check_pages(web_dir: Path = WEB_DIR) -> None:
    """StartError when the web client has not been built."""
    if not (web_dir / "customer.html").is_file() or not (web_dir / "staff.html").is_file():
        raise StartError(f"the pages are not built ({web_dir}); build them with ./dev setup")


def _end_group(process_id: int) -> None:
    """What a process has started itself does not outlive it; each has a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process_id, signal.SIGKILL)


async def _ended(process: asyncio.subprocess.Process, deadline: float) -> bool:
    """Wait for its end until an instant of the loop's clock."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await process.wait()
    return process.returncode is not None


class Supervisor:
    """Runs one installation on one machine."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host
        self.base_url = f"{settings.scheme}://{host}:{settings.port}"
        self._engines = Engines()
        self._owner = TaskOwner("supervisor")
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._deaths: Counter[str] = Counter()
        self._claim: IO[bytes] | None = None

    async def start(self) -> None:
        """Bring everything up; returns when the edge says it is ready.

        Raises:
            CounterError: with a sentence for the person at the terminal.
        """
        check_data_dir(self.settings.data_dir)
        self._claim = claim_data_dir(self.settings.data_dir)
        check_port(self.settings.host, self.settings.port)
        check_pages()
        load_secrets(self.settings.data_dir)
        await check_finished(open_store(self.settings.store_url, self.settings.data_dir))
        await asyncio.to_thread(self._engines.start, self.settings)
        assert self.settings.database_url is not None
        await schema.upgrade(self.settings.database_url)
        await seed.seed(self.settings)
        brought = ("bank",) if bank.bring_bank(self.settings) else ()
        for name in (*brought, *PROCESSES):
            self._owner.start(name, self._keep_running(name))
        self._owner.start("engines", self._keep_engines())
        await self._ready()

    def _environment(self, name: str) -> dict[str, str]:
        chosen = self.settings.model_dump(exclude_none=True)
        return {
            **os.environ,
            **{f"AIRCOUNTER_{key.upper()}": str(value) for key, value in chosen.items()},
            "AIRCOUNTER_DATA_DIR": str(self.settings.data_dir.resolve()),
            "AIRCOUNTER_SUPERVISED": "1",
            # One machine, one setting, several processes: each has a port of its own.
            "AIRCOUNTER_OPS_PORT": str(
                self.settings.ops_port + ops.OFFSETS.get(name, 0) if self.settings.ops_port else 0
            ),
        }

    async def _keep_running(self, name: str) -> None:
        """Start a process again whenever it dies. Its stdin pipe tells it when this supervisor is gone."""
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "server.app.process",
                name,
                stdin=asyncio.subprocess.PIPE,
                env=self._environment(name),
                start_new_session=True,
            )
            self._processes[name] = process
            code = await process.wait()
            _end_group(process.pid)
            log.error("process died, starting it again", process=name, exit_code=code)
            self._deaths[name] += 1
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _keep_engines(self) -> None:
        """Start an embedded engine again that died. The processes wait for it and go on."""
        while True:
            await asyncio.sleep(ENGINE_LOOK_S)
            try:
                await asyncio.to_thread(self._engines.revive, self.settings.data_dir)
            except CounterError as error:
                log.error("engine does not start again", error=str(error))

    async def _ready(self) -> None:
        # It asks its own process over loopback: who answers there is not in doubt.
        async with httpx.AsyncClient(verify=False) as client:
            deadline = asyncio.get_running_loop().time() + READY_S
            problem = "no answer"
            while asyncio.get_running_loop().time() < deadline:
                for name, deaths in self._deaths.items():
                    if deaths >= DEATHS_AT_START:
                        raise StartError(f"the {name} process does not start; why is written above")
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get(f"{self.base_url}/ready", timeout=2)
                    if answer.status_code == 200:
                        return
                    problem = answer.text
                await asyncio.sleep(0.1)
        raise StartError(f"the processes did not get ready within {READY_S:.0f} s: {problem}")

    async def stop(self) -> None:
        """End the processes (their recordings are closed properly), then the engines. Every wait has a limit."""
        await self._owner.close()  # nothing is started again from here on
        running = {name: process for name, process in self._processes.items() if process.returncode is None}
        for process in running.values():
            process.terminate()
        deadline = asyncio.get_running_loop().time() + self.settings.drain_s + self.settings.stop_s
        for name, process in running.items():
            if not await _ended(process, deadline):
                log.error("process did not end in time, killing it", process=name)
                process.kill()
                await _ended(process, asyncio.get_running_loop().time() + KILLED_S)
        for process in self._processes.values():
            _end_group(process.pid)
        await asyncio.to_thread(self._engines.stop)
        if self._claim is not None:
            self._claim.close()
