"""Real engines for tests: one embedded PostgreSQL and Valkey per run, a fresh migrated database per test."""

import asyncio
import faulthandler
import itertools
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.bus import Bus
from core.clock import SystemClock
from core.db import Database
from core.security import passwords
from server.app import engines, schema

sys.path.insert(0, str(Path(__file__).parent / "fakes"))

# Shared machines are slow at times; an example may take as long as it needs. The usual run tries the same examples each
# time, so that its result depends on the change alone; `./dev explore` looks for new ones.
hypothesis_settings.register_profile("same", deadline=None, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=400)
hypothesis_settings.load_profile("same")

# At the cost of the product some tests hash for a quarter of a minute; `test_identity_rules` looks at that cost.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

_numbers = itertools.count(1)


# pytest-timeout ends a test that takes too long by one exception. What hangs while it is cleaned up after gets another
# one; what swallows both would keep the run from ending: all stacks are shown then and the process ends.
_CLEAN_UP_S = 60.0
_SWALLOWED_S = 480.0
_END_S = 60.0
_stderr = pytest.StashKey[int]()
_crashes: list[object] = []


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real standard error: a test's own is captured."""
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        config.stash[_stderr] = os.dup(2)


def _end_after(seconds: float, config: pytest.Config) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=config.stash[_stderr])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _end_after(_SWALLOWED_S, item.config)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _clean_up_hangs(_number: int, _frame: object) -> None:
    faulthandler.dump_traceback(sys.stderr)
    raise TimeoutError(f"cleaning up after the test takes longer than {_CLEAN_UP_S:.0f} s")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Both watches are called off when a test has failed."""
    _end_after(_SWALLOWED_S, item.config)
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        return (yield)
    signal.signal(signal.SIGALRM, _clean_up_hangs)
    signal.setitimer(signal.ITIMER_REAL, _CLEAN_UP_S)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(error: object) -> None:
    """A worker of the run has ended; `error` says that it crashed."""
    _crashes.extend([error] if error else [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    _end_after(_END_S, session.config)
    if _crashes and len(_crashes) > int(session.config.getoption("maxworkerrestart") or 0):
        session.exitstatus = pytest.ExitCode.INTERRUPTED  # no other worker came: what it had to do was never tried


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # a worker waits for the others now
        faulthandler.cancel_dump_traceback_later()


async def _execute(url: str, *statements: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def _named(url: str, database: str) -> str:
    head, query = url.split("?")
    return f"{head.rsplit('/', 1)[0]}/{database}?{query}"


@pytest.fixture(scope="session")
def engine_folder() -> Iterator[Path]:
    """A short folder: socket paths are limited to 108 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="ac-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(engine_folder: Path) -> Iterator[str]:
    """URL of a server with a migrated template database; AIRCOUNTER_TEST_DATABASE_URL names another server."""
    given = os.environ.get("AIRCOUNTER_TEST_DATABASE_URL")
    postgres = None if given else engines.start_postgres(engine_folder, temporary=True)
    url = given or (postgres.url if postgres else "")

    async def prepare() -> None:
        if postgres:  # tests may lose their data
            await _execute(url, "alter system set fsync = off", "select pg_reload_conf()")
        await _execute(url, "drop database if exists aircounter_template", "create database aircounter_template")
        await schema.upgrade(_named(url, "aircounter_template"))

    asyncio.run(prepare())
    yield url
    if postgres:
        postgres.stop()


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """URL of a fresh database with the current schema."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _execute(postgres_url, f"create database {name} template aircounter_template")
    yield _named(postgres_url, name)
    await _execute(postgres_url, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def valkey_url(engine_folder: Path) -> Iterator[str]:
    """URL of a Redis-protocol server; AIRCOUNTER_TEST_REDIS_URL names another one, which is flushed."""
    given = os.environ.get("AIRCOUNTER_TEST_REDIS_URL")
    valkey = None if given else engines.start_valkey(engine_folder, temporary=True)
    yield given or (valkey.url if valkey else "")
    if valkey:
        valkey.stop()


@pytest.fixture
async def redis_url(valkey_url: str) -> str:
    """URL of an empty Redis-protocol server."""
    client = Redis.from_url(valkey_url)
    await client.flushall()
    await client.aclose()
    return valkey_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A connected client of an empty server."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def clock() -> SystemClock:
    """The machine's clock."""
    return SystemClock()


@pytest.fixture
async def bus(redis: Redis) -> Bus:
    """Live fan-out over the test server."""
    return Bus(redis)


@pytest.fixture
async def database(database_url: str, bus: Bus, clock: SystemClock) -> AsyncIterator[Database]:
    """A fresh database with its pool."""
    opened = Database(database_url, bus, clock)
    yield opened
    await opened.close()
